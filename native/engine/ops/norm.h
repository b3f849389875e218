// What both norms are: a line of numbers brought to mean 0 and variance 1, then gain and bias. All dimensions but the
// last count as rows.
#pragma once
#include "../op.h"

namespace gradus {

template <class T>
class NormOp : public Op<T> {
 protected:
  explicit NormOp(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    columns_ = this->shape.back();
    rows_ = elements_of(this->shape) / columns_;
    gain_ = node.optional_parameter("gain", {columns_});
    bias_ = node.optional_parameter("bias", {columns_});
    epsilon_ = T(node.fields.number("epsilon"));
    for (const std::optional<size_t>& parameter : {gain_, bias_})
      if (parameter) this->parameters.push_back(*parameter);
  }

  size_t rows(const Pass<T>& pass) const { return pass.batch * rows_; }
  // plain: where gain or bias is missing, columns of 1 and then as many of 0.
  Norm<T> norm_of(Pass<T>& pass, T* mean, T* inverse_deviation, const T* plain = nullptr) const {
    Norm<T> norm;
    norm.rows = rows(pass), norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]);
    norm.gain = gain_ ? pass.parameter(*gain_) : plain;
    norm.bias = bias_ ? pass.parameter(*bias_) : plain + columns_;
    norm.epsilon = epsilon_;
    norm.mean = mean, norm.inverse_deviation = inverse_deviation;
    return norm;
  }
  // follows: whether mean and deviation follow the values. zeros: columns of them, where gain or bias is missing.
  NormTangent<T> tangent_of(Pass<T>& pass, const Norm<T>& norm, bool follows, const T* zeros = nullptr) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    NormTangent<T> tangent;
    tangent.norm = norm;
    tangent.norm.dy = pass.gradient(this->node);
    tangent.x_tangent = pass.tangent(this->inputs[0]);
    tangent.gain_tangent = gain_ ? pass.parameter_tangent(*gain_) : zeros;
    tangent.bias_tangent = bias_ ? pass.parameter_tangent(*bias_) : zeros;
    tangent.y_tangent = pass.tangent(this->node);
    tangent.dy_tangent = pass.gradient_tangent(this->node);
    tangent.dgain_tangent = gain_ ? pass.parameter_gradient_tangent(*gain_) : memory.reals[2].data();
    tangent.dbias_tangent = bias_ ? pass.parameter_gradient_tangent(*bias_) : memory.reals[3].data();
    tangent.follows = follows;
    return tangent;
  }
  // So many rows of sums, for the gradients of gain and bias.
  void give_gain_and_bias(Pass<T>& pass, const T* gains, const T* biases, size_t count) const {
    if (gain_) pass.give_parameter_gradient(*gain_, gains, count);
    if (bias_) pass.give_parameter_gradient(*bias_, biases, count);
  }

  size_t rows_, columns_;  // of one example
  std::optional<size_t> gain_, bias_;
  T epsilon_;
};

}  // namespace gradus
