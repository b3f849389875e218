// A step with calls of each kind and two branches, made again and again with a factor of its own each time.
#pragma once
#include "device.h"

namespace gradus::test {

class SmallSteps {
 public:
  SmallSteps(OpenDevice& device, size_t n)
      : device_(device),
        n_(n),
        x_(device.given(std::vector<float>(n, 1.0f))),
        y_(device.wanted<float>(n)),
        z_(device.wanted<float>(n)),
        w_(device.wanted<float>(n)) {}

  static constexpr uint32_t calls = 6;
  // x becomes (4 · factor + 1) · x; `in_mid` is called when half of the step has been.
  template <class F>
  StepCalls make(float factor, F in_mid) {
    const DeviceTable& table = device_table();
    const Kernels<float>& kernels = device_.kernels<float>();
    Queue* const queue = device_.queue();
    table.begin_step(queue);
    table.clear(queue, y_, n_ * sizeof(float));
    kernels.multiply_add(2.0f, x_, n_, y_);
    kernels.scale(factor, n_, y_);
    in_mid();
    table.branch(queue, 1);
    table.copy(queue, z_, y_, n_ * sizeof(float));
    table.branch(queue, 2);
    kernels.add(y_, x_, n_, w_);
    table.branch(queue, 0);
    kernels.add(z_, w_, n_, x_);
    return table.end_step(queue);
  }
  StepCalls make(float factor) {
    return make(factor, [] {});
  }
  std::vector<float> x() { return device_.values(x_, n_); }
  std::vector<float> y() { return device_.values(y_, n_); }
  // The same step on other memory from now on.
  void move() {
    const std::vector<float> values = x();
    x_ = device_.given(values), z_ = device_.wanted<float>(n_);
  }

 private:
  OpenDevice& device_;
  const size_t n_;
  float *x_, *y_, *z_, *w_;
};

}  // namespace gradus::test
