// Y = X · W + b on the last dimension; every dimension before it counts as rows.
#include "weighted.h"

namespace gradus {
namespace {

template <class T>
class Dense final : public WeightedOp<T> {
 public:
  explicit Dense(const NodeReader& node) : WeightedOp<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    in_ = this->shape.back();
    this->shape.pop_back();
    rows_ = elements_of(this->shape);
    weight_ = node.parameter("weight", {in_, 0});
    out_ = node.parameters[weight_].shape[1];
    this->read_bias(node, out_);
    this->shape.push_back(out_);
  }

  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    this->reserve_sums(product(batch, rows_), from, memory.reals[0]);
  }

  void forward(Pass<T>& pass) const override {
    Matmul<T> task = forward_task(pass, pass.value(this->inputs[0]), pass.parameter(weight_), pass.value(this->node));
    this->finish(pass, task);
    pass.device.matmul(task);
  }

  void backward(Pass<T>& pass) const override {
    const T* dy = pass.gradient(this->node);
    Branches branches(pass.workspace.memory);
    branches.next();
    if (pass.is_trainable(weight_)) pass.weight_gradient(weight_, weight_task(pass, pass.value(this->inputs[0]), dy));
    branches.next();
    this->give_bias(pass, dy, rows(pass), sums(pass));
    const size_t input = this->inputs[0];
    if (!pass.wanted(input)) return;
    branches.next();
    Matmul<T> task = input_task(pass, dy, pass.parameter(weight_), pass.gradient(input));
    task.gate_row = in_;
    this->finish_gradient(pass, task);
    pass.device.matmul(task);
  }

  // Ẏ = Ẋ · W + X · V + v, where V and v are the tangents of weight and bias.
  void forward_tangent(Pass<T>& pass) const override {
    T* const to = pass.tangent(this->node);
    Matmul<T> task = forward_task(pass, pass.value(this->inputs[0]), pass.parameter_tangent(weight_), to);
    this->finish_tangent(pass, task);
    pass.device.matmul(task);
    if (!pass.wanted(this->inputs[0])) return;
    task = forward_task(pass, pass.tangent(this->inputs[0]), pass.parameter(weight_), to);
    task.beta = 1;
    pass.device.matmul(task);
  }

  // Of dW: Xᵀ · dẎ + Ẋᵀ · dY; of dX: dẎ · Wᵀ + dY · Vᵀ.
  void backward_tangent(Pass<T>& pass) const override {
    const size_t input = this->inputs[0];
    const T *dy = pass.gradient(this->node), *dy_tangent = pass.gradient_tangent(this->node);
    const auto add_to_weight = [&](const T* x, const T* of_y) {
      Matmul<T> task = weight_task(pass, x, of_y);
      task.c = pass.parameter_gradient_tangent(weight_), task.beta = 1;
      pass.device.matmul(task);
    };
    add_to_weight(pass.value(input), dy_tangent);
    this->give_bias_tangent(pass, dy_tangent, rows(pass), sums(pass));
    if (!pass.wanted(input)) return;
    add_to_weight(pass.tangent(input), dy);
    T* const to = pass.gradient_tangent(input);
    Matmul<T> task = input_task(pass, dy_tangent, pass.parameter(weight_), to);
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    pass.device.matmul(task);
    task = input_task(pass, dy, pass.parameter_tangent(weight_), to);
    task.beta = 1;
    pass.device.matmul(task);
  }

 private:
  size_t rows(const Pass<T>& pass) const { return pass.batch * rows_; }
  Buffer<T>& sums(Pass<T>& pass) const { return pass.of_op(this->node).reals[0]; }

  // X · W
  Matmul<T> forward_task(const Pass<T>& pass, const T* x, const T* weight, T* to) const {
    Matmul<T> task;
    task.m = rows(pass), task.n = out_, task.k = in_;
    task.a = x, task.a_row = in_;
    task.b = weight, task.b_row = out_;
    task.c = to, task.c_row = out_;
    return task;
  }
  // Xᵀ · dY
  Matmul<T> weight_task(const Pass<T>& pass, const T* x, const T* dy) const {
    Matmul<T> task;
    task.m = in_, task.n = out_, task.k = rows(pass);
    task.a = x, task.a_row = 1, task.a_column = in_;
    task.b = dy, task.b_row = out_;
    task.c_row = out_;
    return task;
  }
  // dY · Wᵀ
  Matmul<T> input_task(const Pass<T>& pass, const T* dy, const T* weight, T* to) const {
    Matmul<T> task;
    task.m = rows(pass), task.n = in_, task.k = out_;
    task.a = dy, task.a_row = out_;
    task.b = weight, task.b_row = 1, task.b_column = out_;
    task.c = to, task.c_row = in_;
    return task;
  }

  using WeightedOp<T>::weight_;
  size_t rows_, in_, out_;
};

}  // namespace
GRADUS_OP(dense, Dense)
}  // namespace gradus
