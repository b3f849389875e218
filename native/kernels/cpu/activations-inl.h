// Activations: y = f(x) and dx = dy · f'(x), elementwise; maxout over the pieces of a unit; softmax over a row.
// A NaN in x stays NaN in y.
#pragma once
#include "math-inl.h"

template <class T>
INLINE Vec<T> activate(Activation kind, T parameter, Vec<T> x) {
  const Vec<T> zero(0);
  switch (kind) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return max(zero, x);
    case Activation::leaky_relu:
      return select(x > zero, x, x * Vec<T>(parameter));
    case Activation::elu:
      return select(x > zero, x, expm1(x) * Vec<T>(parameter));
    case Activation::gelu:
      return max(Vec<T>(-40), x) * normal(x).cumulative;  // 0 at −∞, not −∞ · 0
    case Activation::silu:
      return max(Vec<T>(-800), x) * sigmoid(x);
    case Activation::tanh:
      return tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::softplus:
      return softplus(x);
  }
  return x;
}

// f'(x) from y = f(x). At the kink of relu it is 0; leaky_relu and elu need a parameter that is not negative.
template <class T>
INLINE Vec<T> activation_slope_from_output(Activation kind, T parameter, Vec<T> y) {
  const Vec<T> zero(0), one(1);
  switch (kind) {
    case Activation::relu:
      return select(y > zero, one, zero);
    case Activation::leaky_relu:
      return select(y > zero, one, Vec<T>(parameter));
    case Activation::elu:
      return select(y > zero, one, y + Vec<T>(parameter));
    case Activation::tanh:
      return fnma(y, y, one);
    case Activation::sigmoid:
      return fnma(y, y, y);
    case Activation::softplus:
      return -expm1(-y);
    default:
      return one;
  }
}

// f'(x) where it does not follow from y.
template <class T>
INLINE Vec<T> activation_slope_from_input(Activation kind, Vec<T> x) {
  if (kind == Activation::gelu) {
    const Normal<T> normal_x = normal(x);
    return fma(clamp(T(-40), T(40), x), normal_x.density, normal_x.cumulative);
  }
  const Vec<T> s = sigmoid(x);
  return fma(clamp(T(-800), T(800), x) * s, Vec<T>(1) - s, s);
}

constexpr bool slope_needs_input(Activation kind) { return kind == Activation::gelu || kind == Activation::silu; }

template <Activation kind, class T>
FUNCTION void forward_of(T parameter, const T* x, size_t n, T* y) {
  map(x, n, y, [=](Vec<T> a) INLINE_LAMBDA { return activate(kind, parameter, a); });
}

template <Activation kind, class T>
FUNCTION void backward_of(T parameter, const T* x, const T* y, const T* dy, size_t n, T* dx) {
  constexpr size_t lanes = Vec<T>::lanes;
  const T* known = slope_needs_input(kind) ? x : y;
  const auto slope = [=](Vec<T> a) INLINE_LAMBDA {
    return slope_needs_input(kind) ? activation_slope_from_input(kind, a)
                                   : activation_slope_from_output(kind, parameter, a);
  };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(dx + i, load(dy + i) * slope(load(known + i)));
  const int rest = int(n - i);
  if (rest > 0) store_partial(dx + i, load_partial(dy + i, rest) * slope(load_partial(known + i, rest)), rest);
}

template <class T>
FUNCTION void activation_forward(Activation kind, T parameter, const T* x, size_t n, T* y) {
  switch (kind) {
#define ACTIVATION(name, initial) \
  case Activation::name:          \
    return forward_of<Activation::name>(parameter, x, n, y);
#include "../activations.def"
#undef ACTIVATION
  }
}

template <class T>
FUNCTION void activation_backward(Activation kind, T parameter, const T* x, const T* y, const T* dy, size_t n, T* dx) {
  if (kind == Activation::identity) y = dy;  // its slope reads nothing
  switch (kind) {
#define ACTIVATION(name, initial) \
  case Activation::name:          \
    return backward_of<Activation::name>(parameter, x, y, dy, n, dx);
#include "../activations.def"
#undef ACTIVATION
  }
}

// Unit u of a row takes the largest of x[u * pieces …]; among equals the first wins, and a NaN wins over all.
template <class T>
FUNCTION void maxout_forward(const T* x, size_t rows, size_t units, size_t pieces, T* y, int32_t* winners) {
  for (size_t unit = 0; unit < rows * units; ++unit, x += pieces) {
    size_t winner = 0;
    for (size_t piece = 1; piece < pieces; ++piece)
      if (x[piece] > x[winner] || x[piece] != x[piece]) winner = piece;
    y[unit] = x[winner];
    winners[unit] = int32_t(winner);
  }
}

template <class T>
FUNCTION void maxout_backward(const T* dy, const int32_t* winners, size_t rows, size_t units, size_t pieces, T* dx) {
  for (size_t unit = 0; unit < rows * units; ++unit, dx += pieces)
    for (size_t piece = 0; piece < pieces; ++piece) dx[piece] = piece == size_t(winners[unit]) ? dy[unit] : T(0);
}

template <class T>
INLINE T row_maximum(const T* x, size_t columns) {
  constexpr size_t lanes = Vec<T>::lanes;
  Vec<T> largest = -infinity<T>();
  size_t j = 0;
  for (; j + lanes <= columns; j += lanes) largest = max(largest, load(x + j));
  const int rest = int(columns - j);
  if (rest > 0) largest = max(largest, select(first_lanes<T>(rest), load_partial(x + j, rest), -infinity<T>()));
  return max_lane(largest);
}

// y = e^(x − largest) along a row; returns its sum.
template <class T>
INLINE T row_exponentials(const T* x, size_t columns, T largest, T* y) {
  constexpr size_t lanes = Vec<T>::lanes;
  const Vec<T> shift(largest);
  Vec<T> total(0);
  size_t j = 0;
  for (; j + lanes <= columns; j += lanes) {
    const Vec<T> e = exp(load(x + j) - shift);
    total = total + e;
    store(y + j, e);
  }
  const int rest = int(columns - j);
  if (rest > 0) {
    const Vec<T> e = exp(load_partial(x + j, rest) - shift);
    total = total + select(first_lanes<T>(rest), e, Vec<T>(0));
    store_partial(y + j, e, rest);
  }
  return sum(total);
}

template <class T>
FUNCTION void softmax(const T* x, size_t rows, size_t columns, T* y) {
  for (size_t row = 0; row < rows; ++row, x += columns, y += columns) {
    const Vec<T> total(row_exponentials(x, columns, row_maximum(x, columns), y));
    map(y, columns, y, [=](Vec<T> e) INLINE_LAMBDA { return e / total; });
  }
}
