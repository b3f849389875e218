// y = softmax(x) over the last dimension; dx = y ⊙ (dy − Σ dy ⊙ y).
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Softmax final : public Op<T> {
 public:
  explicit Softmax(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    columns_ = this->shape.back();
    rows_ = elements_of(this->shape) / columns_;
  }

  void forward(Pass<T>& pass) const override {
    pass.device.softmax(pass.value(this->inputs[0]), pass.batch * rows_, columns_, pass.value(this->node));
  }

  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      pass.device.softmax_backward(pass.value(this->node), pass.gradient(this->node), pass.batch * rows_, columns_, dx);
    });
  }

  // ẏ = y ⊙ (ẋ − Σ ẋ ⊙ y): the Jacobian is symmetric.
  void forward_tangent(Pass<T>& pass) const override {
    pass.device.softmax_backward(pass.value(this->node), pass.tangent(this->inputs[0]), pass.batch * rows_, columns_,
                                 pass.tangent(this->node));
  }
  // Of dx, factor by factor: ẏ ⊙ (dy − Σ dy ⊙ y) + y ⊙ (dẏ − Σ (dẏ ⊙ y + dy ⊙ ẏ)).
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      pass.device.softmax_backward_tangent(pass.value(this->node), pass.tangent(this->node), pass.gradient(this->node),
                                           pass.gradient_tangent(this->node), pass.batch * rows_, columns_, dx);
    });
  }

 private:
  size_t rows_, columns_;
};

}  // namespace
GRADUS_OP(softmax, Softmax)
}  // namespace gradus
