// How kernels walk over arrays: by vectors with a partial one at the end, and down columns that run along the lanes.
#pragma once

// A mask of the first n lanes, for sums and maxima over the last vector of a row.
template <class T>
INLINE Mask<T> first_lanes(int n) {
  return lane_indices<T>() < Vec<T>(T(n));
}
// The first n lanes of a, zero in the others.
template <class T>
INLINE Vec<T> keep_lanes(Vec<T> a, int n) {
  return n == Vec<T>::lanes ? a : select(first_lanes<T>(n), a, Vec<T>(0));
}

// n lanes from p. Of a whole vector no mask is made: AVX2 and some processors store by masks many times slower.
template <class T>
INLINE Vec<T> load_lanes(const T* p, int n) {
  return n == Vec<T>::lanes ? load(p) : load_partial(p, n);
}
template <class T>
INLINE void store_lanes(T* p, Vec<T> a, int n) {
  if (n == Vec<T>::lanes) {
    store(p, a);
  } else {
    store_partial(p, a, n);
  }
}

// body(i, count) for each vector of n elements, the last of them partial.
template <class T, class F>
INLINE void for_vectors(size_t n, F body) {
  constexpr size_t lanes = Vec<T>::lanes;
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, int(lanes));
  const int rest = int(n - i);
  if (rest >= int(lanes)) __builtin_unreachable();  // so that nothing asks whether it is whole
  if (rest > 0) body(i, rest);
}
// y = f(x) for n elements.
template <class T, class F>
INLINE void map(const T* x, size_t n, T* y, F f) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA { store_lanes(y + i, f(load_lanes(x + i, count)), count); });
}

// ---- Columns: groups of four vectors while they last, then single ones, the last of them partial.
template <int N>
struct Constant {
  static constexpr int value = N;
};
template <class T, class F>
INLINE void for_column_groups(size_t columns, F body) {
  constexpr size_t lanes = Vec<T>::lanes;
  size_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes) body(Constant<4>(), j, int(lanes));
  for (; j < columns; j += lanes) body(Constant<1>(), j, int(columns - j < lanes ? columns - j : lanes));
}
// Vector v of the group whose first element is at p; count lanes of it where it stands alone.
template <int vectors, class T>
INLINE Vec<T> load_column(const T* p, int v, int count) {
  return vectors > 1 ? load(p + v * Vec<T>::lanes) : load_lanes(p, count);
}
template <int vectors, class T>
INLINE void store_column(T* p, int v, int count, Vec<T> a) {
  vectors > 1 ? store(p + v * Vec<T>::lanes, a) : store_lanes(p, a, count);
}

// body(block, first, end) for each block of rows.
template <class F>
INLINE void for_blocks(size_t rows, F body) {
  for (size_t block = 0, first = 0; first < rows; ++block, first += block_rows)
    body(block, first, rows - first < block_rows ? rows : first + block_rows);
}

// sums[s][v] = Σ over rows from `first` to `end` of the s-th term that term(row, v, terms) gives for vector v.
template <class T, int S, int vectors, class F>
INLINE void sum_over_block(size_t first, size_t end, Vec<T> (&sums)[S][vectors], F term) {
  for (auto& of_term : sums)
    for (Vec<T>& sum : of_term) sum = Vec<T>(0);
  for (size_t i = first; i < end; ++i)
    for (int v = 0; v < vectors; ++v) {
      Vec<T> terms[S];
      term(i, v, terms);
      for (int s = 0; s < S; ++s) sums[s][v] = sums[s][v] + terms[s];
    }
}
// The same over all rows, block after block.
template <class T, int S, int vectors, class F>
INLINE void sum_over_rows(size_t rows, Vec<T> (&sums)[S][vectors], F term) {
  for (auto& of_term : sums)
    for (Vec<T>& sum : of_term) sum = Vec<T>(0);
  for_blocks(rows, [&](size_t, size_t first, size_t end) INLINE_LAMBDA {
    Vec<T> partial[S][vectors];
    sum_over_block(first, end, partial, term);
    for (int s = 0; s < S; ++s)
      for (int v = 0; v < vectors; ++v) sums[s][v] = sums[s][v] + partial[s][v];
  });
}
