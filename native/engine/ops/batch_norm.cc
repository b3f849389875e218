// Each element brought to mean 0 and variance 1 over the batch, then gain and bias. Outside training running averages
// take the place of the batch's statistics; they move only with an accepted update, so they wait staged until then.
#include "../op.h"
#include "norm_tangent.h"

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
      if ((*node.parameters)[running].trainable) node.fields.fail("mean and variance cannot be trainable");
    epsilon_ = T(node.fields.number("epsilon"));
    momentum_ = T(node.fields.number_within("momentum", 0.9, 0, 1));
    this->parameters = {gain_, bias_};
    for (Buffer<T>* buffer : {&mean_, &variance_, &inverse_deviation_, &spare_}) buffer->grow(columns_);
  }

  void forward(Pass<T>& pass) override {
    if (!pass.training) take_running(pass);
    in_parts(pass, [&](Norm<T> norm, size_t) {
      if (pass.training) pass.kernels->batch_norm_statistics(norm);
      pass.kernels->batch_norm_forward(norm);
    });
    if (pass.training) stage(pass);
  }

  void backward(Pass<T>& pass) override {
    T* dgain = pass.parameters[gain_].trainable ? pass.added_gradient(gain_) : spare_.data();
    T* dbias = pass.parameters[bias_].trainable ? pass.added_gradient(bias_) : spare_.data();
    const auto run = [&](T* dx) {
      in_parts(pass, [&](Norm<T> norm, size_t first) {
        norm.dy = pass.gradient(this->node) + first;
        norm.dx = dx ? dx + first : nullptr;
        norm.dgain = dgain + first, norm.dbias = dbias + first;
        pass.training ? pass.kernels->batch_norm_backward(norm) : backward_of_constants(norm);
      });
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
  }

  void forward_tangent(Pass<T>& pass) override {
    for (size_t j = 0; j < columns_; ++j)
      norm_forward_tangent(line(pass, j), pass.parameters[bias_].tangent.data() + j, pass.tangent(this->node) + j);
  }
  void backward_tangent(Pass<T>& pass) override {
    const auto run = [&](T* dx) {
      for (size_t j = 0; j < columns_; ++j)
        norm_backward_tangent<T>(line(pass, j), {pass.gradient(this->node) + j, pass.gradient_tangent(this->node) + j,
                                                 pass.parameters[gain_].gradient_tangent.data() + j,
                                                 pass.parameters[bias_].gradient_tangent.data() + j, dx ? dx + j : dx});
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient_tangent(this->inputs[0], run);
    else
      run(nullptr);
  }

 private:
  NormLine<T> line(Pass<T>& pass, size_t column) {
    NormLine<T> line;
    line.n = pass.batch, line.step = columns_;
    line.x = pass.value(this->inputs[0]) + column;
    line.x_tangent = pass.tangent(this->inputs[0]) + column;
    line.gain = pass.parameters[gain_].w + column;
    line.gain_tangent = pass.parameters[gain_].tangent.data() + column;
    line.mean = mean_.data()[column], line.inverse_deviation = inverse_deviation_.data()[column];
    line.follows = pass.training;
    line.prepare();
    return line;
  }

  template <class Body>
  void in_parts(Pass<T>& pass, const Body& body) {
    pass.column_blocks(columns_, pass.batch, [&](size_t first, size_t columns) {
      Norm<T> norm;
      norm.rows = pass.batch, norm.columns = columns, norm.stride = columns_;
      norm.x = pass.value(this->inputs[0]) + first, norm.y = pass.value(this->node) + first;
      norm.gain = pass.parameters[gain_].w + first, norm.bias = pass.parameters[bias_].w + first;
      norm.epsilon = epsilon_;
      norm.mean = mean_.data() + first, norm.variance = variance_.data() + first;
      norm.inverse_deviation = inverse_deviation_.data() + first;
      body(norm, first);
    });
  }

  void take_running(Pass<T>& pass) {
    const T* variance = pass.parameters[running_variance_].w;
    std::copy_n(pass.parameters[running_mean_].w, columns_, mean_.data());
    for (size_t j = 0; j < columns_; ++j) inverse_deviation_.data()[j] = 1 / std::sqrt(variance[j] + epsilon_);
  }

  void stage(Pass<T>& pass) {
    T* mean = pass.staged(running_mean_);
    T* variance = pass.staged(running_variance_);
    for (size_t j = 0; j < columns_; ++j) {
      mean[j] = momentum_ * mean[j] + (1 - momentum_) * mean_.data()[j];
      variance[j] = momentum_ * variance[j] + (1 - momentum_) * variance_.data()[j];
    }
  }

  // With mean and deviation that do not depend on x.
  static void backward_of_constants(const Norm<T>& norm) {
    for (size_t i = 0; i < norm.rows; ++i)
      for (size_t j = 0; j < norm.columns; ++j) {
        const size_t at = i * norm.stride + j;
        norm.dgain[j] += norm.dy[at] * ((norm.x[at] - norm.mean[j]) * norm.inverse_deviation[j]);
        norm.dbias[j] += norm.dy[at];
        if (norm.dx) norm.dx[at] = norm.dy[at] * norm.gain[j] * norm.inverse_deviation[j];
      }
  }

  size_t columns_, gain_, bias_, running_mean_, running_variance_;
  T epsilon_, momentum_;
  Buffer<T> mean_, variance_, inverse_deviation_, spare_;
};

}  // namespace
GRADUS_OP(batch_norm, BatchNorm)
}  // namespace gradus
