// Each example brought to mean 0 and variance 1, then gain and bias.
#include "../op.h"
#include "norm_tangent.h"

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

  void reserve(size_t batch) override {
    mean_.grow(batch);
    inverse_deviation_.grow(batch);
    spare_.grow(columns_);
  }

  void forward(Pass<T>& pass) override {
    pass.row_blocks(pass.batch, columns_, [&](size_t first, size_t rows) {
      Norm<T> norm = part(pass, first, rows);
      norm.y = pass.value(this->node) + first * columns_;
      pass.kernels->layer_norm_forward(norm);
    });
  }

  void backward(Pass<T>& pass) override {
    const auto run = [&](T* dx) {
      Norm<T> norm = part(pass, 0, pass.batch);
      norm.y = pass.value(this->node);
      norm.dy = pass.gradient(this->node);
      norm.dx = dx;
      // Gradients of frozen ones go where nobody reads.
      norm.dgain = pass.parameters[gain_].trainable ? pass.added_gradient(gain_) : spare_.data();
      norm.dbias = pass.parameters[bias_].trainable ? pass.added_gradient(bias_) : spare_.data();
      pass.kernels->layer_norm_backward(norm);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
  }

  void forward_tangent(Pass<T>& pass) override {
    for (size_t row = 0; row < pass.batch; ++row)
      norm_forward_tangent(line(pass, row), pass.parameters[bias_].tangent.data(),
                           pass.tangent(this->node) + row * columns_);
  }
  void backward_tangent(Pass<T>& pass) override {
    const auto run = [&](T* dx) {
      for (size_t row = 0, at = 0; row < pass.batch; ++row, at += columns_)
        norm_backward_tangent<T>(line(pass, row),
                                 {pass.gradient(this->node) + at, pass.gradient_tangent(this->node) + at,
                                  pass.parameters[gain_].gradient_tangent.data(),
                                  pass.parameters[bias_].gradient_tangent.data(), dx ? dx + at : dx});
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient_tangent(this->inputs[0], run);
    else
      run(nullptr);
  }

 private:
  NormLine<T> line(Pass<T>& pass, size_t row) {
    NormLine<T> line;
    line.n = columns_, line.gain_step = 1;
    line.x = pass.value(this->inputs[0]) + row * columns_;
    line.x_tangent = pass.tangent(this->inputs[0]) + row * columns_;
    line.gain = pass.parameters[gain_].w, line.gain_tangent = pass.parameters[gain_].tangent.data();
    line.mean = mean_.data()[row], line.inverse_deviation = inverse_deviation_.data()[row];
    line.prepare();
    return line;
  }

  Norm<T> part(Pass<T>& pass, size_t first, size_t rows) {
    Norm<T> norm;
    norm.rows = rows, norm.columns = norm.stride = columns_;
    norm.x = pass.value(this->inputs[0]) + first * columns_;
    norm.gain = pass.parameters[gain_].w, norm.bias = pass.parameters[bias_].w;
    norm.epsilon = epsilon_;
    norm.mean = mean_.data() + first, norm.inverse_deviation = inverse_deviation_.data() + first;
    return norm;
  }

  size_t columns_, gain_, bias_;
  T epsilon_;
  Buffer<T> mean_, inverse_deviation_, spare_;
};

}  // namespace
GRADUS_OP(layer_norm, LayerNorm)
}  // namespace gradus
