// The same elements under another shape: no work, no copy.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Reshape final : public Op<T> {
 public:
  explicit Reshape(const NodeReader& node) : Op<T>(node) {
    this->shape = node.fields.shape("shape");
    if (elements_of(this->shape) != elements_of(node.only_input()))
      node.fields.fail("shape: " + to_string(this->shape) + " does not hold the elements of " +
                       to_string(node.only_input()));
  }
  bool is_alias() const override { return true; }
  void forward(Pass<T>&) const override {}
  void backward(Pass<T>&) const override {}
  void forward_tangent(Pass<T>&) const override {}
  void backward_tangent(Pass<T>&) const override {}
};

}  // namespace
GRADUS_OP(reshape, Reshape)
}  // namespace gradus
