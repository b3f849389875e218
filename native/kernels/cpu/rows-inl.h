// Moving rows between a table and a batch, and widening bytes.
#pragma once
#include "vectors-inl.h"

INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// y(n, columns): row i is row rows[i] of the table.
template <class T>
void gather_rows(const T* table, size_t columns, const int32_t* rows, size_t n, T* y) {
  for (size_t i = 0; i < n; ++i)
    __builtin_memcpy(y + i * columns, table + size_t(rows[i]) * columns, columns * sizeof(T));
}

// table[rows[i]] += dy[i], for i in order: a row that occurs twice takes both, the earlier first.
template <class T>
void scatter_add_rows(const T* dy, size_t columns, const int32_t* rows, size_t n, T* table) {
  constexpr size_t lanes = Vec<T>::lanes;
  for (size_t i = 0; i < n; ++i, dy += columns) {
    T* row = table + size_t(rows[i]) * columns;
    size_t j = 0;
    for (; j + lanes <= columns; j += lanes) store(row + j, load(row + j) + load(dy + j));
    const int rest = int(columns - j);
    store_partial(row + j, load_partial(row + j, rest) + load_partial(dy + j, rest), rest);
  }
}

// y = x · scale + offset, rounded once.
template <class T>
void convert_bytes(const uint8_t* x, size_t n, T scale, T offset, T* y) {
  for (size_t i = 0; i < n; ++i) y[i] = fused(T(x[i]), scale, offset);
}
