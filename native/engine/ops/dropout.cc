// In training each element is zero with probability `rate`, the others divided by 1 − rate. The mask is a function of
// seed, node, step and index, so backward draws it again instead of keeping it.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Dropout final : public Op<T> {
 public:
  explicit Dropout(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    size_ = elements_of(this->shape);
    rate_ = T(node.fields.number_within("rate", 0, 0, 1));
  }

  void forward(Pass<T>& pass) override { apply(pass, pass.value(this->inputs[0]), pass.value(this->node)); }
  void backward(Pass<T>& pass) override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient(this->node), dx); });
  }

  void forward_tangent(Pass<T>& pass) override { apply(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node)); }
  void backward_tangent(Pass<T>& pass) override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  void apply(Pass<T>& pass, const T* x, T* y) const {
    Counter counter = pass.counter;
    counter.stream = uint32_t(this->node);
    pass.stretches(pass.batch * size_, [&](size_t first, size_t n) {
      if (pass.training && pass.randomness && rate_ > 0)
        pass.kernels->dropout(x + first, n, rate_, counter, first, y + first);
      else
        std::copy_n(x + first, n, y + first);
    });
  }

  size_t size_;
  T rate_;
};

}  // namespace
GRADUS_OP(dropout, Dropout)
}  // namespace gradus
