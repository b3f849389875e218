// Packing: copies of a part of an operand in the order in which the register tiles read it.

// The register of the instruction set itself, inside the pairs that make the virtual vector.
template <class R>
struct NativeOf {
  using type = R;
};
template <class R>
struct NativeOf<Pair<R>> : NativeOf<R> {};

// Writes whole vectors: up to lanes − 1 elements of zero after the last column, which the next row may overwrite.
template <class T>
static void copy_rows(const T* from, size_t from_row, size_t rows, size_t columns, T* to, size_t to_row) {
  constexpr size_t lanes = Vec<T>::lanes;
  const size_t whole = columns / lanes * lanes;
  const int rest = static_cast<int>(columns - whole);
  for (size_t i = 0; i < rows; ++i, from += from_row, to += to_row) {
    for (size_t j = 0; j < whole; j += lanes) store(to + j, load(from + j));
    if (rest) store(to + whole, load_partial(from + whole, rest));
  }
}

// Trades blocks of S lanes across the diagonal, for S = half the lanes down to 1: a transposition in registers.
template <int S, class R>
INLINE void transpose_registers(R* rows) {
  constexpr int lanes = R::lanes;
  if constexpr (S >= 1) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      if (!(i & S)) Ops<R>::template exchange<S>(rows[i], rows[i + S]);
    transpose_registers<S / 2>(rows);
  }
}

// to(j, i) = from(i, j) for a square of native registers; rows or columns that are not there read as zero.
template <class T>
INLINE void transpose_square(const T* from, size_t from_row, int rows, int columns, T* to, size_t to_row) {
  using R = typename NativeOf<typename Vec<T>::Register>::type;
  constexpr int lanes = R::lanes;
  R square[lanes];
  if (rows >= lanes && columns >= lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) square[i] = Ops<R>::load(from + i * from_row);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      square[i] = Ops<R>::load_partial(i < rows ? from + i * from_row : from, i < rows ? columns : 0);
  }
  transpose_registers<lanes / 2>(square);
#pragma GCC unroll 16
  for (int j = 0; j < lanes; ++j)
    if (j < columns) Ops<R>::store(to + j * to_row, square[j]);
}

// to(j, i) = from(i, j). Each row of `to` is filled with zeros up to a whole number of vectors.
template <class T>
static void copy_transposed(const T* from, size_t from_row, size_t rows, size_t columns, T* to, size_t to_row) {
  constexpr size_t lanes = NativeOf<typename Vec<T>::Register>::type::lanes;
  const size_t padded = (rows + Vec<T>::lanes - 1) / Vec<T>::lanes * Vec<T>::lanes;
  for (size_t j = 0; j < columns; j += lanes) {
    const int width = static_cast<int>(columns - j < lanes ? columns - j : lanes);
    for (size_t i = 0; i < padded; i += lanes) {
      const int height = static_cast<int>(i >= rows ? 0 : rows - i < lanes ? rows - i : lanes);
      const T* square = height ? from + i * from_row + j : from;
      transpose_square(square, from_row, height, width, to + j * to_row + i, to_row);
    }
  }
}
