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
    this->shape.back() /= pieces_;
    units_ = this->shape.back();
    size_ = elements_of(this->shape);
  }

  void reserve(size_t batch) override { winners_.grow(product(batch, size_)); }

  void forward(Pass<T>& pass) override {
    pass.kernels->maxout_forward(pass.value(this->inputs[0]), rows(pass), units_, pieces_, pass.value(this->node),
                                 winners_.data());
  }

  uint64_t fingerprint(Pass<T>& pass) const override {
    uint64_t fingerprint = 0;
    for (size_t i = 0; i < pass.batch * size_; ++i) fingerprint = fold(fingerprint, uint64_t(winners_.data()[i]));
    return fingerprint;
  }

  void backward(Pass<T>& pass) override {
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      pass.kernels->maxout_backward(pass.gradient(this->node), winners_.data(), rows(pass), units_, pieces_, dx);
    });
  }

  void forward_tangent(Pass<T>& pass) override {
    const T* x = pass.tangent(this->inputs[0]);
    T* y = pass.tangent(this->node);
    for (size_t i = 0; i < pass.batch * size_; ++i) y[i] = x[i * pieces_ + size_t(winners_.data()[i])];
  }
  void backward_tangent(Pass<T>& pass) override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      pass.kernels->maxout_backward(pass.gradient_tangent(this->node), winners_.data(), rows(pass), units_, pieces_,
                                    dx);
    });
  }

 private:
  size_t rows(const Pass<T>& pass) const { return pass.batch * (size_ / units_); }

  size_t pieces_, units_, size_;
  Buffer<int32_t> winners_;
};

}  // namespace
GRADUS_OP(maxout, Maxout)
}  // namespace gradus
