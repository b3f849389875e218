// What follows the sums of a tile: bias, activation, gate, the check for values that are not finite. In registers where
// activation and gate are relu, else while the tile is still in the first cache.

template <class T>
static bool tile_is_finite(const T* c, size_t c_row, size_t rows, int columns) {
  constexpr int lanes = Vec<T>::lanes;
  const Vec<T> zero(T(0));
  Vec<T> check = zero;  // becomes NaN with the first infinity or NaN
  for (size_t i = 0; i < rows; ++i, c += c_row) {
    int j = 0;
    for (; j + lanes <= columns; j += lanes) check = fma(load(c + j), zero, check);
    if (j < columns) check = fma(load_partial(c + j, columns - j), zero, check);
  }
  return !any(!(check == zero));
}

// What was written of a tile. Its sums may be NaN beside it alone, in lanes that are not there: where A is infinite
// these are infinity times nothing.
template <class T>
COLD static bool tile_is_finite(const Tile<T>& tile, size_t rows) {
  if (!tile.c_rows) return tile_is_finite(tile.c, tile.c_row, rows, tile.columns);
  for (size_t i = 0; i < rows; ++i)
    if (!tile_is_finite(tile.c + tile.c_rows[i], 0, 1, tile.columns)) return false;
  return true;
}

template <class T, int rows, int vectors, Rows lie = Rows::even>
INLINE void finish_sums(const Tile<T>& tile, Vec<T> (&sums)[rows][vectors]) {
  constexpr int lanes = Vec<T>::lanes;
  if (tile.alpha != 1 || tile.beta != 0) {
    const Vec<T> alpha(tile.alpha), beta(tile.beta);
    const bool adds = tile.beta != 0;
    for_vectors_of<T, rows, vectors, lie>(
        tile.c, tile.c_row, tile.c_rows, tile.columns, [&](int i, int v, const T* c, int there) INLINE_LAMBDA {
          sums[i][v] = adds ? fma(alpha, sums[i][v], beta * load_lanes(c, there)) : alpha * sums[i][v];
        });
  }
  if (tile.bias) {
    Vec<T> bias[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v)
      bias[v] = load_lanes(tile.bias + v * lanes, v + 1 < vectors ? lanes : tile.columns - v * lanes);
    for_vectors_of<rows, vectors>([&](int i, int v) INLINE_LAMBDA { sums[i][v] = sums[i][v] + bias[v]; });
  }
  if (tile.rectifies)
    for_vectors_of<rows, vectors>([&](int i, int v)
                                      INLINE_LAMBDA { sums[i][v] = activate(Activation::relu, T(0), sums[i][v]); });
  if (tile.gate)
    for_vectors_of<T, rows, vectors, lie>(
        tile.gate, tile.gate_row, tile.c_rows, tile.columns, [&](int i, int v, const T* y, int there) INLINE_LAMBDA {
          sums[i][v] = sums[i][v] * activation_slope_from_output(Activation::relu, T(0), load_lanes(y, there));
        });
  for_vectors_of<T, rows, vectors, lie>(tile.c, tile.c_row, tile.c_rows, tile.columns,
                                        [&](int i, int v, T* c, int there)
                                            INLINE_LAMBDA { store_lanes(c, sums[i][v], there); });
  if (tile.nonfinite) {
    const Vec<T> zero(T(0));
    Vec<T> checks[2] = {zero, zero};  // become NaN with the first infinity or NaN
    for_vectors_of<rows, vectors>([&](int i, int v)
                                      INLINE_LAMBDA { checks[i % 2] = fma(sums[i][v], zero, checks[i % 2]); });
    if (any(!(checks[0] + checks[1] == zero)) && !tile_is_finite(tile, rows)) *tile.nonfinite = true;
  }
}

template <class T>
INLINE bool finishes_in_registers(const Matmul<T>& task) {
  return (task.activation == Activation::identity || task.activation == Activation::relu) &&
         (!task.gate || task.gate_kind == Activation::identity || task.gate_kind == Activation::relu);
}

template <class T, class F>
INLINE void map_tile(T* c, size_t c_row, size_t rows, int columns, F function) {
  constexpr int lanes = Vec<T>::lanes;
  for (size_t i = 0; i < rows; ++i, c += c_row) {
    int j = 0;
    for (; j + lanes <= columns; j += lanes) store(c + j, function(load(c + j), i, j, lanes));
    if (j < columns) store_partial(c + j, function(load_partial(c + j, columns - j), i, j, columns - j), columns - j);
  }
}

// leaky_relu runs right here; the others take so long that a call a row is nothing beside them.
template <class T>
static void activate_tile(const Matmul<T>& task, T* c, size_t rows, int columns) {
  const T parameter = task.activation_parameter;
  switch (task.activation) {
    case Activation::identity:
      return;
    case Activation::leaky_relu:
      return map_tile(c, task.c_row, rows, columns, [=](Vec<T> x, size_t, int, int) INLINE_LAMBDA {
        return activate(Activation::leaky_relu, parameter, x);
      });
    default:
      for (size_t i = 0; i < rows; ++i, c += task.c_row)
        activation_forward(task.activation, parameter, c, size_t(columns), c);
  }
}

// Times the slope at y, the element of `gate` in the same place.
template <class T, Activation kind>
INLINE void gate_rows(const Matmul<T>& task, const T* gate, T* c, size_t rows, int columns) {
  const T parameter = task.gate_parameter;
  const size_t gate_row = task.gate_row;
  map_tile(c, task.c_row, rows, columns, [=](Vec<T> x, size_t i, int j, int count) INLINE_LAMBDA {
    return x * activation_slope_from_output(kind, parameter, load_lanes(gate + i * gate_row + j, count));
  });
}
template <class T>
static void gate_tile(const Matmul<T>& task, const T* gate, T* c, size_t rows, int columns) {
  switch (task.gate_kind) {
    case Activation::identity:
      return;
    case Activation::leaky_relu:
      return gate_rows<T, Activation::leaky_relu>(task, gate, c, rows, columns);
    default:
      for (size_t i = 0; i < rows; ++i, c += task.c_row, gate += task.gate_row)
        activation_backward<T>(task.gate_kind, task.gate_parameter, nullptr, gate, c, size_t(columns), c);
  }
}

// The tile's first element is (i, j) of C.
template <class T>
static void finish_tile(const Matmul<T>& task, size_t i, size_t j, size_t rows, int columns) {
  T* c = task.c + i * task.c_row + j;
  if (task.activation != Activation::identity) activate_tile(task, c, rows, columns);
  if (task.gate) gate_tile(task, task.gate + i * task.gate_row + j, c, rows, columns);
  if (task.nonfinite && !tile_is_finite(c, task.c_row, rows, columns)) *task.nonfinite = true;
}
