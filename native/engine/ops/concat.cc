// Inputs side by side along the last dimension.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Concat final : public Op<T> {
 public:
  explicit Concat(const NodeReader& node) : Op<T>(node) {
    if (node.inputs.size() < 2 || node.input_shapes[0].empty())
      node.fields.fail("inputs: expected two or more, of at least one dimension");
    Shape leading = node.input_shapes[0];
    leading.pop_back();
    rows_ = elements_of(leading);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      Shape rest = node.input_shapes[i];
      const size_t width = rest.empty() ? 0 : rest.back();
      if (!rest.empty()) rest.pop_back();
      if (rest != leading || width == 0 || node.input_is_index[i])
        node.fields.fail("inputs: " + to_string(node.input_shapes[i]) + " does not fit beside " +
                         to_string(node.input_shapes[0]));
      widths_.push_back(width);
      width_ += width;
    }
    this->shape = leading;
    this->shape.push_back(width_);
  }

  void forward(Pass<T>& pass) const override {
    T* y = pass.value(this->node);
    for (size_t i = 0; i < widths_.size(); y += widths_[i++])
      copy_columns(pass, pass.value(this->inputs[i]), widths_[i], widths_[i], y, width_);
  }

  void backward(Pass<T>& pass) const override {
    const T* dy = pass.gradient(this->node);
    for (size_t i = 0; i < widths_.size(); dy += widths_[i++])
      pass.give_gradient(this->inputs[i], [&](T* dx) { copy_columns(pass, dy, width_, widths_[i], dx, widths_[i]); });
  }

  void forward_tangent(Pass<T>& pass) const override {
    T* y = pass.tangent(this->node);
    for (size_t i = 0; i < widths_.size(); y += widths_[i++])
      copy_columns(pass, pass.tangent(this->inputs[i]), widths_[i], widths_[i], y, width_);
  }
  void backward_tangent(Pass<T>& pass) const override {
    const T* dy = pass.gradient_tangent(this->node);
    for (size_t i = 0; i < widths_.size(); dy += widths_[i++])
      pass.give_gradient_tangent(this->inputs[i],
                                 [&](T* dx) { copy_columns(pass, dy, width_, widths_[i], dx, widths_[i]); });
  }

 private:
  void copy_columns(Pass<T>& pass, const T* from, size_t from_row, size_t columns, T* to, size_t to_row) const {
    pass.device.copy_columns(from, pass.batch * rows_, columns, from_row, to_row, to);
  }

  size_t rows_, width_ = 0;
  std::vector<size_t> widths_;
};

}  // namespace
GRADUS_OP(concat, Concat)
}  // namespace gradus
