// What both norms are: a line of numbers brought to mean 0 and variance 1, then gain and bias.
#pragma once
#include "../op.h"

namespace gradus {

template <class T>
class NormOp : public Op<T> {
 protected:
  explicit NormOp(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.size() != 1) node.fields.fail("expected an input of one dimension");
    columns_ = this->shape[0];
    gain_ = node.optional_parameter("gain", this->shape);
    bias_ = node.optional_parameter("bias", this->shape);
    if (gain_.has_value() != bias_.has_value()) node.fields.fail("expected a gain and a bias, or neither");
    epsilon_ = T(node.fields.number("epsilon"));
    if (gain_) this->parameters = {*gain_, *bias_};
  }

  // plain: where there is neither gain nor bias, columns of 1 and then as many of 0.
  Norm<T> norm_of(Pass<T>& pass, T* mean, T* inverse_deviation, const T* plain = nullptr) const {
    Norm<T> norm;
    norm.rows = pass.batch, norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]);
    norm.gain = gain_ ? pass.parameter(*gain_) : plain;
    norm.bias = bias_ ? pass.parameter(*bias_) : plain + columns_;
    norm.epsilon = epsilon_;
    norm.mean = mean, norm.inverse_deviation = inverse_deviation;
    return norm;
  }
  // follows: whether mean and deviation follow the values.
  NormTangent<T> tangent_of(Pass<T>& pass, const Norm<T>& norm, bool follows) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    NormTangent<T> tangent;
    tangent.norm = norm;
    tangent.norm.dy = pass.gradient(this->node);
    tangent.x_tangent = pass.tangent(this->inputs[0]);
    tangent.gain_tangent = gain_ ? pass.parameter_tangent(*gain_) : norm.bias;
    tangent.bias_tangent = bias_ ? pass.parameter_tangent(*bias_) : norm.bias;
    tangent.y_tangent = pass.tangent(this->node);
    tangent.dy_tangent = pass.gradient_tangent(this->node);
    tangent.dgain_tangent = gain_ ? pass.parameter_gradient_tangent(*gain_) : memory.reals[2].data();
    tangent.dbias_tangent = bias_ ? pass.parameter_gradient_tangent(*bias_) : memory.reals[3].data();
    tangent.follows = follows;
    return tangent;
  }
  // So many rows of sums, for the gradients of gain and bias.
  void give_gain_and_bias(Pass<T>& pass, const T* gains, const T* biases, size_t rows) const {
    if (!gain_) return;
    pass.give_parameter_gradient(*gain_, gains, rows);
    pass.give_parameter_gradient(*bias_, biases, rows);
  }

  size_t columns_;
  std::optional<size_t> gain_, bias_;
  T epsilon_;
};

}  // namespace gradus
