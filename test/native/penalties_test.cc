// Penalties and directions of whole tensors against plain loops, bit for bit.
#include <limits>
#include <vector>

#include "arrays.h"

namespace gradus {
namespace {
using test::for_both_types;
using test::numbers;
using test::same_bits;

const std::vector<size_t> sizes = {0, 1, 7, 8, 15, 16, 17, 67, 256, 1001};

// With zeros of both signs in between.
template <class T>
std::vector<T> weights(size_t n) {
  std::vector<T> w = numbers<T>(n, 1);
  for (size_t i = 0; i < n; i += 5) w[i] = i % 2 ? T(0) : -T(0);
  return w;
}
template <class T>
T slope(T w, T l1, T l2) {
  return l2 * w + (w > 0 ? l1 : w < 0 ? -l1 : T(0));
}

TEST("slopes of the penalties are added to gradients, and the one of l1 is 0 at 0") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes)
      for (T l1 : {T(0), T(0.3)})
        for (T l2 : {T(0), T(0.7)}) {
          const std::vector<T> w = weights<T>(n + 1), before = numbers<T>(n + 1, 2);
          std::vector<T> gradient = before, expected = before;
          kernels_of<T>(isa).add_penalty_slopes(w.data(), l1, l2, n, gradient.data());
          for (size_t i = 0; i < n; ++i) expected[i] += slope(w[i], l1, l2);
          CHECK(same_bits(gradient, expected));
        }
  });
}

TEST("absolutes and squares are added up in order, into what is there") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes) {
      const std::vector<T> w = weights<T>(n);
      double absolutes = 3, squares = 5, expected_absolutes = 0, expected_squares = 0;
      kernels_of<T>(isa).penalty_sums(w.data(), n, absolutes, squares);
      for (T value : w)
        expected_absolutes += std::fabs(double(value)), expected_squares += double(value) * double(value);
      CHECK_EQ(absolutes, 3 + expected_absolutes);
      CHECK_EQ(squares, 5 + expected_squares);
    }
  });
}

TEST("the gradient that counts has its penalties, scale and limit, and keeps what is not a number") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes)
      for (T limit : {T(0), T(0.6)}) {
        std::vector<T> w = weights<T>(n), gradient = numbers<T>(n, 3), to(n + 1, T(-77)), expected = to;
        if (n > 2) gradient[2] = std::numeric_limits<T>::quiet_NaN();
        Update<T> update;
        update.n = n, update.gradient = gradient.data(), update.w = w.data();
        update.l1 = T(0.2), update.l2 = T(0.1), update.gradient_scale = T(0.8), update.clip_value = limit;
        for (size_t i = 0; i < n; ++i) {
          const T g = T(0.8) * (gradient[i] + slope(w[i], T(0.2), T(0.1)));
          expected[i] = limit > 0 && g > limit ? limit : limit > 0 && g < -limit ? -limit : g;
        }
        kernels_of<T>(isa).final_gradient(update, to.data());
        for (size_t i = 0; i <= n; ++i) CHECK(to[i] == expected[i] || (std::isnan(to[i]) && std::isnan(expected[i])));
      }
  });
}

TEST("a direction follows its velocity, looks ahead when asked to, and may work in place") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes)
      for (bool nesterov : {true, false})
        for (bool in_place : {true, false}) {
          const T momentum = T(0.95);
          const std::vector<T> gradient = numbers<T>(n + 1, 4);
          std::vector<T> velocity = numbers<T>(n + 1, 5), next(n + 1, T(-77)), direction = gradient;
          std::vector<T> expected_next = in_place ? velocity : next, expected = gradient;
          for (size_t i = 0; i < n; ++i) {
            expected_next[i] = momentum * velocity[i] + gradient[i];
            expected[i] = nesterov ? gradient[i] + momentum * expected_next[i] : expected_next[i];
          }
          std::vector<T>& to = in_place ? velocity : next;
          kernels_of<T>(isa).momentum_direction(velocity.data(), momentum, nesterov, n, to.data(), direction.data());
          CHECK(same_bits(to, expected_next));
          CHECK(same_bits(direction, expected));
        }
  });
}

TEST("a velocity that has decayed becomes 0") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const T bound = std::numeric_limits<T>::min() * T(1 << 26);
    std::vector<T> velocity, direction;
    for (int i = 0; i < 23; ++i)
      for (T v : {bound, -bound, 4 * bound, -4 * bound, std::numeric_limits<T>::denorm_min()}) velocity.push_back(v);
    direction.resize(velocity.size());
    std::vector<T> expected = velocity;
    for (T& v : expected) v = std::fabs(v / 2) < bound ? 0 : v / 2;
    kernels_of<T>(isa).momentum_direction(velocity.data(), T(0.5), false, velocity.size(), velocity.data(),
                                          direction.data());
    for (size_t i = 0; i < velocity.size(); ++i) {
      CHECK_EQ(velocity[i], expected[i]);
      CHECK_EQ(direction[i], expected[i]);
    }
  });
}

}  // namespace
}  // namespace gradus
