// The elementwise sum of two or more inputs.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Add final : public Op<T> {
 public:
  explicit Add(const NodeReader& node) : Op<T>(node) {
    if (node.inputs.size() < 2) node.fields.fail("inputs: expected two or more");
    this->shape = node.input_shapes[0];
    size_ = elements_of(this->shape);
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.input_shapes[i] != this->shape || node.input_is_index[i])
        node.fields.fail("inputs: expected shapes equal to " + to_string(this->shape) + ", one is " +
                         to_string(node.input_shapes[i]));
  }

  void forward(Pass<T>& pass) const override {
    T* y = pass.value(this->node);
    const T* sum = pass.value(this->inputs[0]);
    for (size_t i = 1; i < this->inputs.size(); ++i, sum = y) {
      pass.device.add(sum, pass.value(this->inputs[i]), pass.batch * size_, y);
    }
  }

  void backward(Pass<T>& pass) const override {
    const T* dy = pass.gradient(this->node);
    for (size_t input : this->inputs)
      pass.give_gradient(input, [&](T* dx) { pass.device.copy(dy, pass.batch * size_, dx); });
  }

  void forward_tangent(Pass<T>& pass) const override {
    T* y = pass.tangent(this->node);
    pass.device.fill(T(0), pass.batch * size_, y);
    for (size_t input : this->inputs) pass.device.add(y, pass.tangent(input), pass.batch * size_, y);
  }
  void backward_tangent(Pass<T>& pass) const override {
    const T* dy = pass.gradient_tangent(this->node);
    for (size_t input : this->inputs)
      pass.give_gradient_tangent(input, [&](T* dx) { pass.device.copy(dy, pass.batch * size_, dx); });
  }

 private:
  size_t size_;
};

}  // namespace
GRADUS_OP(add, Add)
}  // namespace gradus
