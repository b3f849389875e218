// The register tile where k is walked in runs: what a matmul's does, but one of the two ways to lie is known, so that
// four steps of k share the arithmetic of addresses. It takes a tenth of the ports that multiply-adds need.

// Which elements of A are neighbours: those of a row, while B lies in a panel and rows of C may be listed, or those of
// a column.
enum class Along : int { k, rows };

template <class T, int rows, int vectors, Along along>
static void run_in_runs(const Tile<T>& tile) {
  constexpr int lanes = Vec<T>::lanes, pointers = along == Along::k ? (rows + 3) / 4 : 1, unrolled = 4;
  Vec<T> sums[rows][vectors];
  for_vectors_of<rows, vectors>([&](int i, int v) INLINE_LAMBDA { sums[i][v] = Vec<T>(T(0)); });
  const size_t a_row = tile.a_row, a_column = tile.a_column;
  const size_t b_row = along == Along::k ? size_t(tile_vectors * lanes) : tile.b_row;
  size_t one_row = a_row, three_rows = 3 * a_row;
  const T *b, *a[pointers];

  const auto steps = [&](auto count) INLINE_LAMBDA {
    constexpr int steps = decltype(count)::value;
#pragma GCC unroll 4
    for (int step = 0; step < steps; ++step) {
      // Hidden from the compiler, which would keep a register for each sum of a row and a step.
      if (along == Along::k) asm("" : "+r"(one_row), "+r"(three_rows));
      Vec<T> row[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) row[v] = load(b + (along == Along::k ? step * b_row : 0) + v * lanes);
#pragma GCC unroll 28
      for (int i = 0; i < rows; ++i) {
        const size_t of_row = i % 4 == 3 ? three_rows : i % 4 * one_row;
        const Vec<T> x(along == Along::k ? a[i / 4][of_row + step] : a[0][i]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
      }
      if (along == Along::rows) a[0] += a_column, b += b_row;
    }
    if (along == Along::rows) return;
#pragma GCC unroll 8
    for (int i = 0; i < pointers; ++i) a[i] += steps;
    b += steps * b_row;
  };
  for (size_t run = 0; run < tile.runs; ++run) {
    const T* const start = tile.a + tile.starts[run];
#pragma GCC unroll 8
    for (int i = 0; i < pointers; ++i) a[i] = start + 4 * i * a_row;
    b = tile.b + (along == Along::rows ? tile.b_starts[run] : run * tile.b_run);
    size_t left = tile.k;
    for (; left >= unrolled; left -= unrolled) steps(Constant<unrolled>());
    for (; left > 0; --left) steps(Constant<1>());
  }
  if (along == Along::k && tile.c_rows)
    finish_sums<T, rows, vectors, Rows::listed>(tile, sums);
  else
    finish_sums<T, rows, vectors>(tile, sums);
}

// One vector leaves room for the sums of twice as many rows, which need fewer loads a multiply-add.
template <class T>
constexpr int rows_for(int vectors) {
  return is_tall && sizeof(T) == 4 && vectors == 1 ? 2 * tile_rows : tile_rows;
}

template <class T>
struct RunsTable {
  using Run = void (*)(const Tile<T>&);
  Run run[2][tile_vectors][rows_for<T>(1)] = {};
  template <int rows, int vectors>
  constexpr void fill() {
    run[int(Along::k)][vectors - 1][rows - 1] = run_in_runs<T, rows, vectors, Along::k>;
    run[int(Along::rows)][vectors - 1][rows - 1] = run_in_runs<T, rows, vectors, Along::rows>;
    if constexpr (rows > 1) {
      fill<rows - 1, vectors>();
    } else if constexpr (vectors > 1) {
      fill<rows_for<T>(vectors - 1), vectors - 1>();
    }
  }
  constexpr RunsTable() { fill<rows_for<T>(tile_vectors), tile_vectors>(); }
};
template <class T>
constexpr RunsTable<T> runs_table;

// How a tile of so many columns is run, by its rows, and how many it may have.
template <class T>
struct Heights {
  const typename RunsTable<T>::Run* run;
  size_t most;
  INLINE_PLAIN Heights(Along along, int columns) {
    const int vectors = (columns + Vec<T>::lanes - 1) / Vec<T>::lanes;
    run = runs_table<T>.run[int(along)][vectors - 1], most = static_cast<size_t>(rows_for<T>(vectors));
  }
};
