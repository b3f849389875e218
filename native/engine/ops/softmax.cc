// y = softmax(x) over the last dimension; dx = y ⊙ (dy − Σ dy ⊙ y).
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Softmax final : public Op<T> {
 public:
  explicit Softmax(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.empty()) node.fields.fail("expected an input of at least one dimension");
    columns_ = this->shape.back();
    rows_ = elements_of(this->shape) / columns_;
  }

  void forward(Pass<T>& pass) override {
    const T* x = pass.value(this->inputs[0]);
    T* y = pass.value(this->node);
    pass.row_blocks(pass.batch * rows_, columns_, [&](size_t first, size_t rows) {
      pass.kernels->softmax(x + first * columns_, rows, columns_, y + first * columns_);
    });
  }

  void backward(Pass<T>& pass) override {
    const T* y = pass.value(this->node);
    const T* dy = pass.gradient(this->node);
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      pass.row_blocks(pass.batch * rows_, columns_, [&](size_t first, size_t rows) {
        for (size_t row = first; row < first + rows; ++row) backward_row(y, dy, row * columns_, dx);
      });
    });
  }

  // ẏ = y ⊙ (ẋ − Σ ẋ ⊙ y): the Jacobian is symmetric.
  void forward_tangent(Pass<T>& pass) override {
    const T* x = pass.tangent(this->inputs[0]);
    for (size_t row = 0; row < pass.batch * rows_; ++row)
      backward_row(pass.value(this->node), x, row * columns_, pass.tangent(this->node));
  }
  // Of dx, factor by factor: ẏ ⊙ (dy − Σ dy ⊙ y) + y ⊙ (dẏ − Σ (dẏ ⊙ y + dy ⊙ ẏ)).
  void backward_tangent(Pass<T>& pass) override {
    const T *y = pass.value(this->node), *y_tangent = pass.tangent(this->node);
    const T *dy = pass.gradient(this->node), *dy_tangent = pass.gradient_tangent(this->node);
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) {
      for (size_t at = 0; at < pass.batch * rows_ * columns_; at += columns_) {
        T dot = 0, dot_tangent = 0;
        for (size_t j = at; j < at + columns_; ++j) {
          dot += dy[j] * y[j];
          dot_tangent += dy_tangent[j] * y[j] + dy[j] * y_tangent[j];
        }
        for (size_t j = at; j < at + columns_; ++j)
          dx[j] = y_tangent[j] * (dy[j] - dot) + y[j] * (dy_tangent[j] - dot_tangent);
      }
    });
  }

 private:
  void backward_row(const T* y, const T* dy, size_t at, T* dx) const {
    T dot = 0;
    for (size_t j = at; j < at + columns_; ++j) dot += dy[j] * y[j];
    for (size_t j = at; j < at + columns_; ++j) dx[j] = y[j] * (dy[j] - dot);
  }

  size_t rows_, columns_;
};

}  // namespace
GRADUS_OP(softmax, Softmax)
}  // namespace gradus
