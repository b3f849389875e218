// Each element brought to mean 0 and variance 1 over the batch, then gain and bias. Outside training running averages
// take the place of the batch's statistics; they move only with an accepted update, so they wait staged until then. So they
// do for a batch of one example and where the layer is frozen, and stay as they are.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class BatchNorm final : public Op<T> {
 public:
  explicit BatchNorm(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.size() != 1) node.fields.fail("expected an input of one dimension");
    columns_ = this->shape[0];
    gain_ = node.parameter("gain", this->shape);
    bias_ = node.parameter("bias", this->shape);
    running_mean_ = node.parameter("mean", this->shape);
    running_variance_ = node.parameter("variance", this->shape);
    for (size_t running : {running_mean_, running_variance_})
      if (node.parameters[running].trainable) node.fields.fail("mean and variance cannot be trainable");
    is_frozen_ = !node.parameters[gain_].trainable && !node.parameters[bias_].trainable;
    epsilon_ = T(node.fields.number("epsilon"));
    momentum_ = T(node.fields.number_within("momentum", 0.9, 0, 1));
    this->parameters = {gain_, bias_};
  }

  bool needs_several_examples() const override { return !is_frozen_; }

  // mean, variance, inverse deviation, gradients of frozen gains and biases
  void reserve(size_t, OpMemory<T>& memory) const override {
    for (Buffer<T>& buffer : memory.reals) buffer.grow(columns_);
  }

  void forward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    norm.y = pass.value(this->node);
    if (follows(pass)) {
      pass.device.batch_norm_statistics(norm);
      stage(pass, norm);
    } else {
      pass.device.copy(pass.parameter(running_mean_), columns_, norm.mean);
      pass.device.inverse_deviations(pass.parameter(running_variance_), columns_, epsilon_, norm.inverse_deviation);
    }
    pass.device.batch_norm_forward(norm);
  }

  void backward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    T* spare = pass.of_op(this->node).reals[3].data();
    norm.dy = pass.gradient(this->node);
    norm.dgain = pass.is_trainable(gain_) ? pass.added_gradient(gain_) : spare;
    norm.dbias = pass.is_trainable(bias_) ? pass.added_gradient(bias_) : spare;
    const auto run = [&](T* dx) {
      norm.dx = dx;
      if (follows(pass))
        pass.device.batch_norm_backward(norm);
      else
        pass.device.batch_norm_backward_of_constants(norm);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
  }

  void forward_tangent(Pass<T>& pass) const override { pass.device.batch_norm_forward_tangent(tangent_of(pass)); }
  void backward_tangent(Pass<T>& pass) const override {
    const auto run = [&](T* dx) {
      NormTangent<T> tangent = tangent_of(pass);
      tangent.dx_tangent = dx;
      pass.device.batch_norm_backward_tangent(tangent);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient_tangent(this->inputs[0], run);
    else
      run(nullptr);
  }

 private:
  // Whether mean and deviation are those of the batch.
  bool follows(const Pass<T>& pass) const { return pass.training && !is_frozen_ && pass.batch > 1; }

  Norm<T> of(Pass<T>& pass) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    Norm<T> norm;
    norm.rows = pass.batch, norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]);
    norm.gain = pass.parameter(gain_), norm.bias = pass.parameter(bias_);
    norm.epsilon = epsilon_;
    norm.mean = memory.reals[0].data(), norm.variance = memory.reals[1].data();
    norm.inverse_deviation = memory.reals[2].data();
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
    tangent.follows = follows(pass);
    return tangent;
  }

  // The running variance is that of the examples to come, unbiased as in Ioffe and Szegedy 2015.
  void stage(Pass<T>& pass, const Norm<T>& norm) const {
    const T unbiased = T(pass.batch) / T(pass.batch - 1);
    pass.device.move_average(norm.mean, columns_, momentum_, T(1), pass.staged(running_mean_));
    pass.device.move_average(norm.variance, columns_, momentum_, unbiased, pass.staged(running_variance_));
  }

  size_t columns_, gain_, bias_, running_mean_, running_variance_;
  bool is_frozen_;
  T epsilon_, momentum_;
};

}  // namespace
GRADUS_OP(batch_norm, BatchNorm)
}  // namespace gradus
