// Memory copied, filled and transposed, by the processor's own ways.
#pragma once
#include "matmul-inl.h"
#include "vectors-inl.h"

template <class T>
static void copy(const T* x, size_t n, T* y) {
  if (n > 0) __builtin_memcpy(y, x, n * sizeof(T));
}

template <class T>
static void fill(T value, size_t n, T* y) {
  typename Vec<T>::Bits bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  if (bits == 0 && n > 0) {  // the library's way to set memory is faster than a loop
    __builtin_memset(y, 0, n * sizeof(T));
    return;
  }
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA { store_lanes(y + i, Vec<T>(value), count); });
}

template <class T>
static void copy_columns(const T* x, size_t rows, size_t columns, size_t x_stride, size_t y_stride, T* y) {
  for (size_t i = 0; i < rows; ++i) copy(x + i * x_stride, columns, y + i * y_stride);
}

// One square of it, as long as a cache line, in registers.
template <class T>
INLINE void transpose_line_square(const T* x, size_t x_stride, T* y, size_t y_stride) {
  constexpr int side = Vec<T>::lanes, lanes = NativeOf<typename Vec<T>::Register>::type::lanes;
  for (size_t j = 0; j < side; j += lanes)
    for (size_t i = 0; i < side; i += lanes)
      transpose_square(x + i * x_stride + j, x_stride, lanes, lanes, y + j * y_stride + i, y_stride);
}

// y(columns, rows)
template <class T>
static void transpose(const T* x, size_t rows, size_t columns, T* y) {
  constexpr size_t side = Vec<T>::lanes;
  for (size_t left = 0; left < columns; left += side)
    for (size_t top = 0; top < rows; top += side) {
      const size_t height = rows - top < side ? rows - top : side,
                   width = columns - left < side ? columns - left : side;
      const T* const from = x + top * columns + left;
      T* const to = y + left * rows + top;
      if (height == side && width == side) {
        transpose_line_square(from, columns, to, rows);
      } else {
        for (size_t j = 0; j < width; ++j)
          for (size_t i = 0; i < height; ++i) to[j * rows + i] = from[i * columns + j];
      }
    }
}
