#include "kernel_call.h"

namespace gradus::binding {
namespace {

// Returns the sum of the losses, added in order in double, as the engine does.
template <class T>
Napi::Value run_loss(KernelCall<T>& call, void (*kernel)(const Loss<T>&), bool takes_labels, bool takes_dense) {
  Loss<T> loss;
  loss.rows = call.size("rows"), loss.columns = call.size("columns", 1);
  const size_t elements = product("scores", {loss.rows, loss.columns});
  loss.scale = call.real("scale"), loss.parameter = call.real("parameter");
  loss.scores = call.input("scores", elements);
  const bool by_label = takes_labels && (!takes_dense || call.template next_is<int32_t>());
  if (by_label) {
    loss.labels = call.indices("targets", loss.rows, loss.columns);
  } else {
    loss.targets = call.input("targets", elements);
  }
  loss.weights = call.optional_input("weights", loss.rows);
  loss.losses = call.output("losses", loss.rows);
  loss.gradient = call.optional_output("gradient", elements);
  call.check_overlap();
  kernel(loss);
  double sum = 0;
  for (size_t i = 0; i < loss.rows; ++i) sum += static_cast<double>(loss.losses[i]);
  return Napi::Number::New(call.env, sum);
}

#define LOSS(name, takes_labels, takes_dense, ...)                         \
  struct name##_kernel {                                                   \
    template <class T>                                                     \
    static Napi::Value run(KernelCall<T>& call) {                          \
      return run_loss(call, call.kernels.name, takes_labels, takes_dense); \
    }                                                                      \
  };
#include "engine/losses.def"
#undef LOSS

}  // namespace

void set_losses(Napi::Env env, Napi::Object& to) {
#define LOSS(name, ...) set_kernel<name##_kernel>(env, to, #name);
#include "engine/losses.def"
#undef LOSS
}

}  // namespace gradus::binding
