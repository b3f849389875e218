// Images with rows and columns of zeros around them, or with some of their own taken away. The way back of one is the
// other.
#include "image.h"

namespace gradus {
namespace {

template <class T>
class Frame final : public Op<T> {
 public:
  explicit Frame(const NodeReader& node) : Op<T>(node) {
    const ImageSize image(node);
    const std::vector<size_t> added = counts(node, "added", 4), taken = counts(node, "taken", 4);
    of_one_.channels = image.channels;
    of_one_.height = axis(node, image.height, &added[0], &taken[0]);
    of_one_.width = axis(node, image.width, &added[2], &taken[2]);
    this->shape = image.shape(of_one_.height.output, of_one_.width.output, image.channels);
  }

  std::vector<const char*> rare_kernels() const override { return {"frame_images"}; }

  void forward(Pass<T>& pass) const override {
    frame(pass, of_one_, pass.value(this->inputs[0]), pass.value(this->node));
  }
  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { frame(pass, way_back(), pass.gradient(this->node), dx); });
  }
  void forward_tangent(Pass<T>& pass) const override {
    frame(pass, of_one_, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0],
                               [&](T* dx) { frame(pass, way_back(), pass.gradient_tangent(this->node), dx); });
  }

 private:
  static FrameAxis axis(const NodeReader& node, size_t pixels, const size_t* added, const size_t* taken) {
    if (pixels > largest_side || taken[0] + taken[1] >= pixels)
      node.fields.fail("taken: expected fewer than the " + std::to_string(pixels) + " pixels, received " +
                       std::to_string(taken[0] + taken[1]));
    FrameAxis axis;
    axis.input = pixels, axis.output = pixels + added[0] + added[1] - taken[0] - taken[1];
    axis.before = std::ptrdiff_t(added[0]) - std::ptrdiff_t(taken[0]);
    return axis;
  }
  Framing<T> way_back() const {
    Framing<T> back = of_one_;
    for (FrameAxis* axis : {&back.height, &back.width}) {
      std::swap(axis->input, axis->output);
      axis->before = -axis->before;
    }
    return back;
  }
  void frame(Pass<T>& pass, Framing<T> task, const T* from, T* to) const {
    task.batch = pass.batch, task.rows = pass.batch * task.height.output;
    task.x = from, task.y = to;
    pass.device.frame_images(task);
  }

  Framing<T> of_one_;
};

}  // namespace
GRADUS_OP(frame, Frame)
}  // namespace gradus
