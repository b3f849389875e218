// Values moved, scaled and added up: what lies between the ops, and the way from a dataset to a batch. How memory is
// copied and filled is the including file's: memory-inl.h on a processor.
#pragma once
#include "math-inl.h"
#include "rows-inl.h"
#include "updates/rules-inl.h"
#include "vectors-inl.h"

// y += factor · x, both rounded.
template <class T>
FUNCTION void multiply_add(T factor, const T* x, size_t n, T* y) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    store_lanes(y + i, load_lanes(y + i, count) + Vec<T>(factor) * load_lanes(x + i, count), count);
  });
}

template <class T>
FUNCTION void scale(T factor, size_t n, T* x) {
  for_vectors<T>(n, [=](size_t i, int count)
                        INLINE_LAMBDA { store_lanes(x + i, load_lanes(x + i, count) * Vec<T>(factor), count); });
}

// For a matrix: the sum is in double, and so is the factor until it is whole.
template <class T>
FUNCTION void divide_by_norm(const double* squares, size_t n, T* x) {
  scale(T(1 / (__builtin_sqrt(*squares) + 1e-7)), n, x);
}

// x(i, j) *= factor · factors[i]; a row of factor 0 becomes 0 whatever it held.
template <class T>
FUNCTION void scale_rows(const T* factors, T factor, size_t rows, size_t columns, T* x) {
  for (size_t i = 0; i < rows; ++i, x += columns) {
    const T of_row = factors ? factor * factors[i] : factor;
    of_row == 0 ? fill(T(0), columns, x) : scale(of_row, columns, x);
  }
}

// average = keep · average + (1 − keep) · factor · x
template <class T>
FUNCTION void move_average(const T* x, size_t n, T keep, T factor, T* average) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    const Vec<T> fresh = Vec<T>(1 - keep) * (Vec<T>(factor) * load_lanes(x + i, count));
    store_lanes(average + i, kept(fma(Vec<T>(keep), load_lanes(average + i, count), fresh)), count);
  });
}

// Blocks as long as those of rows, each in order, and then in order too.
template <class T>
FUNCTION void sum(const T* x, size_t n, double& total) {
  double all = 0;
  for_blocks(n, [&](size_t, size_t first, size_t end) INLINE_LAMBDA {
    double of_block = 0;
    for (size_t i = first; i < end; ++i) of_block += double(x[i]);
    all += of_block;
  });
  total = all;
}
// In order.
template <class T>
FUNCTION void squares(const T* x, size_t n, double& total) {
  double all = 0;
  for (size_t i = 0; i < n; ++i) all += double(x[i]) * double(x[i]);
  total = all;
}

// `found` is set, never cleared; several threads may find something at the same time.
template <class T>
FUNCTION void find_nonfinite(const T* x, size_t n, bool& found) {
  constexpr size_t lanes = Vec<T>::lanes, vectors = 8;
  const auto finite = [=](size_t i, int count) INLINE_LAMBDA { return abs(load_lanes(x + i, count)) < infinity<T>(); };
  size_t i = 0;
  bool all = true;
  for (; all && i + vectors * lanes <= n; i += vectors * lanes) {
    Mask<T> block = finite(i, int(lanes));
    for (size_t v = 1; v < vectors; ++v) block = block & finite(i + v * lanes, int(lanes));
    all = !any(!block);
  }
  for (; all && i + lanes <= n; i += lanes) all = !any(!finite(i, int(lanes)));
  if (all && i < n) all = !any(!finite(i, int(n - i)));
  if (!all) __atomic_store_n(&found, true, __ATOMIC_RELAXED);
}

// Where row i of the batch lies in the dataset.
INLINE size_t example_of(const Examples& from, size_t i) {
  const size_t row = from.first + i, example = from.order ? from.order[row] : row;
  return from.view ? from.view[example] : example;
}

template <class From, class T>
INLINE void gather_as(const Examples& from, size_t rows, T* to) {
  const size_t n = from.elements;
  for (size_t i = 0; i < rows; ++i, to += n) {
    const From* const x = reinterpret_cast<const From*>(from.data) + example_of(from, i) * n;
    for (size_t j = 0; j < n; ++j) to[j] = T(x[j]);
  }
}

// Bytes with scales and offsets that come again after `period` elements.
template <class T>
INLINE void convert_bytes_by_period(const uint8_t* x, const Examples& from, T* y) {
  for (size_t first = 0; first < from.elements; first += from.period)
    for (size_t k = 0; k < from.period && first + k < from.elements; ++k)
      y[first + k] = fused(T(x[first + k]), T(from.scales[k]), T(from.offsets[k]));
}

template <class T>
FUNCTION void gather_examples(const Examples& from, size_t rows, T* to) {
  switch (from.type) {
    case ElementType::float32:
      return gather_as<float>(from, rows, to);
    case ElementType::float64:
      return gather_as<double>(from, rows, to);
    case ElementType::int32:
      return gather_as<int32_t>(from, rows, to);
    case ElementType::uint8:
      for (size_t i = 0; i < rows; ++i, to += from.elements) {
        const uint8_t* const x = from.data + example_of(from, i) * from.elements;
        if (from.scales)
          convert_bytes_by_period(x, from, to);
        else
          convert_bytes(x, from.elements, T(from.scale), T(from.offset), to);
      }
  }
}

// Of int32 columns: labels, and numbers of an embedding's rows.
template <class T>
FUNCTION void gather_numbers(const Examples& from, size_t rows, int32_t* to) {
  gather_as<int32_t>(from, rows, to);
}

INLINE double number_at(const Examples& from, size_t example) {
  switch (from.type) {
    case ElementType::float32:
      return double(reinterpret_cast<const float*>(from.data)[example]);
    case ElementType::float64:
      return reinterpret_cast<const double*>(from.data)[example];
    case ElementType::uint8:
      return from.data[example] * from.scale + from.offset;
    case ElementType::int32:
      return reinterpret_cast<const int32_t*>(from.data)[example];
  }
  return 0;
}

// Of each row its own weight, 1 where there is none, times that of its class, where classes have any.
template <class T>
FUNCTION void gather_weights(const Examples& weights, const Examples& labels, const double* of_classes, size_t rows,
                             T* to) {
  for (size_t i = 0; i < rows; ++i) {
    double weight = weights.data ? number_at(weights, example_of(weights, i)) : 1;
    if (of_classes) weight *= of_classes[size_t(number_at(labels, example_of(labels, i)))];
    to[i] = T(weight);
  }
}
