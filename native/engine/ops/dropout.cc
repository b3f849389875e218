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

  void forward(Pass<T>& pass) const override { apply(pass, pass.value(this->inputs[0]), pass.value(this->node)); }
  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient(this->node), dx); });
  }

  void forward_tangent(Pass<T>& pass) const override {
    apply(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  void apply(Pass<T>& pass, const T* x, T* y) const {
    const size_t n = pass.batch * size_;
    if (!pass.training || !pass.randomness || rate_ == 0) return pass.device.copy(x, n, y);
    Counter counter = pass.counter;
    counter.stream = streams::of_node(this->node);
    pass.device.dropout(x, n, rate_, counter, 0, y);
  }

  size_t size_;
  T rate_;
};

}  // namespace
GRADUS_OP(dropout, Dropout)
}  // namespace gradus
