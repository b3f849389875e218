// The register tile: rows × vectors accumulators that stay in registers while k runs.

#if defined(GRADUS_AVX512)
constexpr int tile_rows = 14, tile_vectors = 2;  // 28 of 32 registers
#elif defined(GRADUS_AVX2)
constexpr int tile_rows = 6, tile_vectors = 1;  // 12 of 16 registers
#elif defined(GRADUS_NEON)
constexpr int tile_rows = 6, tile_vectors = 1;  // 24 of 32 registers
#else
constexpr int tile_rows = 2, tile_vectors = 1;
#endif
constexpr bool is_tall = tile_rows > 8;

// One tile's share of one block of k:
//   C = alpha · A · B                  in the first block when beta = 0, else
//   C = fma(alpha, A · B, beta · C)    with beta = 1 in the later blocks
// and in the last block C + bias, relu, times the slope at the gate, the check for values that are not finite.
template <class T>
struct Tile {
  size_t k;  // of a run, where there are some
  const T* a;
  size_t a_row, a_column;
  const T* b;  // whole vectors can be read
  size_t b_row;
  T* copy = nullptr;  // (k, panel), where B is copied to on the way
  T* c;
  size_t c_row;
  int columns;
  T alpha, beta;
  const T* bias = nullptr;
  bool rectifies = false;   // relu
  const T* gate = nullptr;  // of relu
  size_t gate_row = 0;
  bool* nonfinite = nullptr;
  // A convolution walks k in runs of equal length, each from its own place in A, and in B where that is no panel.
  const size_t *starts = nullptr, *b_starts = nullptr;  // from a and b
  size_t runs = 1, b_run = 0;                           // from one run to the next in a panel
  // Where rows of C and of the gate lie, from c, if not equally far from each other.
  const size_t* c_rows = nullptr;
};

// body(i, v) for each of the tile's vectors.
template <int rows, int vectors, class F>
INLINE void for_vectors_of(F body) {
#pragma GCC unroll 28
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) body(i, v);
}

// Where the rows of C lie: as far from each other as can be told, or each by itself.
enum class Rows { even, listed };

// body(i, v, at, lanes there) for each of them, where `at` walks over the rows of a matrix. The stride is hidden from
// the compiler, which would compute all addresses of all matrices ahead of any branch.
template <class T, int rows, int vectors, Rows lie, class P, class F>
INLINE void for_vectors_of(P* first, size_t stride, const size_t* listed, int columns, F body) {
  constexpr int lanes = Vec<T>::lanes;
  asm("" : "+r"(stride));
  P* at = first;
  if (columns == vectors * lanes) {
#pragma GCC unroll 28
    for (int i = 0; i < rows; ++i, at += stride) {
      if (lie == Rows::listed) at = first + listed[i];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) body(i, v, at + v * lanes, lanes);
    }
  } else {
#pragma GCC unroll 28
    for (int i = 0; i < rows; ++i, at += stride) {
      if (lie == Rows::listed) at = first + listed[i];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) body(i, v, at + v * lanes, v + 1 < vectors ? lanes : columns - v * lanes);
    }
  }
}
