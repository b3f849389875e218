// What ops with weights and a bias have in common. They apply the activation above them, and f' of the one below.
#pragma once
#include "../op.h"

namespace gradus {

template <class T>
class WeightedOp : public Op<T> {
 public:
  bool fuse_above(ActivationChoice activation) override {
    if (activation.slope_follows_from_value) above_ = activation;
    return activation.slope_follows_from_value;
  }
  bool fuse_below(ActivationChoice activation) override {
    if (activation.slope_follows_from_value) below_ = activation;
    return activation.slope_follows_from_value;
  }

 protected:
  explicit WeightedOp(const NodeReader& node) : Op<T>(node) {}

  // Once the weight is known: a bias of so many outputs, if there is one.
  void read_bias(const NodeReader& node, size_t outputs) {
    outputs_ = outputs;
    bias_ = node.optional_parameter("bias", {outputs});
    this->parameters = {weight_};
    if (bias_) this->parameters.push_back(*bias_);
  }
  // Sums of blocks of rows, of the bias's gradient.
  void reserve_sums(size_t rows, Memory& from, Buffer<T>& sums) const {
    if (bias_) sums.grow(product(blocks_of(rows), outputs_), from);
  }

  // What comes after the sums: of a product or a convolution.
  template <class Task>
  void finish(Pass<T>& pass, Task& task) const {
    task.bias = bias_ ? pass.parameter(*bias_) : nullptr;
    task.activation = above_.kind, task.activation_parameter = T(above_.parameter);
  }
  template <class Task>
  void finish_tangent(Pass<T>& pass, Task& task) const {
    task.bias = bias_ ? pass.parameter_tangent(*bias_) : nullptr;
  }
  // Of dX: adds to what lies there, and multiplies by the slope of the activation below.
  template <class Task>
  void finish_gradient(Pass<T>& pass, Task& task) const {
    const size_t input = this->inputs[0];
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    if (!below_) return;
    task.gate = pass.value(input);
    task.gate_kind = below_->kind, task.gate_parameter = T(below_->parameter);
  }

  // bias' gradient = beta · itself + the sum over the rows of dy
  void give_bias(Pass<T>& pass, const T* dy, size_t rows, Buffer<T>& sums) const {
    if (!bias_ || !pass.is_trainable(*bias_)) return;
    const T beta = pass.mark_parameter(*bias_) ? 1 : 0;
    sum_rows(pass, dy, rows, sums, beta, pass.parameter_gradient(*bias_));
  }
  void give_bias_tangent(Pass<T>& pass, const T* dy_tangent, size_t rows, Buffer<T>& sums) const {
    if (bias_) sum_rows(pass, dy_tangent, rows, sums, 1, pass.parameter_gradient_tangent(*bias_));
  }

  size_t weight_ = 0, outputs_ = 0;
  std::optional<size_t> bias_;

 private:
  void sum_rows(Pass<T>& pass, const T* dy, size_t rows, Buffer<T>& sums, T beta, T* to) const {
    if (rows <= block_rows) return pass.device.column_sums(dy, rows, outputs_, outputs_, beta, to);
    pass.device.block_sums(dy, rows, outputs_, outputs_, sums.data());
    pass.device.add_blocks(sums.data(), blocks_of(rows), outputs_, outputs_, beta, to);
  }

  ActivationChoice above_;
  std::optional<ActivationChoice> below_;
};

}  // namespace gradus
