// Images made larger by whole factors: a linear map.
#include "image.h"

namespace gradus {
namespace {

template <class T>
class Upsample final : public Op<T> {
 public:
  explicit Upsample(const NodeReader& node) : Op<T>(node) {
    const ImageSize image(node);
    const std::vector<size_t> factor = counts(node, "factor", 2);
    for (size_t i : {0, 1})
      if (factor[i] == 0 || product(factor[i], i == 0 ? image.height : image.width) > largest_side)
        node.fields.fail("factor: expected a positive one, and images of fewer than 2^31 pixels a side");
    of_one_.height = image.height, of_one_.width = image.width, of_one_.channels = image.channels;
    of_one_.height_factor = factor[0], of_one_.width_factor = factor[1];
    of_one_.bilinear = node.fields.flag("bilinear");
    this->shape = image.shape(image.height * factor[0], image.width * factor[1], image.channels);
  }

  std::vector<const char*> rare_kernels() const override { return {"upsample", "upsample_backward"}; }

  void forward(Pass<T>& pass) const override { enlarge(pass, pass.value(this->inputs[0]), pass.value(this->node)); }
  void backward(Pass<T>& pass) const override {
    pass.give_gradient(this->inputs[0], [&](T* dx) { collect(pass, pass.gradient(this->node), dx); });
  }
  void forward_tangent(Pass<T>& pass) const override {
    enlarge(pass, pass.tangent(this->inputs[0]), pass.tangent(this->node));
  }
  void backward_tangent(Pass<T>& pass) const override {
    pass.give_gradient_tangent(this->inputs[0], [&](T* dx) { collect(pass, pass.gradient_tangent(this->node), dx); });
  }

 private:
  Upsampling<T> task_of(Pass<T>& pass, const T* from, T* to, size_t rows) const {
    Upsampling<T> task = of_one_;
    task.batch = pass.batch, task.input = from, task.output = to, task.rows = pass.batch * rows;
    return task;
  }
  void enlarge(Pass<T>& pass, const T* x, T* y) const {
    pass.device.upsample(task_of(pass, x, y, of_one_.height * of_one_.height_factor));
  }
  void collect(Pass<T>& pass, const T* dy, T* dx) const {
    pass.device.upsample_backward(task_of(pass, dy, dx, of_one_.height));
  }

  Upsampling<T> of_one_;
};

}  // namespace
GRADUS_OP(upsample, Upsample)
}  // namespace gradus
