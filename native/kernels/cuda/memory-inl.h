// Memory copied and filled by teams of threads: no library does it here.
#pragma once

template <class T>
FUNCTION void copy(const T* x, size_t n, T* y) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA { store_lanes(y + i, load_lanes(x + i, count), count); });
}

template <class T>
FUNCTION void fill(T value, size_t n, T* y) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA { store_lanes(y + i, Vec<T>(value), count); });
}

template <class T>
FUNCTION void copy_columns(const T* x, size_t rows, size_t columns, size_t x_stride, size_t y_stride, T* y) {
  for (size_t i = 0; i < rows; ++i) copy(x + i * x_stride, columns, y + i * y_stride);
}
