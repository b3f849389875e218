// The loop over k of the register tile, for each height and width, so that edges run on registers too.

// How B lies: in a panel; as the caller has it; or so, and is written into a panel while it is read.
enum Lies : int { in_panel, as_given, as_given_to_copy };
constexpr int ways_to_lie = 3;

// Asking ahead pays where a step of k takes some cycles: on tall tiles.
constexpr size_t ahead = 8;              // rows of B, where they lie far from each other
constexpr size_t long_enough = 128;      // steps of k, for asking for C row by row
constexpr size_t worth_asking_for = 64;  // the same, for asking for C at all

// Four rows share a pointer, so that the addresses of all rows fit the general registers.
template <class T, int rows, int vectors, Lies lies>
static void run_tile(const Tile<T>& tile) {
  constexpr int lanes = Vec<T>::lanes;
  Vec<T> sums[rows][vectors];
  for_vectors_of<rows, vectors>([&](int i, int v) INLINE_LAMBDA { sums[i][v] = Vec<T>(T(0)); });
  const T* a[(rows + 3) / 4];
  const size_t a_row = tile.a_row, a_column = tile.a_column, b_row = tile.b_row;
#pragma GCC unroll 4
  for (int i = 0; i < rows; i += 4) a[i / 4] = tile.a + i * a_row;
  const T* b = tile.b;
  T* copy = tile.copy;

  const auto run = [&](size_t steps) INLINE_LAMBDA {
    for (; steps > 0; --steps) {
      Vec<T> row[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        row[v] = load(b + v * lanes);
        if ((lies == as_given || lies == as_given_to_copy) && is_tall)
          __builtin_prefetch(b + ahead * b_row + v * lanes);
        if (lies == as_given_to_copy) store(copy + v * lanes, row[v]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const Vec<T> x(a[i / 4][i % 4 * a_row]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
      }
#pragma GCC unroll 4
      for (int i = 0; i < rows; i += 4) a[i / 4] += a_column;
      b += b_row;
      if (lies == as_given_to_copy) copy += vectors * lanes;
    }
  };
  const auto ask_for_row = [&](int i) INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) __builtin_prefetch(tile.c + i * tile.c_row + v * lanes, 1);
  };
  size_t left = tile.k;
  if (is_tall && left >= long_enough) {
    const size_t share = left / rows;
    for (int i = 0; i < rows; ++i, left -= share) ask_for_row(i), run(share);
  } else if (left > worth_asking_for) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) ask_for_row(i);
  }
  run(left);
  finish_sums<T, rows, vectors>(tile, sums);
}

template <class T>
struct TileTable {
  using Run = void (*)(const Tile<T>&);
  Run run[ways_to_lie][tile_vectors][tile_rows] = {};
  template <int rows, int vectors>
  constexpr void fill() {
    // What is not as wide as a panel has been copied, or is read as if it were one.
    constexpr bool is_wide = vectors == tile_vectors;
    constexpr Lies given = is_wide && is_tall ? as_given : in_panel, to_copy = is_wide ? as_given_to_copy : in_panel;
    run[in_panel][vectors - 1][rows - 1] = run_tile<T, rows, vectors, in_panel>;
    run[as_given][vectors - 1][rows - 1] = run_tile<T, rows, vectors, given>;
    run[as_given_to_copy][vectors - 1][rows - 1] = run_tile<T, rows, vectors, to_copy>;
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

// One row of C: with so few sums a step that each waits for itself, they are of more columns than a panel has, and B is
// read once, as it lies.
constexpr int row_vectors = tile_rows * tile_vectors >= 28 ? 8 : 4;

template <class T, int vectors>
static void run_row(const Tile<T>& tile) {
  constexpr int lanes = Vec<T>::lanes;
  Vec<T> sums[1][vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) sums[0][v] = Vec<T>(T(0));
  const int last = tile.columns - (vectors - 1) * lanes;
  const auto run = [&](auto load_last) INLINE_LAMBDA {
    const T *a = tile.a, *b = tile.b;
    for (size_t p = 0; p < tile.k; ++p, a += tile.a_column, b += tile.b_row) {
      const Vec<T> x(*a);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        sums[0][v] = fma(x, v + 1 < vectors ? load(b + v * lanes) : load_last(b + v * lanes), sums[0][v]);
    }
  };
  if (last == lanes)
    run([](const T* b) INLINE_LAMBDA { return load(b); });
  else
    run([last](const T* b) INLINE_LAMBDA { return load_partial(b, last); });
  finish_sums<T, 1, vectors>(tile, sums);
}

template <class T>
struct RowTable {
  using Run = void (*)(const Tile<T>&);
  Run run[row_vectors] = {};
  template <int vectors>
  constexpr void fill() {
    run[vectors - 1] = run_row<T, vectors>;
    if constexpr (vectors > 1) fill<vectors - 1>();
  }
  constexpr RowTable() { fill<row_vectors>(); }
};
template <class T>
constexpr RowTable<T> row_table;
