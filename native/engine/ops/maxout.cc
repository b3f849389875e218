// The largest of each `pieces` neighbours of the last dimension.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Maxout final : public Op<T> {
 public:
  explicit Maxout(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    pieces_ = node.fields.count("pieces");
    if (this->shape.empty() || pieces_ == 0 || this->shape.back() % pieces_)
      node.fields.fail("pieces: " + std::to_string(pieces_) + " does not divide the last dimension of " +
                       to_string(this->shape));
    if (pieces_ > INT32_MAX) node.fields.fail("pieces: expected fewer than 2^31");
    this->shape.back() /= pieces_;
    units_ = this->shape.back();
    size_ = elements_of(this->shape);
  }

  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    memory.choices.grow(product(batch, size_), from);
  }

  void forward(Pass<T>& pass) const override {
    pass.device.maxout_forward(pass.value(this->inputs[0]), rows(pass), units_, pieces_, pass.value(this->node),
                               winners(pass));
  }

  uint64_t fingerprint(Pass<T>& pass) const override {
    uint64_t fingerprint = 0;
    pass.device.fold_winners(winners(pass), pass.batch * size_, fingerprint);
    return fingerprint;
  }

  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      pass.device.maxout_backward(pass.gradient(this->node), winners(pass), rows(pass), units_, pieces_, dx);
    });
  }

  void forward_tangent(Pass<T>& pass) const override {
    pass.device.maxout_gather(pass.tangent(this->inputs[0]), winners(pass), rows(pass), units_, pieces_,
                              pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      pass.device.maxout_backward(pass.gradient_tangent(this->node), winners(pass), rows(pass), units_, pieces_, dx);
    });
  }

 private:
  int32_t* winners(Pass<T>& pass) const { return pass.of_op(this->node).choices.data(); }
  size_t rows(const Pass<T>& pass) const { return pass.batch * (size_ / units_); }

  size_t pieces_, units_, size_;
};

}  // namespace
GRADUS_OP(maxout, Maxout)
}  // namespace gradus
