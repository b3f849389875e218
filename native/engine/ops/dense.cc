// Y = X · W + b on the last dimension; every dimension before it counts as rows.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Dense final : public Op<T> {
 public:
  explicit Dense(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    in_ = this->shape.back();
    this->shape.pop_back();
    rows_ = elements_of(this->shape);
    weight_ = node.parameter("weight", {in_, 0});
    out_ = node.parameters[weight_].shape[1];
    bias_ = node.optional_parameter("bias", {out_});
    this->shape.push_back(out_);
    this->parameters = {weight_};
    if (bias_) this->parameters.push_back(*bias_);
  }

  bool fuse_above(ActivationChoice activation) override {
    above_ = activation;
    return true;
  }
  bool fuse_below(ActivationChoice activation) override {
    below_ = activation;
    return true;
  }

  // sums of blocks of rows, of the bias's gradient
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    if (bias_) memory.reals[0].grow(product(blocks_of(product(batch, rows_)), out_), from);
  }

  void forward(Pass<T>& pass) const override {
    Matmul<T> task;
    task.m = pass.batch * rows_, task.n = out_, task.k = in_;
    task.a = pass.value(this->inputs[0]), task.a_row = in_;
    task.b = pass.parameter(weight_), task.b_row = out_;
    task.c = pass.value(this->node), task.c_row = out_;
    task.bias = bias_ ? pass.parameter(*bias_) : nullptr;
    task.activation = above_.kind, task.activation_parameter = T(above_.parameter);
    pass.device.matmul(task);
  }

  void backward(Pass<T>& pass) const override {
    const size_t rows = pass.batch * rows_;
    const T* dy = pass.gradient(this->node);
    if (pass.is_trainable(weight_)) {  // dW = Xᵀ · dY
      Matmul<T> task;
      task.m = in_, task.n = out_, task.k = rows;
      task.a = pass.value(this->inputs[0]), task.a_row = 1, task.a_column = in_;
      task.b = dy, task.b_row = out_;
      task.c_row = out_;
      pass.weight_gradient(weight_, task);
    }
    if (bias_ && pass.is_trainable(*bias_)) {
      const T beta = pass.mark_parameter(*bias_) ? 1 : 0;
      sum_rows(pass, dy, beta, pass.parameter_gradient(*bias_));
    }
    const size_t input = this->inputs[0];
    if (!pass.wanted(input)) return;
    Matmul<T> task;  // dX = dY · Wᵀ
    task.m = rows, task.n = in_, task.k = out_;
    task.a = dy, task.a_row = out_;
    task.b = pass.parameter(weight_), task.b_row = 1, task.b_column = out_;
    task.c = pass.gradient(input), task.c_row = in_;
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    if (below_) {
      task.gate = pass.value(input), task.gate_row = in_;
      task.gate_kind = below_->kind, task.gate_parameter = T(below_->parameter);
    }
    pass.device.matmul(task);
  }

  // Ẏ = Ẋ · W + X · V + v, where V and v are the tangents of weight and bias.
  void forward_tangent(Pass<T>& pass) const override {
    Matmul<T> task;
    task.m = pass.batch * rows_, task.n = out_, task.k = in_;
    task.a = pass.value(this->inputs[0]), task.a_row = in_;
    task.b = pass.parameter_tangent(weight_), task.b_row = out_;
    task.c = pass.tangent(this->node), task.c_row = out_;
    task.bias = bias_ ? pass.parameter_tangent(*bias_) : nullptr;
    pass.device.matmul(task);
    if (!pass.wanted(this->inputs[0])) return;
    task.a = pass.tangent(this->inputs[0]);
    task.b = pass.parameter(weight_);
    task.bias = nullptr;
    task.beta = 1;
    pass.device.matmul(task);
  }

  void backward_tangent(Pass<T>& pass) const override {
    const size_t rows = pass.batch * rows_;
    const T *dy = pass.gradient(this->node), *dy_tangent = pass.gradient_tangent(this->node);
    Matmul<T> task;  // of dW: Xᵀ · dẎ + Ẋᵀ · dY
    task.m = in_, task.n = out_, task.k = rows;
    task.a = pass.value(this->inputs[0]), task.a_row = 1, task.a_column = in_;
    task.b = dy_tangent, task.b_row = out_;
    task.c = pass.parameter_gradient_tangent(weight_), task.c_row = out_;
    task.beta = 1;
    pass.device.matmul(task);
    if (bias_) sum_rows(pass, dy_tangent, 1, pass.parameter_gradient_tangent(*bias_));
    const size_t input = this->inputs[0];
    if (!pass.wanted(input)) return;
    task.a = pass.tangent(input);
    task.b = dy;
    pass.device.matmul(task);
    task = {};  // of dX: dẎ · Wᵀ + dY · Vᵀ
    task.m = rows, task.n = in_, task.k = out_;
    task.a = dy_tangent, task.a_row = out_;
    task.b = pass.parameter(weight_), task.b_row = 1, task.b_column = out_;
    task.c = pass.gradient_tangent(input), task.c_row = in_;
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    pass.device.matmul(task);
    task.a = dy;
    task.b = pass.parameter_tangent(weight_);
    task.beta = 1;
    pass.device.matmul(task);
  }

 private:
  // sums = beta · sums + the sum over the rows of dy
  void sum_rows(Pass<T>& pass, const T* dy, T beta, T* sums) const {
    const size_t rows = pass.batch * rows_;
    if (rows <= block_rows) return pass.device.column_sums(dy, rows, out_, out_, beta, sums);
    T* of_blocks = pass.of_op(this->node).reals[0].data();
    pass.device.block_sums(dy, rows, out_, out_, of_blocks);
    pass.device.add_blocks(of_blocks, blocks_of(rows), out_, out_, beta, sums);
  }

  size_t rows_, in_, out_, weight_;
  std::optional<size_t> bias_;
  ActivationChoice above_;
  std::optional<ActivationChoice> below_;
};

}  // namespace
GRADUS_OP(dense, Dense)
}  // namespace gradus
