// Sums down the columns of a matrix, in blocks of rows, and sums of two arrays.
#pragma once
#include "vectors-inl.h"

// Four running sums a column, over the rows 0, 4, 8, …, 1, 5, 9, … and so on, added as (0 + 2) + (1 + 3).
template <class T>
INLINE Vec<T> sum_column(const T* x, size_t rows, size_t stride, int columns) {
  Vec<T> sums[4] = {Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0))};
  size_t i = 0;
  for (; i + 4 <= rows; i += 4)
    for (size_t r = 0; r < 4; ++r) sums[r] = sums[r] + load_lanes(x + (i + r) * stride, columns);
  for (size_t r = 0; r < 3; ++r)
    if (i + r < rows) sums[r] = sums[r] + load_lanes(x + (i + r) * stride, columns);
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

// sums(j) = beta · sums(j) + Σ of_block(block, j, columns there), the blocks in order; beta = 0: written, never read.
template <class T, class F>
INLINE void add_in_order(size_t blocks, size_t columns, T beta, T* sums, F of_block) {
  constexpr size_t lanes = Vec<T>::lanes;
  for (size_t j = 0; j < columns; j += lanes) {
    const int there = static_cast<int>(columns - j < lanes ? columns - j : lanes);
    Vec<T> total = blocks > 0 ? of_block(0, j, there) : Vec<T>(T(0));
    for (size_t block = 1; block < blocks; ++block) total = total + of_block(block, j, there);
    if (beta != 0) total = fma(Vec<T>(beta), load_lanes(sums + j, there), total);
    store_lanes(sums + j, total, there);
  }
}

// sums(j) = beta · sums(j) + Σᵢ x(i, j), block after block of rows.
template <class T>
FUNCTION void column_sums(const T* x, size_t rows, size_t columns, size_t stride, T beta, T* sums) {
  add_in_order(blocks_of(rows), columns, beta, sums, [=](size_t block, size_t j, int there) INLINE_LAMBDA {
    const size_t first = block * block_rows;
    return sum_column(x + first * stride + j, rows - first < block_rows ? rows - first : block_rows, stride, there);
  });
}

// The same in two parts: a row of sums for each block, and the rows added.
template <class T>
FUNCTION void block_sums(const T* x, size_t rows, size_t columns, size_t stride, T* sums) {
  for (size_t first = 0; first < rows; first += block_rows, sums += columns)
    column_sums(x + first * stride, rows - first < block_rows ? rows - first : block_rows, columns, stride, T(0), sums);
}
template <class T>
FUNCTION void add_blocks(const T* sums, size_t blocks, size_t columns, size_t stride, T beta, T* total) {
  add_in_order(blocks, columns, beta, total, [=](size_t block, size_t j, int there) INLINE_LAMBDA {
    return load_lanes(sums + block * stride + j, there);
  });
}

template <class T>
FUNCTION void add(const T* a, const T* b, size_t n, T* sum) {
  constexpr size_t lanes = Vec<T>::lanes;
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(sum + i, load(a + i) + load(b + i));
  const int rest = static_cast<int>(n - i);
  if (rest) store_partial(sum + i, load_partial(a + i, rest) + load_partial(b + i, rest), rest);
}
