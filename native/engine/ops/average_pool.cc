// The average of each window: a linear map.
#include "pooling.h"

namespace gradus {
namespace {

template <class T>
class AveragePool final : public PoolingOp<T> {
 public:
  explicit AveragePool(const NodeReader& node) : PoolingOp<T>(node) {
    this->of_one_.counts_padding = node.fields.flag("countPadding");
  }

  std::vector<const char*> rare_kernels() const override { return {"average_pool_forward", "average_pool_backward"}; }

  void forward(Pass<T>& pass) const override { average(pass, pass.value(this->inputs[0]), pass.value(this->node)); }
  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { spread(pass, pass.gradient(this->node), dx); });
  }
  void forward_tangent(Pass<T>& pass) const override {
    average(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { spread(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  void average(Pass<T>& pass, const T* x, T* y) const {
    pass.device.average_pool_forward(this->forward_task(pass, x, y));
  }
  void spread(Pass<T>& pass, const T* dy, T* dx) const {
    pass.device.average_pool_backward(this->backward_task(pass, dy, dx));
  }
};

}  // namespace
GRADUS_OP(average_pool, AveragePool)
}  // namespace gradus
