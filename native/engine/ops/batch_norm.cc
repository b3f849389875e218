// Each element brought to mean 0 and variance 1 over the batch, then gain and bias. Outside training running averages
// take the place of the batch's statistics; they move only with an accepted update, so they wait staged until then. So
// they do for a batch of one example and where the layer is frozen, and stay as they are.
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

  // mean, variance and inverse deviation; gradients of gain and bias over the batch; two sums for each block of rows:
  // mean and squares, later those of the gradients
  void reserve(size_t batch, OpMemory<T>& memory) const override {
    memory.reals[0].grow(3 * columns_);
    memory.reals[1].grow(2 * columns_);
    for (size_t i : {2, 3}) memory.reals[i].grow(product(blocks_of(batch), columns_));
  }

  void forward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    norm.y = pass.value(this->node);
    if (follows(pass)) {
      find_statistics(pass, norm);
    } else {
      pass.device.copy(pass.parameter(running_mean_), columns_, norm.mean);
      pass.device.inverse_deviations(pass.parameter(running_variance_), columns_, epsilon_, norm.inverse_deviation);
    }
    pass.device.batch_norm_forward(norm);
  }

  void backward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    OpMemory<T>& memory = pass.of_op(this->node);
    norm.dy = pass.gradient(this->node);
    norm.dgain = memory.reals[2].data(), norm.dbias = memory.reals[3].data();
    follows(pass) ? backward_of_batch(pass, norm) : backward_of_constants(pass, norm);
    pass.give_parameter_gradient(gain_, norm.dgain, blocks_of(pass.batch));
    pass.give_parameter_gradient(bias_, norm.dbias, blocks_of(pass.batch));
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
    norm.mean = memory.reals[0].data();
    norm.inverse_deviation = norm.mean + columns_;
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

  // Those of the batch, which the running ones follow. The running variance is that of the examples to come, unbiased
  // as in Ioffe and Szegedy 2015.
  void find_statistics(Pass<T>& pass, const Norm<T>& norm) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    T *means = memory.reals[2].data(), *squares = memory.reals[3].data();
    T* variance = norm.inverse_deviation + columns_;
    pass.device.batch_norm_block_statistics(norm.x, pass.batch, columns_, columns_, means, squares);
    pass.device.batch_norm_merge(means, squares, pass.batch, columns_, columns_, epsilon_, norm.mean, variance,
                                 norm.inverse_deviation);
    const T unbiased = T(pass.batch) / T(pass.batch - 1);
    pass.device.move_average(norm.mean, columns_, momentum_, T(1), pass.staged(running_mean_));
    pass.device.move_average(variance, columns_, momentum_, unbiased, pass.staged(running_variance_));
  }

  void backward_of_batch(Pass<T>& pass, Norm<T> norm) const {
    pass.device.batch_norm_block_gradients(norm);
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      T *dgain = pass.of_op(this->node).reals[1].data(), *dbias = dgain + columns_;
      pass.device.add_blocks(norm.dgain, blocks_of(pass.batch), columns_, columns_, T(0), dgain);
      pass.device.add_blocks(norm.dbias, blocks_of(pass.batch), columns_, columns_, T(0), dbias);
      norm.dx = dx, norm.dgain = dgain, norm.dbias = dbias;
      pass.device.batch_norm_backward(norm, pass.batch);
    });
  }
  void backward_of_constants(Pass<T>& pass, Norm<T> norm) const {
    const auto run = [&](T* dx) {
      norm.dx = dx;
      pass.device.batch_norm_backward_of_constants(norm);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
  }

  size_t columns_, gain_, bias_, running_mean_, running_variance_;
  bool is_frozen_;
  T epsilon_, momentum_;
};

}  // namespace
GRADUS_OP(batch_norm, BatchNorm)
}  // namespace gradus
