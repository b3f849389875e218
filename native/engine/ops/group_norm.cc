// The elements of each group of channels of an example brought to mean 0 and variance 1, then gain and bias by channel.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class GroupNormOp final : public Op<T> {
 public:
  explicit GroupNormOp(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    of_one_.channels = this->shape.back(), of_one_.pixels = elements_of(this->shape) / of_one_.channels;
    of_one_.groups = node.fields.count("groups");
    if (of_one_.groups == 0 || of_one_.channels % of_one_.groups != 0)
      node.fields.fail("groups: expected a divisor of " + std::to_string(of_one_.channels) + " channels, received " +
                       std::to_string(of_one_.groups));
    of_one_.epsilon = T(node.fields.number("epsilon"));
    gain_ = node.parameter("gain", {of_one_.channels}), bias_ = node.parameter("bias", {of_one_.channels});
    this->parameters = {gain_, bias_};
  }

  std::vector<const char*> rare_kernels() const override {
    return {"group_norm_forward", "group_norm_backward", "group_norm_forward_tangent", "group_norm_backward_tangent"};
  }

  // mean and inverse deviation; what backward works in; gradients of gain and bias by example
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    for (size_t i : {0, 1}) memory.reals[i].grow(product(2 * batch, of_one_.groups), from);
    for (size_t i : {2, 3}) memory.reals[i].grow(product(batch, of_one_.channels), from);
  }

  void forward(Pass<T>& pass) const override { pass.device.group_norm_forward(norm_of(pass)); }
  void backward(Pass<T>& pass) const override {
    GroupNorm<T> norm = norm_of(pass);
    const auto run = [&](T* dx) {
      norm.dx = dx;
      pass.device.group_norm_backward(norm);
    };
    pass.give_gradient_or_none(this->inputs[0], run);
    pass.give_parameter_gradient(gain_, norm.dgain, pass.batch);
    pass.give_parameter_gradient(bias_, norm.dbias, pass.batch);
  }

  void forward_tangent(Pass<T>& pass) const override { pass.device.group_norm_forward_tangent(tangent_of(pass)); }
  void backward_tangent(Pass<T>& pass) const override {
    const auto run = [&](T* dx) {
      GroupNormTangent<T> tangent = tangent_of(pass);
      tangent.dx_tangent = dx;
      pass.device.group_norm_backward_tangent(tangent);
    };
    pass.give_gradient_tangent_or_none(this->inputs[0], run);
  }

 private:
  GroupNorm<T> norm_of(Pass<T>& pass) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    GroupNorm<T> norm = of_one_;
    norm.batch = pass.batch, norm.lines = pass.batch * norm.groups;
    const size_t groups = pass.batch * norm.groups;
    norm.x = pass.value(this->inputs[0]), norm.y = pass.value(this->node), norm.dy = pass.gradient(this->node);
    norm.gain = pass.parameter(gain_), norm.bias = pass.parameter(bias_);
    norm.mean = memory.reals[0].data(), norm.inverse_deviation = norm.mean + groups;
    norm.mean_dy = memory.reals[1].data(), norm.along = norm.mean_dy + groups;
    norm.dgain = memory.reals[2].data(), norm.dbias = memory.reals[3].data();
    return norm;
  }
  GroupNormTangent<T> tangent_of(Pass<T>& pass) const {
    GroupNormTangent<T> tangent;
    tangent.norm = norm_of(pass);
    tangent.x_tangent = pass.tangent(this->inputs[0]), tangent.dy_tangent = pass.gradient_tangent(this->node);
    tangent.gain_tangent = pass.parameter_tangent(gain_), tangent.bias_tangent = pass.parameter_tangent(bias_);
    tangent.y_tangent = pass.tangent(this->node);
    tangent.dgain_tangent = pass.parameter_gradient_tangent(gain_);
    tangent.dbias_tangent = pass.parameter_gradient_tangent(bias_);
    return tangent;
  }

  GroupNorm<T> of_one_;
  size_t gain_, bias_;
};

}  // namespace
GRADUS_OP(group_norm, GroupNormOp)
}  // namespace gradus
