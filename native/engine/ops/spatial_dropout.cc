// Dropout of whole channels: each channel of an example is zero with probability `rate`, or divided by 1 − rate, in all
// of its pixels. Which it is is drawn as by dropout on (examples, channels).
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class SpatialDropout final : public Op<T> {
 public:
  explicit SpatialDropout(const NodeReader& node) : Op<T>(node) {
    this->shape = node.only_input();
    if (this->shape.size() < 2) node.fields.fail("expected an input of at least two dimensions");
    channels_ = this->shape.back();
    pixels_ = elements_of(this->shape) / channels_;
    rate_ = T(node.fields.number_within("rate", 0, 0, 1));
  }

  std::vector<const char*> rare_kernels() const override { return {"multiply_channels"}; }

  // factors, and ones that they are made of
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    for (size_t i : {0, 1}) memory.reals[i].grow(product(batch, channels_), from);
  }

  void forward(Pass<T>& pass) const override {
    OpMemory<T>& memory = pass.of_op(this->node);
    const size_t n = pass.batch * channels_;
    Counter counter = pass.counter;
    counter.stream = streams::of_node(this->node);
    if (drops(pass)) {
      pass.device.fill(T(1), n, memory.reals[1].data());
      pass.device.dropout(memory.reals[1].data(), n, rate_, counter, 0, memory.reals[0].data());
    }
    apply(pass, pass.value(this->inputs[0]), pass.value(this->node));
  }
  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient(this->node), dx); });
  }
  void forward_tangent(Pass<T>& pass) const override {
    apply(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { apply(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  bool drops(const Pass<T>& pass) const { return pass.training && pass.randomness && rate_ > 0; }
  void apply(Pass<T>& pass, const T* x, T* y) const {
    if (!drops(pass)) return pass.device.copy(x, pass.batch * pixels_ * channels_, y);
    pass.device.multiply_channels(x, pass.of_op(this->node).reals[0].data(), pass.batch, pixels_, channels_, y);
  }

  size_t pixels_, channels_;
  T rate_;
};

}  // namespace
GRADUS_OP(spatial_dropout, SpatialDropout)
}  // namespace gradus
