// What tests of kernels of images share: cases of windows drawn at random, kernels run in pieces, bits compared.
#pragma once
#include <algorithm>
#include <limits>

#include "convolutions.h"

namespace gradus::test {

// Windows that lie in an image of up to 17 pixels a side, with padding below the kernel.
inline AxisCase drawn_axis(std::mt19937& random) {
  const auto below = [&](size_t n) { return size_t(random() % n); };
  AxisCase of;
  do {
    of.input = 1 + below(17), of.kernel = 1 + below(5), of.stride = 1 + below(4);
    of.before = below(of.kernel), of.after = below(of.kernel);
  } while (!is_possible(of));
  return of;
}

// kernel(task) in pieces of so many rows.
template <class Task, class Kernel>
void in_rows(const Task& task, size_t at_once, Kernel kernel) {
  for (size_t row = 0; row < task.rows; row += std::min(at_once, task.rows - row))
    kernel(task.part(row, std::min(at_once, task.rows - row)));
}

template <class T>
T nan() {
  return std::numeric_limits<T>::quiet_NaN();
}
// Equal, or both no number.
template <class T, class Wide>
bool is_same(T a, Wide b) {
  return a == T(b) || (a != a && b != b);
}
template <class T, class Wide>
bool are_same(const std::vector<T>& a, const std::vector<Wide>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same<T, Wide>);
}

}  // namespace gradus::test
