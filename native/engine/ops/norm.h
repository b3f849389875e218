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
    gain_ = node.parameter("gain", this->shape);
    bias_ = node.parameter("bias", this->shape);
    epsilon_ = T(node.fields.number("epsilon"));
    this->parameters = {gain_, bias_};
  }

  Norm<T> norm_of(Pass<T>& pass, T* mean, T* inverse_deviation) const {
    Norm<T> norm;
    norm.rows = pass.batch, norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]);
    norm.gain = pass.parameter(gain_), norm.bias = pass.parameter(bias_);
    norm.epsilon = epsilon_;
    norm.mean = mean, norm.inverse_deviation = inverse_deviation;
    return norm;
  }
  // follows: whether mean and deviation follow the values.
  NormTangent<T> tangent_of(Pass<T>& pass, const Norm<T>& norm, bool follows) const {
    NormTangent<T> tangent;
    tangent.norm = norm;
    tangent.norm.dy = pass.gradient(this->node);
    tangent.x_tangent = pass.tangent(this->inputs[0]);
    tangent.gain_tangent = pass.parameter_tangent(gain_), tangent.bias_tangent = pass.parameter_tangent(bias_);
    tangent.y_tangent = pass.tangent(this->node);
    tangent.dy_tangent = pass.gradient_tangent(this->node);
    tangent.dgain_tangent = pass.parameter_gradient_tangent(gain_);
    tangent.dbias_tangent = pass.parameter_gradient_tangent(bias_);
    tangent.follows = follows;
    return tangent;
  }
  // So many rows of sums, for the gradients of gain and bias.
  void give_gain_and_bias(Pass<T>& pass, const T* gains, const T* biases, size_t rows) const {
    pass.give_parameter_gradient(gain_, gains, rows);
    pass.give_parameter_gradient(bias_, biases, rows);
  }

  size_t columns_, gain_, bias_;
  T epsilon_;
};

}  // namespace gradus
