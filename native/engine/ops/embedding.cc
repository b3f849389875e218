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
    dimension_ = (*node.parameters)[weight_].shape[1];
    this->shape.push_back(dimension_);
    this->parameters = {weight_};
  }

  void forward(Pass<T>& pass) override {
    const int32_t* rows = pass.at(this->inputs[0]).indices.data();
    pass.row_blocks(pass.batch * length_, dimension_, [&](size_t first, size_t n) {
      pass.kernels->gather_rows(pass.parameters[weight_].w, dimension_, rows + first, n,
                                pass.value(this->node) + first * dimension_);
    });
  }

  void backward(Pass<T>& pass) override {
    if (!pass.parameters[weight_].trainable) return;
    pass.kernels->scatter_add_rows(pass.gradient(this->node), dimension_, pass.at(this->inputs[0]).indices.data(),
                                   pass.batch * length_, pass.added_gradient(weight_));
  }

  void forward_tangent(Pass<T>& pass) override {
    pass.kernels->gather_rows(pass.parameters[weight_].tangent.data(), dimension_,
                              pass.at(this->inputs[0]).indices.data(), pass.batch * length_, pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) override {
    pass.kernels->scatter_add_rows(pass.gradient_tangent(this->node), dimension_,
                                   pass.at(this->inputs[0]).indices.data(), pass.batch * length_,
                                   pass.parameters[weight_].gradient_tangent.data());
  }

 private:
  size_t length_, weight_, dimension_;
};

}  // namespace
GRADUS_OP(embedding, Embedding)
}  // namespace gradus
