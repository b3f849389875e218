// Each example brought to mean 0 and variance 1, then gain and bias.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class LayerNorm final : public Op<T> {
 public:
  explicit LayerNorm(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.size() != 1) node.fields.fail("expected an input of one dimension");
    columns_ = this->shape[0];
    gain_ = node.parameter("gain", this->shape);
    bias_ = node.parameter("bias", this->shape);
    epsilon_ = T(node.fields.number("epsilon"));
    this->parameters = {gain_, bias_};
  }

  // mean, inverse deviation, sums of blocks of rows for the gradients of gain and bias
  void reserve(size_t batch, OpMemory<T>& memory) const override {
    memory.reals[0].grow(batch);
    memory.reals[1].grow(batch);
    for (size_t i : {2, 3}) memory.reals[i].grow(product(blocks_of(batch), columns_));
  }

  void forward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    norm.y = pass.value(this->node);
    pass.device.layer_norm_forward(norm);
  }

  void backward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    OpMemory<T>& memory = pass.of_op(this->node);
    norm.dy = pass.gradient(this->node);
    norm.dgain = memory.reals[2].data(), norm.dbias = memory.reals[3].data();
    const auto run = [&](T* dx) {
      norm.dx = dx;
      pass.device.layer_norm_backward(norm);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
    pass.give_parameter_gradient(gain_, norm.dgain, blocks_of(pass.batch));
    pass.give_parameter_gradient(bias_, norm.dbias, blocks_of(pass.batch));
  }

  void forward_tangent(Pass<T>& pass) const override { pass.device.layer_norm_forward_tangent(tangent_of(pass)); }
  void backward_tangent(Pass<T>& pass) const override {
    const auto run = [&](T* dx) {
      NormTangent<T> tangent = tangent_of(pass);
      tangent.dx_tangent = dx;
      pass.device.layer_norm_backward_tangent(tangent);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient_tangent(this->inputs[0], run);
    else
      run(nullptr);
  }

 private:
  Norm<T> of(Pass<T>& pass) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    Norm<T> norm;
    norm.rows = pass.batch, norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]);
    norm.gain = pass.parameter(gain_), norm.bias = pass.parameter(bias_);
    norm.epsilon = epsilon_;
    norm.mean = memory.reals[0].data(), norm.inverse_deviation = memory.reals[1].data();
    return norm;
  }
  NormTangent<T> tangent_of(Pass<T>& pass) const {
    NormTangent<T> tangent;
    tangent.norm = of(pass);
    tangent.norm.dy = pass.gradient(this->node);
    tangent.x_tangent = pass.tangent(this->inputs[0]);
    tangent.gain_tangent = pass.parameter_tangent(gain_), tangent.bias_tangent = pass.parameter_tangent(bias_);
    tangent.y_tangent = pass.tangent(this->node);
    tangent.dy_tangent = pass.gradient_tangent(this->node);
    tangent.dgain_tangent = pass.parameter_gradient_tangent(gain_);
    tangent.dbias_tangent = pass.parameter_gradient_tangent(bias_);
    tangent.follows = true;
    return tangent;
  }

  size_t columns_, gain_, bias_;
  T epsilon_;
};

}  // namespace
GRADUS_OP(layer_norm, LayerNorm)
}  // namespace gradus
