#include <initializer_list>

#include "kernel_call.h"

namespace gradus::binding {
namespace {

Napi::Value to_javascript(Napi::Env env, const UpdateSums& sums) {
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "weightSquares", sums.weight_squares);
  define_property(to, "weightAbsolutes", sums.weight_absolutes);
  define_property(to, "changeSquares", sums.change_squares);
  define_property(to, "gradientSquares", sums.gradient_squares);
  define_property(to, "nonfinite", static_cast<double>(sums.nonfinite));
  return to;
}

// Numbers, then gradient, weights, the optimizer's slots and the running average or null. Whole chunks are added up, in
// order, as the engine does.
template <class T>
Napi::Value run_update(KernelCall<T>& call, void (*kernel)(const Update<T>&, UpdateSums&),
                       std::initializer_list<const char*> slots) {
  Update<T> update;
  for (T* number : {&update.gradient_scale, &update.clip_value, &update.l1, &update.l2, &update.learning_rate,
                    &update.weight_decay, &update.average_decay, &update.momentum, &update.decay_rate, &update.epsilon,
                    &update.correction1, &update.correction2, &update.gradient_share})
    *number = call.real("options");
  update.n = call.length("gradient");
  update.gradient = call.input("gradient", update.n);
  update.w = call.output("parameters", update.n);
  size_t s = 0;
  for (const char* slot : slots) update.slots[s++] = call.output(slot, update.n);
  update.average = call.optional_output("average", update.n);
  call.check_overlap();
  UpdateSums sums;
  kernel(update, sums);
  return to_javascript(call.env, sums);
}

#define OPTIMIZER(name, ...)                                     \
  struct name##_kernel {                                         \
    template <class T>                                           \
    static Napi::Value run(KernelCall<T>& call) {                \
      return run_update(call, call.kernels.name, {__VA_ARGS__}); \
    }                                                            \
  };
#include "engine/optimizers.def"
#undef OPTIMIZER

struct GradientNorm {
  template <class T>
  static Napi::Value run(KernelCall<T>& call) {
    Update<T> update;
    update.l1 = call.real("l1"), update.l2 = call.real("l2");
    update.n = call.length("gradient");
    update.gradient = call.input("gradient", update.n);
    update.w = const_cast<T*>(call.input("parameters", update.n));  // this one only reads it
    UpdateSums sums;
    call.kernels.gradient_norm(update, sums);
    return to_javascript(call.env, sums);
  }
};

struct LimitColumnNorms {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t rows = call.size("rows"), columns = call.size("columns");
    const T limit = call.real("limit");
    const size_t elements = product("w", {rows, columns});
    T* w = call.output("w", elements);
    if (elements > 0) call.kernels.limit_column_norms(w, rows, columns, limit);
  }
};

}  // namespace

void set_updates(Napi::Env env, Napi::Object& to) {
#define OPTIMIZER(name, ...) set_kernel<name##_kernel>(env, to, #name);
#include "engine/optimizers.def"
#undef OPTIMIZER
  set_kernel<GradientNorm>(env, to, "gradient_norm");
  set_kernel<LimitColumnNorms>(env, to, "limit_column_norms");
}

}  // namespace gradus::binding
