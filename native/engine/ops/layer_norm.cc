// Each line of the last dimension brought to mean 0 and variance 1, then gain and bias.
#include "norm.h"

namespace gradus {
namespace {

template <class T>
class LayerNorm final : public NormOp<T> {
 public:
  explicit LayerNorm(const NodeReader& node) : NormOp<T>(node) {
    if (!gain_ || !bias_) node.fields.fail("expected a gain and a bias");
  }

  // mean, inverse deviation, sums of blocks of rows for the gradients of gain and bias
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    const size_t all_rows = product(batch, rows_);
    for (size_t i : {0, 1}) memory.reals[i].grow(all_rows, from);
    for (size_t i : {2, 3}) memory.reals[i].grow(product(blocks_of(all_rows), columns_), from);
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
    pass.give_gradient_or_none(this->inputs[0], run);
    this->give_gain_and_bias(pass, norm.dgain, norm.dbias, blocks_of(this->rows(pass)));
  }

  void forward_tangent(Pass<T>& pass) const override { pass.device.layer_norm_forward_tangent(tangent_of(pass)); }
  void backward_tangent(Pass<T>& pass) const override {
    const auto run = [&](T* dx) {
      NormTangent<T> tangent = tangent_of(pass);
      tangent.dx_tangent = dx;
      pass.device.layer_norm_backward_tangent(tangent);
    };
    pass.give_gradient_tangent_or_none(this->inputs[0], run);
  }

 private:
  Norm<T> of(Pass<T>& pass) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    return this->norm_of(pass, memory.reals[0].data(), memory.reals[1].data());
  }
  NormTangent<T> tangent_of(Pass<T>& pass) const { return NormOp<T>::tangent_of(pass, of(pass), true); }

  using NormOp<T>::rows_, NormOp<T>::columns_, NormOp<T>::gain_, NormOp<T>::bias_;
};

}  // namespace
GRADUS_OP(layer_norm, LayerNorm)
}  // namespace gradus
