// How gradients move when what they were made of moves: the second derivatives of activations, softmax and losses.
#pragma once
#include "activations-inl.h"
#include "losses-inl.h"
#include "moving-inl.h"

// f''(x), where y = f(x), for the kinds that are not made of lines.
template <class T>
INLINE Vec<T> activation_second_slope(Activation kind, T parameter, Vec<T> x, Vec<T> y) {
  const Vec<T> one(1), two(2);
  switch (kind) {
    case Activation::elu:
      return select(x > Vec<T>(0), Vec<T>(0), y + Vec<T>(parameter));
    case Activation::tanh:
      return Vec<T>(-2) * y * (one - y * y);
    case Activation::sigmoid:
      return y * (one - y) * (one - two * y);
    case Activation::gelu: {  // φ(x) · (2 − x²), where φ is the normal density; 0 at the infinities, not 0 · ∞
      const Vec<T> near = clamp(T(-40), T(40), x), square = near * near;
      return exp(square / Vec<T>(-2)) * Vec<T>(T(0.3989422804014327)) * (two - square);
    }
    case Activation::silu: {  // s(1 − s)(2 + x(1 − 2s)) with s = σ(x)
      const Vec<T> s = sigmoid(x);
      return s * (one - s) * (two + clamp(T(-800), T(800), x) * (one - two * s));
    }
    case Activation::softplus: {
      const Vec<T> s = sigmoid(x);
      return s * (one - s);
    }
    default:
      return Vec<T>(0);
  }
}

// dx += f''(x) · ẋ · dy; kinds made of lines add nothing.
template <class T>
FUNCTION void activation_bend(Activation kind, T parameter, const T* x, const T* y, const T* x_tangent, const T* dy,
                              size_t n, T* dx) {
  if (kind == Activation::identity || kind == Activation::relu || kind == Activation::leaky_relu) return;
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    const Vec<T> slope = activation_second_slope(kind, parameter, load_lanes(x + i, count), load_lanes(y + i, count));
    const Vec<T> bend = slope * load_lanes(x_tangent + i, count) * load_lanes(dy + i, count);
    store_lanes(dx + i, load_lanes(dx + i, count) + bend, count);
  });
}

// y takes of each unit the piece that won: how maxout moves with x.
template <class T>
FUNCTION void maxout_gather(const T* x, const int32_t* winners, size_t rows, size_t units, size_t pieces, T* y) {
  for (size_t unit = 0; unit < rows * units; ++unit) y[unit] = x[unit * pieces + size_t(winners[unit])];
}

// dx = y ⊙ (dy − Σ dy ⊙ y) along each row; as the Jacobian is symmetric, it also takes the tangent of x to that of y.
template <class T>
FUNCTION void softmax_backward(const T* y, const T* dy, size_t rows, size_t columns, T* dx) {
  for (size_t row = 0; row < rows; ++row, y += columns, dy += columns, dx += columns) {
    Vec<T> along(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      along = fma(load_lanes(dy + j, count), load_lanes(y + j, count), along);
    });
    const Vec<T> dot(sum(along));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      store_lanes(dx + j, load_lanes(y + j, count) * (load_lanes(dy + j, count) - dot), count);
    });
  }
}

// How that dx moves, factor by factor: ẏ ⊙ (dy − Σ dy ⊙ y) + y ⊙ (dẏ − Σ (dẏ ⊙ y + dy ⊙ ẏ)).
template <class T>
FUNCTION void softmax_backward_tangent(const T* y, const T* y_tangent, const T* dy, const T* dy_tangent, size_t rows,
                                       size_t columns, T* dx) {
  for (size_t row = 0; row < rows; ++row) {
    Vec<T> along(0), along_tangent(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> p = load_lanes(y + j, count), d = load_lanes(dy + j, count);
      along = fma(d, p, along);
      along_tangent = fma(load_lanes(dy_tangent + j, count), p, along_tangent);
      along_tangent = fma(d, load_lanes(y_tangent + j, count), along_tangent);
    });
    const Vec<T> dot(sum(along)), dot_tangent(sum(along_tangent));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> of_dy = load_lanes(y + j, count) * (load_lanes(dy_tangent + j, count) - dot_tangent);
      store_lanes(dx + j, fma(load_lanes(y_tangent + j, count), load_lanes(dy + j, count) - dot, of_dy), count);
    });
    y += columns, y_tangent += columns, dy += columns, dy_tangent += columns, dx += columns;
  }
}

// ---- Losses: gradient = scale · weight · the Hessian of the row's loss · tangent. Rows of weight 0 count for nothing,
// whatever their scores are: body(row, factor) is called for the others.
template <class T, class F>
INLINE void for_rows_that_count(const Loss<T>& loss, F body) {
  for (size_t row = 0; row < loss.rows; ++row) {
    const T weight = weight_of(loss, row);
    weight == 0 ? fill(T(0), loss.columns, loss.gradient + row * loss.columns) : body(row, loss.scale * weight);
  }
}

// p ⊙ (ẋ − Σ p ⊙ ẋ) times the targets' sum, where p = softmax(x / T): the loss's T² and the slopes of x / T cancel.
template <class T>
FUNCTION void softmax_cross_entropy_tangent(const Loss<T>& loss) {
  const size_t columns = loss.columns;
  for_rows_that_count(loss, [&](size_t row, T factor) INLINE_LAMBDA {
    const T *const scores = loss.scores + row * columns, *const tangent = loss.tangent + row * columns;
    const T* const targets = loss.targets ? loss.targets + row * columns : nullptr;
    T* const gradient = loss.gradient + row * columns;
    const Vec<T> largest(row_maximum(scores, columns));
    const Vec<T> temperature(loss.parameter);
    const bool tempered = loss.parameter != 1;
    Vec<T> total(0), along(0), mass(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> shift = load_lanes(scores + j, count) - largest;
      const Vec<T> e = keep_lanes(exp(tempered ? shift / temperature : shift), count);
      total = total + e;
      along = fma(e, load_lanes(tangent + j, count), along);
      if (targets) mass = mass + load_lanes(targets + j, count);
      store_lanes(gradient + j, e, count);
    });
    const Vec<T> all(sum(total)), mean = Vec<T>(sum(along)) / all;
    // Smoothed targets add up to a mean of their sum and 1.
    const Vec<T> scaled(targets ? factor * ((1 - loss.smoothing) * sum(mass) + loss.smoothing) : factor);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> p = load_lanes(gradient + j, count) / all;
      store_lanes(gradient + j, scaled * p * (load_lanes(tangent + j, count) - mean), count);
    });
  });
}

// Of losses made of lines: the hinges, the absolute error.
template <class T>
FUNCTION void no_tangent(const Loss<T>& loss) {
  fill(T(0), loss.rows * loss.columns, loss.gradient);
}

// The mean over the columns of losses whose second derivative is second_slope(score, target).
template <class T, class F>
INLINE void mean_tangents(const Loss<T>& loss, F second_slope) {
  const size_t columns = loss.columns;
  for_rows_that_count(loss, [&](size_t row, T factor) INLINE_LAMBDA {
    const size_t start = row * columns;
    const Vec<T> share(factor / T(columns));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const size_t at = start + j;
      const Vec<T> slope = second_slope(load_lanes(loss.scores + at, count), load_lanes(loss.targets + at, count));
      store_lanes(loss.gradient + at, share * slope * load_lanes(loss.tangent + at, count), count);
    });
  });
}
template <class T>
FUNCTION void mean_squared_error_tangent(const Loss<T>& loss) {
  mean_tangents(loss, [](Vec<T>, Vec<T>) INLINE_LAMBDA { return Vec<T>(2); });
}
template <class T>
FUNCTION void binary_cross_entropy_tangent(const Loss<T>& loss) {
  mean_tangents(loss, [](Vec<T> score, Vec<T>) INLINE_LAMBDA {
    const Vec<T> e = exp(-abs(score)), one(1);  // σ(1 − σ) is even
    return e / ((one + e) * (one + e));
  });
}
template <class T>
FUNCTION void huber_tangent(const Loss<T>& loss) {
  const Vec<T> delta(loss.parameter);
  mean_tangents(loss, [=](Vec<T> score, Vec<T> target)
                          INLINE_LAMBDA { return select(abs(score - target) <= delta, Vec<T>(1), Vec<T>(0)); });
}
