// y = f(x) for each element. Where f' follows from y, a dense op below writes y itself, and a dense op above, when it
// is the only one that takes y, multiplies by f' on its way.
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

bool derivative_follows_from_value(Activation kind) {
  return kind != Activation::gelu && kind != Activation::silu && kind != Activation::identity;
}

// Elu's second derivative jumps at 0, and with another alpha than 1 its first does.
bool has_kink(Activation kind) {
  return kind == Activation::relu || kind == Activation::leaky_relu || kind == Activation::elu;
}

bool is_made_of_lines(Activation kind) {
  return kind == Activation::identity || kind == Activation::relu || kind == Activation::leaky_relu;
}

// f''(x), at most block elements of it; y = f(x). Of the kinds that are not made of lines.
constexpr size_t block = 256;
template <class T>
void second_derivative(const Kernels<T>& kernels, ActivationChoice choice, const T* x, const T* y, size_t n, T* out) {
  const auto each = [&](auto f) {
    for (size_t i = 0; i < n; ++i) out[i] = f(x[i], y[i], out[i]);
  };
  if (choice.kind == Activation::elu)
    each([&](T x, T y, T) { return x > 0 ? T(0) : y + T(choice.parameter); });
  else if (choice.kind == Activation::tanh)
    each([](T, T y, T) { return -2 * y * (1 - y * y); });
  else if (choice.kind == Activation::sigmoid)
    each([](T, T y, T) { return y * (1 - y) * (1 - 2 * y); });
  else if (choice.kind == Activation::gelu) {  // φ(x) · (2 − x²), where φ is the normal density
    const auto near = [](T x) { return std::clamp(x, T(-40), T(40)); };  // 0 at the infinities, not 0 · ∞
    each([&](T x, T, T) { return near(x) * near(x) / -2; });
    kernels.exp(out, n, out);
    each([&](T x, T, T e) { return e * T(0.3989422804014327) * (2 - near(x) * near(x)); });
  } else {  // with s = σ(x): silu s(1 − s)(2 + x(1 − 2s)), softplus s(1 − s)
    kernels.activation_forward(Activation::sigmoid, T(0), x, n, out);
    const bool silu = choice.kind == Activation::silu;
    each([silu](T x, T, T s) {
      const T bent = s * (1 - s);
      return silu ? bent * (2 + std::clamp(x, T(-800), T(800)) * (1 - 2 * s)) : bent;
    });
  }
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
    choice_ = {entry->kind, node.fields.number("parameter", entry->parameter)};
  }

  std::optional<ActivationChoice> fusible() const override {
    if (!derivative_follows_from_value(choice_.kind)) return std::nullopt;
    // With a slope of 0 or less y no longer says on which side of 0 x was.
    const bool sloped = choice_.kind == Activation::leaky_relu || choice_.kind == Activation::elu;
    if (sloped && choice_.parameter <= 0) return std::nullopt;
    return choice_;
  }
  void set_forward_fused() override { forward_fused_ = true; }
  void set_backward_fused() override { backward_fused_ = true; }

  std::string kind() const override { return kind_; }

  void forward(Pass<T>& pass) override {
    if (forward_fused_) return;
    const T* x = pass.value(this->inputs[0]);
    T* y = pass.value(this->node);
    pass.stretches(pass.batch * size_, [&](size_t first, size_t n) {
      pass.kernels->activation_forward(choice_.kind, T(choice_.parameter), x + first, n, y + first);
    });
  }

  uint64_t fingerprint(Pass<T>& pass) const override {
    if (!has_kink(choice_.kind)) return 0;
    const T* z = pass.value(forward_fused_ ? this->node : this->inputs[0]);  // one sign for x and y
    return fold_choices(0, pass.batch * size_, [z](size_t i) { return z[i] > 0; });
  }

  void backward(Pass<T>& pass) override {
    if (backward_fused_ && forward_fused_) return;
    const T* x = pass.value(this->inputs[0]);
    const T* y = pass.value(this->node);
    const T* dy = pass.gradient(this->node);
    const auto write = [&](T* dx) {
      pass.stretches(pass.batch * size_, [&](size_t first, size_t n) {
        pass.kernels->activation_backward(choice_.kind, T(choice_.parameter), x + first, y + first, dy + first, n,
                                          dx + first);
      });
    };
    // Fused into the dense op below, both share one gradient, which turns from dY to dZ in place.
    if (forward_fused_) {
      if (pass.wanted(this->node)) write(pass.gradient(this->node));
    } else {
      pass.give_gradient(this->inputs[0], write);
    }
  }

  void forward_tangent(Pass<T>& pass) override {
    slope_times(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }

  // Of dx = f'(x) ⊙ dy: f'(x) ⊙ dẏ + f''(x) ⊙ ẋ ⊙ dy.
  void backward_tangent(Pass<T>& pass) override {
    const T *x = pass.value(this->inputs[0]), *y = pass.value(this->node);
    const T *x_tangent = pass.tangent(this->inputs[0]), *dy = pass.gradient(this->node);
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      slope_times(pass, pass.gradient_tangent(this->node), dx);
      if (is_made_of_lines(choice_.kind)) return;
      T bend[block];
      for (size_t first = 0, all = pass.batch * size_; first < all; first += block) {
        const size_t n = std::min(block, all - first);
        second_derivative(*pass.kernels, choice_, x + first, y + first, n, bend);
        for (size_t i = 0; i < n; ++i) dx[first + i] += bend[i] * x_tangent[first + i] * dy[first + i];
      }
    });
  }

 private:
  void slope_times(Pass<T>& pass, const T* from, T* to) const {
    pass.kernels->activation_backward(choice_.kind, T(choice_.parameter), pass.value(this->inputs[0]),
                                      pass.value(this->node), from, pass.batch * size_, to);
  }

  size_t size_;
  std::string kind_;
  ActivationChoice choice_;
  bool forward_fused_ = false, backward_fused_ = false;
};

}  // namespace
GRADUS_OP(activation, ActivationOp)
}  // namespace gradus
