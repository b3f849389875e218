// The largest of each window. Which it was is kept for the way back, as a byte. On that way it multiplies by f' of the
// activation below, which follows from the largest itself.
#include "pooling.h"

namespace gradus {
namespace {

template <class T>
class MaxPool final : public PoolingOp<T> {
 public:
  explicit MaxPool(const NodeReader& node) : PoolingOp<T>(node) {
    const size_t window = product(of_one_.height.kernel, of_one_.width.kernel);
    if (window > largest_pool_window)
      node.fields.fail("kernel: expected windows of up to " + std::to_string(largest_pool_window) +
                       " pixels, received " + std::to_string(window));
  }

  std::vector<const char*> rare_kernels() const override {
    return {"max_pool_forward", "max_pool_backward", "max_pool_gather", "fold_bytes"};
  }

  bool fuse_below(ActivationChoice activation) override {
    if (activation.slope_follows_from_value) below_ = activation;
    return activation.slope_follows_from_value;
  }

  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    memory.winners.grow(product(batch, elements_of(this->shape)), from);
  }

  void forward(Pass<T>& pass) const override {
    pass.device.max_pool_forward(
        with_winners(pass, this->forward_task(pass, pass.value(this->inputs[0]), pass.value(this->node))));
  }

  uint64_t fingerprint(Pass<T>& pass) const override {
    uint64_t fingerprint = 0;
    const OpMemory<T>& memory = pass.of_op(this->node);
    pass.device.fold_bytes(memory.winners.data(), pass.batch * elements_of(this->shape), fingerprint);
    return fingerprint;
  }

  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { spread(pass, pass.gradient(this->node), dx); });
  }
  // The choices stay.
  void forward_tangent(Pass<T>& pass) const override {
    pass.device.max_pool_gather(
        with_winners(pass, this->forward_task(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node))));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { spread(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  void spread(Pass<T>& pass, const T* dy, T* dx) const {
    Pooling<T> task = with_winners(pass, this->backward_task(pass, dy, dx));
    if (below_) {
      task.gate = pass.value(this->node);
      task.gate_kind = below_->kind, task.gate_parameter = T(below_->parameter);
    }
    pass.device.max_pool_backward(task);
  }
  Pooling<T> with_winners(Pass<T>& pass, Pooling<T> task) const {
    task.winners = pass.of_op(this->node).winners.data();
    return task;
  }

  using PoolingOp<T>::of_one_;
  std::optional<ActivationChoice> below_;
};

}  // namespace
GRADUS_OP(max_pool, MaxPool)
}  // namespace gradus
