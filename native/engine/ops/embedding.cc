// Each row number of the input becomes that row of the table.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Embedding final : public Op<T> {
 public:
  explicit Embedding(const NodeReader& node) : Op<T>(node) {
    if (node.inputs.size() != 1 || !node.input_is_index[0])
      node.fields.fail("inputs: expected one input of row numbers");
    this->shape = node.input_shapes[0];
    length_ = elements_of(this->shape);
    weight_ = node.parameter("weight", {0, 0});
    dimension_ = node.parameters[weight_].shape[1];
    this->shape.push_back(dimension_);
    this->parameters = {weight_};
  }

  void forward(Pass<T>& pass) const override {
    pass.device.gather_rows(pass.parameter(weight_), dimension_, pass.indices(this->inputs[0]), pass.batch * length_,
                            pass.value(this->node));
  }

  void backward(Pass<T>& pass) const override {
    if (!pass.is_trainable(weight_)) return;
    pass.device.scatter_add_rows(pass.gradient(this->node), dimension_, pass.indices(this->inputs[0]),
                                 pass.batch * length_, pass.added_gradient(weight_));
  }

  void forward_tangent(Pass<T>& pass) const override {
    pass.device.gather_rows(pass.parameter_tangent(weight_), dimension_, pass.indices(this->inputs[0]),
                            pass.batch * length_, pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.device.scatter_add_rows(pass.gradient_tangent(this->node), dimension_, pass.indices(this->inputs[0]),
                                 pass.batch * length_, pass.parameter_gradient_tangent(weight_));
  }

 private:
  size_t length_, weight_, dimension_;
};

}  // namespace
GRADUS_OP(embedding, Embedding)
}  // namespace gradus
