// The penalties' own terms, and the gradient and velocity of optimizers that change a tensor as a whole.
#pragma once
#include "moving-inl.h"

// The slope of l1 · |w| + l2 / 2 · w², 0 at the kink, added to g.
template <class T>
INLINE Vec<T> with_penalty_slope(Vec<T> g, Vec<T> w, T l1, T l2) {
  const Vec<T> zero(0), up(l1);
  return g + (Vec<T>(l2) * w + select(w > zero, up, select(w < zero, -up, zero)));
}

template <class T>
FUNCTION void add_penalty_slopes(const T* w, T l1, T l2, size_t n, T* gradient) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    const Vec<T> g = with_penalty_slope(load_lanes(gradient + i, count), load_lanes(w + i, count), l1, l2);
    store_lanes(gradient + i, g, count);
  });
}

// Σ |w| and Σ w², in order, added into.
template <class T>
FUNCTION void penalty_sums(const T* w, size_t n, double& absolutes, double& squares) {
  double absolute = 0, square = 0;
  for (size_t i = 0; i < n; ++i) {
    absolute += __builtin_fabs(double(w[i]));
    square += double(w[i]) * double(w[i]);
  }
  absolutes += absolute, squares += square;
}

// The gradient that counts: see Update in kernels.h. A NaN comes through the clamp.
template <class T>
FUNCTION void final_gradient(const Update<T>& update, T* to) {
  const Vec<T> scale(scale_of(update)), limit(update.clip_value > 0 ? update.clip_value : T(__builtin_inf()));
  for_vectors<T>(update.n, [&](size_t i, int count) INLINE_LAMBDA {
    const Vec<T> g = load_lanes(update.gradient + i, count), w = load_lanes(update.w + i, count);
    store_lanes(to + i, min(limit, max(-limit, scale * with_penalty_slope(g, w, update.l1, update.l2))), count);
  });
}

// `direction` holds the gradient before; `next` may be where the velocity lies.
template <class T>
FUNCTION void momentum_direction(const T* velocity, T momentum, bool nesterov, size_t n, T* next, T* direction) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    const Vec<T> keep(momentum), g = load_lanes(direction + i, count);
    const Vec<T> moved = kept(keep * load_lanes(velocity + i, count) + g);
    store_lanes(next + i, moved, count);
    store_lanes(direction + i, nesterov ? g + keep * moved : moved, count);
  });
}
