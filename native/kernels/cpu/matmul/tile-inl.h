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

// One tile's share of one block of k:
//   C = alpha · A · B                  in the first block when beta = 0, else
//   C = fma(alpha, A · B, beta · C)    with beta = 1 in the later blocks
// and in the last block C + bias.
template <class T>
struct Tile {
  size_t k;
  const T* a;
  size_t a_row, a_column;
  const T* b;  // whole vectors can be read
  size_t b_row;
  T* c;
  size_t c_row;
  int columns;
  T alpha, beta;
  const T* bias;
};

template <class T, int vectors>
INLINE void scale_row(const Tile<T>& tile, size_t i, Vec<T>* x) {
  constexpr int lanes = Vec<T>::lanes;
  T* c = tile.c + i * tile.c_row;
  const Vec<T> alpha(tile.alpha), beta(tile.beta);
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    const int there = tile.columns - v * lanes;
    const bool whole = v + 1 < vectors || there >= lanes;
    if (tile.beta == 0) {
      x[v] = alpha * x[v];
    } else {
      const Vec<T> old = whole ? load(c + v * lanes) : load_partial(c + v * lanes, there);
      x[v] = fma(alpha, x[v], beta * old);
    }
    if (tile.bias) x[v] = x[v] + (whole ? load(tile.bias + v * lanes) : load_partial(tile.bias + v * lanes, there));
    if (whole) {
      store(c + v * lanes, x[v]);
    } else {
      store_partial(c + v * lanes, x[v], there);
    }
  }
}

// Four rows share a pointer, so that the addresses of all rows fit the general registers.
template <class T, int rows, int vectors>
static void run_tile(const Tile<T>& tile) {
  constexpr int lanes = Vec<T>::lanes;
  Vec<T> sums[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sums[i][v] = Vec<T>(T(0));

  const T* a[(rows + 3) / 4];
  const size_t a_row = tile.a_row, a_column = tile.a_column, b_row = tile.b_row;
#pragma GCC unroll 4
  for (int i = 0; i < rows; i += 4) a[i / 4] = tile.a + i * a_row;
  const T* b = tile.b;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) __builtin_prefetch(tile.c + i * tile.c_row + v * lanes, 1);

  for (size_t p = tile.k; p > 0; --p) {
    Vec<T> row[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) row[v] = load(b + v * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vec<T> x(a[i / 4][i % 4 * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i += 4) a[i / 4] += a_column;
    b += b_row;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) scale_row<T, vectors>(tile, i, sums[i]);
}

// The tiles of every height and width, so that edges run on registers too.
template <class T>
struct TileTable {
  using Run = void (*)(const Tile<T>&);
  Run run[tile_vectors][tile_rows] = {};
  template <int rows, int vectors>
  constexpr void fill() {
    run[vectors - 1][rows - 1] = run_tile<T, rows, vectors>;
    if constexpr (rows > 1) {
      fill<rows - 1, vectors>();
    } else if constexpr (vectors > 1) {
      fill<tile_rows, vectors - 1>();
    }
  }
  constexpr TileTable() { fill<tile_rows, tile_vectors>(); }
};
template <class T>
constexpr TileTable<T> tile_table;
