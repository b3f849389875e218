// What both pools are: windows of an image, each channel by itself.
#pragma once
#include "image.h"

namespace gradus {

template <class T>
class PoolingOp : public Op<T> {
 protected:
  explicit PoolingOp(const NodeReader& node) : Op<T>(node) {
    const ImageSize image(node);
    const std::vector<size_t> kernel = counts(node, "kernel", 2);
    Windows windows(node, kernel[0], kernel[1], {1, 1});
    windows.fit(node, image.height, image.width);
    of_one_.height = windows.height, of_one_.width = windows.width, of_one_.channels = image.channels;
    this->shape = image.shape(of_one_.height.output, of_one_.width.output, image.channels);
  }

  Pooling<T> forward_task(Pass<T>& pass, const T* x, T* y) const {
    Pooling<T> task = of_one_;
    task.batch = pass.batch, task.rows = pass.batch * task.height.output;
    task.input = x, task.output = y;
    return task;
  }
  Pooling<T> backward_task(Pass<T>& pass, const T* dy, T* dx) const {
    Pooling<T> task = forward_task(pass, dy, dx);
    task.rows = pass.batch * task.height.input;
    return task;
  }

  Pooling<T> of_one_;
};

}  // namespace gradus
