// What many values look like: their histogram, mean and spread, and the largest of each column.
#pragma once
#include "math-inl.h"
#include "vectors-inl.h"

// The number of each lane's bin, as bits. The largest value below the smallest edge has the key before the first: so
// all that is smaller is clamped to it and is no step away from the middle. What is not finite goes to one more bin.
template <class T>
INLINE Vec<T> bin_of(Vec<T> x) {
  using C = Constants<T>;
  constexpr auto before_first = 2 * (C::bias + histogram_exponent - 1) + 1;
  const Vec<T> size = abs(x), middle = Vec<T>::of_bits(histogram_middle);
  const Vec<T> clamped = max(min(size, Vec<T>(histogram_largest)), Vec<T>(0.75 * histogram_smallest));
  const Vec<T> key = shift_right<C::fraction_bits - 1>(clamped);  // exponent and the top bit of the fraction
  const Vec<T> steps = integer_subtract(key, Vec<T>::of_bits(before_first));
  const Vec<T> bin = select(x < Vec<T>(0), integer_subtract(middle, steps), integer_add(middle, steps));
  return select(size < infinity<T>(), bin, Vec<T>::of_bits(histogram_bins));
}

// Bins are found by vectors, a block at a time, and counted one by one. Neighbours often fall into the same bin: each
// of four has counts of its own, so that no increment waits for the one before.
template <class T>
FUNCTION void histogram(const T* x, size_t n, uint32_t* counts) {
  constexpr size_t lanes = Vec<T>::lanes, block = 256, copies = 4;
  using Bits = typename Vec<T>::Bits;
  uint32_t own[copies][histogram_bins + 1] = {};
  alignas(64) T bins[block];
  for (size_t first = 0; first < n; first += block) {
    const T* const from = x + first;
    const size_t count = n - first < block ? n - first : block;
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) store(bins + i, bin_of(load(from + i)));
    if (i < count) store(bins + i, bin_of(load_partial(from + i, int(count - i))));
    Bits bin[copies];
    for (i = 0; i + copies <= count; i += copies) {
      __builtin_memcpy(bin, bins + i, sizeof bin);
      for (size_t copy = 0; copy < copies; ++copy) ++own[copy][bin[copy]];
    }
    __builtin_memcpy(bin, bins + i, (count - i) * sizeof *bin);
    for (size_t copy = 0; i + copy < count; ++copy) ++own[copy][bin[copy]];
  }
  for (const auto& copy : own)
    for (size_t bin = 0; bin < histogram_bins; ++bin) counts[bin] += copy[bin];
}

// What lanes add up over one chunk; lanes that do not count are left out by the mask.
template <class T>
struct MomentSums {
  Vec<T> finite = Vec<T>(0), outside = Vec<T>(0), denormal = Vec<T>(0), total = Vec<T>(0);
  INLINE_PLAIN void add(Vec<T> a, Mask<T> counts, Vec<T> low, Vec<T> high) {
    const Vec<T> zero(0), one(1);
    const Mask<T> is_finite = (abs(a) < infinity<T>()) & counts;
    finite = finite + select(is_finite, one, zero);
    outside = outside + select(((a < low) | (a > high)) & counts, one, zero);
    // Lanes that do not count are zero.
    denormal = denormal + select((abs(a) < Vec<T>(Constants<T>::smallest_normal)) & !(a == zero), one, zero);
    total = total + select(is_finite, a, zero);
  }
};

// The mean and spread in plain double, for values so large or small that their squares leave the range of the lanes.
template <class T>
FUNCTION void plain_moments(const T* x, size_t n, Moments& of) {
  const double finite = double(of.finite);
  double total = 0, squares = 0, rest = 0;
  for (size_t i = 0; i < n; ++i)
    if (is_finite(x[i])) total += double(x[i]);
  const double mean = total / finite;
  for (size_t i = 0; i < n; ++i) {
    const double distance = is_finite(x[i]) ? double(x[i]) - mean : 0;
    squares += distance * distance, rest += distance;
  }
  of.mean = mean + rest / finite;
  of.squares = squares - rest * rest / finite;
  if (of.squares < 0) of.squares = 0;
}

// In two passes over a chunk that is in cache: squares of distances from the mean do not cancel. The mean is rounded in
// the first; the second sees by how much.
template <class T>
INLINE void chunk_moments(const T* x, size_t n, T low, T high, Moments& of) {
  constexpr double smallest_square = 0x1p-100;
  const Mask<T> all = Vec<T>(0) == Vec<T>(0);
  const auto along = [&](auto body) INLINE_LAMBDA {
    constexpr size_t lanes = Vec<T>::lanes;
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) body(load(x + i), all);
    if (i < n) body(load_partial(x + i, int(n - i)), first_lanes<T>(int(n - i)));
  };
  MomentSums<T> sums;
  along([&](Vec<T> a, Mask<T> counts) INLINE_LAMBDA { sums.add(a, counts, Vec<T>(low), Vec<T>(high)); });
  of.finite = uint64_t(sum(sums.finite)), of.nonfinite = n - of.finite;
  of.outside = uint64_t(sum(sums.outside)), of.denormal = uint64_t(sum(sums.denormal));
  of.mean = of.squares = 0;
  if (of.finite == 0) return;
  const T rounded = sum(sums.total) / T(of.finite);
  const Vec<T> mean(rounded);
  Vec<T> squares(0), rest(0);
  along([&](Vec<T> a, Mask<T> counts) INLINE_LAMBDA {
    const Vec<T> distance = select((abs(a) < infinity<T>()) & counts, a - mean, Vec<T>(0));
    squares = fma(distance, distance, squares);
    rest = rest + distance;
  });
  const double left = double(sum(rest)) / double(of.finite);
  of.mean = double(rounded) + left;
  of.squares = double(sum(squares)) - left * left * double(of.finite);
  if (!(of.squares > smallest_square && is_finite(of.squares))) plain_moments(x, n, of);
}
template <class T>
FUNCTION void moments(const T* x, size_t n, T low, T high, Moments* chunks) {
  for (size_t first = 0; first < n; first += moments_chunk) {
    Moments of;
    chunk_moments(x + first, n - first < moments_chunk ? n - first : moments_chunk, low, high, of);
    *chunks++ = of;
  }
}

// The largest of each column of x (rows, columns) with this stride; -infinity where all are NaN.
template <class T>
FUNCTION void column_maxima(const T* x, size_t rows, size_t columns, size_t stride, T* maxima) {
  for_column_groups<T>(columns, [=](auto group, size_t j, int count) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    Vec<T> most[vectors];
    for (Vec<T>& m : most) m = -infinity<T>();
    for (size_t i = 0; i < rows; ++i)
      for (int v = 0; v < vectors; ++v) most[v] = max(load_column<vectors>(x + i * stride + j, v, count), most[v]);
    for (int v = 0; v < vectors; ++v) store_column<vectors>(maxima + j, v, count, most[v]);
  });
}
