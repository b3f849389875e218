// y = f(x) for each element. Where f' follows from y, an op with weights below writes y itself, and one above, or a
// maximum, when it is the only one that takes y, multiplies by f' on its way. A batch norm below does both of any kind.
#include <algorithm>

#include "../op.h"

namespace gradus {
namespace {

struct Entry {
  const char* name;
  Activation kind;
  double parameter;
};
constexpr Entry entries[] = {
#define ACTIVATION(name, parameter) {#name, Activation::name, parameter},
#include "kernels/activations.def"
#undef ACTIVATION
};

bool derivative_follows_from_value(Activation kind) { return kind != Activation::gelu && kind != Activation::silu; }

// Elu's second derivative jumps at 0, and with another alpha than 1 its first does.
bool has_kink(Activation kind) {
  return kind == Activation::relu || kind == Activation::leaky_relu || kind == Activation::elu;
}

template <class T>
class ActivationOp final : public Op<T> {
 public:
  explicit ActivationOp(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    size_ = elements_of(this->shape);
    const std::string& kind = kind_ = node.fields.text("kind");
    const Entry* entry =
        std::find_if(std::begin(entries), std::end(entries), [&](const Entry& e) { return kind == e.name; });
    if (entry == std::end(entries)) node.fields.fail("kind: there is no activation \"" + kind + "\"");
    choice_ = {entry->kind, node.fields.number("parameter", entry->parameter),
               derivative_follows_from_value(entry->kind)};
  }

  std::optional<ActivationChoice> fusible() const override {
    if (choice_.kind == Activation::identity) return std::nullopt;
    // With a slope of 0 or less y no longer says on which side of 0 x was.
    const bool sloped = choice_.kind == Activation::leaky_relu || choice_.kind == Activation::elu;
    if (sloped && choice_.parameter <= 0) return std::nullopt;
    return choice_;
  }
  void set_forward_fused() override { forward_fused_ = true; }
  void set_backward_fused() override { backward_fused_ = true; }

  std::string kind() const override { return kind_; }

  void forward(Pass<T>& pass) const override {
    if (forward_fused_) return;
    pass.device.activation_forward(choice_.kind, T(choice_.parameter), pass.value(this->inputs[0]), elements(pass),
                                   pass.value(this->node));
  }

  uint64_t fingerprint(Pass<T>& pass) const override {
    uint64_t fingerprint = 0;
    const T* z = pass.value(forward_fused_ ? this->node : this->inputs[0]);  // one sign for x and y
    if (has_kink(choice_.kind)) pass.device.fold_signs(z, elements(pass), fingerprint);
    return fingerprint;
  }

  void backward(Pass<T>& pass) const override {
    if (backward_fused_ && forward_fused_) return;
    const T* dy = pass.gradient(this->node);
    // Fused into the op below, both share one gradient, which turns from dY to dZ in place.
    if (forward_fused_) {
      if (pass.wanted(this->node)) slope_times(pass, dy, pass.gradient(this->node));
    } else {
      pass.give_gradient(this->inputs[0], [&](T* dx) { slope_times(pass, dy, dx); });
    }
  }

  void forward_tangent(Pass<T>& pass) const override {
    slope_times(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }

  // Of dx = f'(x) ⊙ dy: f'(x) ⊙ dẏ + f''(x) ⊙ ẋ ⊙ dy.
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      slope_times(pass, pass.gradient_tangent(this->node), dx);
      pass.device.activation_bend(choice_.kind, T(choice_.parameter), pass.value(this->inputs[0]),
                                  pass.value(this->node), pass.tangent(this->inputs[0]), pass.gradient(this->node),
                                  elements(pass), dx);
    });
  }

 private:
  size_t elements(const Pass<T>& pass) const { return pass.batch * size_; }
  void slope_times(Pass<T>& pass, const T* from, T* to) const {
    pass.device.activation_backward(choice_.kind, T(choice_.parameter), pass.value(this->inputs[0]),
                                    pass.value(this->node), from, elements(pass), to);
  }

  size_t size_;
  std::string kind_;
  ActivationChoice choice_;
  bool forward_fused_ = false, backward_fused_ = false;
};

}  // namespace
GRADUS_OP(activation, ActivationOp)
}  // namespace gradus
