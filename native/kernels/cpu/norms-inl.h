// Layer norm normalises each row, batch norm each column; forward and backward side by side.
// Columns run along the lanes. Sums over rows go down the rows in order, in blocks, so that a column's sum does not
// depend on how the columns are cut.

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
  return vectors > 1 ? load(p + v * Vec<T>::lanes) : load_partial(p, count);
}
template <int vectors, class T>
INLINE void store_column(T* p, int v, int count, Vec<T> a) {
  vectors > 1 ? store(p + v * Vec<T>::lanes, a) : store_partial(p, a, count);
}

// sums[s][v] = Σ over rows of the s-th term that term(row, v, terms) gives for vector v. Blocks of rows keep the error
// of long sums small.
template <class T, int S, int vectors, class F>
INLINE void sum_over_rows(size_t rows, Vec<T> (&sums)[S][vectors], F term) {
  constexpr size_t block = 64;
  for (auto& of_term : sums)
    for (Vec<T>& sum : of_term) sum = Vec<T>(0);
  for (size_t first = 0; first < rows; first += block) {
    const size_t end = rows - first < block ? rows : first + block;
    Vec<T> partial[S][vectors];
    for (auto& of_term : partial)
      for (Vec<T>& sum : of_term) sum = Vec<T>(0);
    for (size_t i = first; i < end; ++i)
      for (int v = 0; v < vectors; ++v) {
        Vec<T> terms[S];
        term(i, v, terms);
        for (int s = 0; s < S; ++s) partial[s][v] = partial[s][v] + terms[s];
      }
    for (int s = 0; s < S; ++s)
      for (int v = 0; v < vectors; ++v) sums[s][v] = sums[s][v] + partial[s][v];
  }
}

// ---- Rows: body(j, count) for each vector along a row; lanes beyond count are zero where loaded and not stored.
template <class T, class F>
INLINE void along_row(size_t columns, F body) {
  constexpr size_t lanes = Vec<T>::lanes;
  size_t j = 0;
  for (; j + lanes <= columns; j += lanes) body(j, int(lanes));
  if (j < columns) body(j, int(columns - j));
}
template <class T>
struct LaneIndex {
  static constexpr T value[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
};
template <class T>
INLINE Vec<T> first_lanes(Vec<T> a, int count) {
  return select(load(LaneIndex<T>::value) < Vec<T>(T(count)), a, Vec<T>(0));
}

template <class T>
void layer_norm_forward(const Norm<T>& norm) {
  const size_t columns = norm.columns;
  const T *const gain = norm.gain, *const bias = norm.bias;
  for (size_t i = 0; i < norm.rows; ++i) {
    const T* const x = norm.x + i * norm.stride;
    T* const y = norm.y + i * norm.stride;
    Vec<T> total(0), squares(0);
    along_row<T>(columns, [&](size_t j, int count) INLINE_LAMBDA { total = total + load_partial(x + j, count); });
    const Vec<T> mean(sum(total) / T(columns));
    along_row<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> centred = first_lanes(load_partial(x + j, count) - mean, count);
      squares = fma(centred, centred, squares);
    });
    const Vec<T> inverse = Vec<T>(1) / sqrt(Vec<T>(sum(squares) / T(columns) + norm.epsilon));
    along_row<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> normal = (load_partial(x + j, count) - mean) * inverse;
      store_partial(y + j, fma(normal, load_partial(gain + j, count), load_partial(bias + j, count)), count);
    });
    store_partial(norm.mean + i, mean, 1);
    store_partial(norm.inverse_deviation + i, inverse, 1);
  }
}

// With x̂ = (x − mean) · inverse and e = dy · gain: dx = inverse · (e − mean(e) − x̂ · mean(e · x̂)), means along the row.
template <class T>
void layer_norm_backward(const Norm<T>& norm) {
  const size_t columns = norm.columns;
  const T* const gain = norm.gain;
  T *const dgain = norm.dgain, *const dbias = norm.dbias;
  for (size_t i = 0; i < norm.rows; ++i) {
    const T *const x = norm.x + i * norm.stride, *const dy = norm.dy + i * norm.stride;
    T* const dx = norm.dx ? norm.dx + i * norm.stride : nullptr;
    const Vec<T> mean(norm.mean[i]), inverse(norm.inverse_deviation[i]);
    Vec<T> total(0), along(0);
    along_row<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> d = load_partial(dy + j, count), normal = (load_partial(x + j, count) - mean) * inverse;
      store_partial(dgain + j, fma(d, normal, load_partial(dgain + j, count)), count);
      store_partial(dbias + j, d + load_partial(dbias + j, count), count);
      const Vec<T> e = d * load_partial(gain + j, count);
      total = total + e;
      along = fma(e, normal, along);
    });
    if (!dx) continue;
    const Vec<T> mean_e(sum(total) / T(columns)), mean_along(sum(along) / T(columns));
    along_row<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> e = load_partial(dy + j, count) * load_partial(gain + j, count);
      const Vec<T> normal = (load_partial(x + j, count) - mean) * inverse;
      store_partial(dx + j, inverse * fnma(normal, mean_along, e - mean_e), count);
    });
  }
}

// Mean and biased variance of each column, in two passes.
template <class T>
void batch_norm_statistics(const Norm<T>& norm) {
  for_column_groups<T>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    const T* const x = norm.x + j;
    const size_t stride = norm.stride;
    const Vec<T> rows{T(norm.rows)};
    Vec<T> mean[1][vectors], variance[1][vectors];
    sum_over_rows(norm.rows, mean, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
      term[0] = load_column<vectors>(x + i * stride, v, count);
    });
    for (Vec<T>& m : mean[0]) m = m / rows;
    sum_over_rows(norm.rows, variance, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
      const Vec<T> centred = load_column<vectors>(x + i * stride, v, count) - mean[0][v];
      term[0] = centred * centred;
    });
    for (int v = 0; v < vectors; ++v) {
      const Vec<T> spread = variance[0][v] / rows;
      store_column<vectors>(norm.mean + j, v, count, mean[0][v]);
      store_column<vectors>(norm.variance + j, v, count, spread);
      store_column<vectors>(norm.inverse_deviation + j, v, count, Vec<T>(1) / sqrt(spread + Vec<T>(norm.epsilon)));
    }
  });
}

// With the mean and inverse deviation given: of this batch in training, the running ones otherwise.
template <class T>
void batch_norm_forward(const Norm<T>& norm) {
  for_column_groups<T>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    const T* const x = norm.x + j;
    T* const y = norm.y + j;
    const size_t rows = norm.rows, stride = norm.stride;
    Vec<T> mean[vectors], inverse[vectors], gain[vectors], bias[vectors];
    for (int v = 0; v < vectors; ++v) {
      mean[v] = load_column<vectors>(norm.mean + j, v, count);
      inverse[v] = load_column<vectors>(norm.inverse_deviation + j, v, count);
      gain[v] = load_column<vectors>(norm.gain + j, v, count);
      bias[v] = load_column<vectors>(norm.bias + j, v, count);
    }
    for (size_t i = 0; i < rows; ++i)
      for (int v = 0; v < vectors; ++v) {
        const Vec<T> normal = (load_column<vectors>(x + i * stride, v, count) - mean[v]) * inverse[v];
        store_column<vectors>(y + i * stride, v, count, fma(normal, gain[v], bias[v]));
      }
  });
}

// With the statistics of this batch, whose own dependence on x is part of the gradient:
// dx = gain · inverse · (dy − mean(dy) − x̂ · mean(dy · x̂)), means down the column.
template <class T>
void batch_norm_backward(const Norm<T>& norm) {
  for_column_groups<T>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    const T *const x = norm.x + j, *const dy = norm.dy + j;
    T* const dx = norm.dx ? norm.dx + j : nullptr;
    const size_t rows = norm.rows, stride = norm.stride;
    Vec<T> mean[vectors], inverse[vectors], scale[vectors], sums[2][vectors];
    for (int v = 0; v < vectors; ++v) {
      mean[v] = load_column<vectors>(norm.mean + j, v, count);
      inverse[v] = load_column<vectors>(norm.inverse_deviation + j, v, count);
    }
    const auto normal = [&](size_t i, int v) INLINE_LAMBDA {
      return (load_column<vectors>(x + i * stride, v, count) - mean[v]) * inverse[v];
    };
    sum_over_rows(rows, sums, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
      term[0] = load_column<vectors>(dy + i * stride, v, count);
      term[1] = term[0] * normal(i, v);
    });
    const auto add_into = [&](T* total, int v, Vec<T> a) INLINE_LAMBDA {
      store_column<vectors>(total + j, v, count, load_column<vectors>(total + j, v, count) + a);
    };
    for (int v = 0; v < vectors; ++v) {
      add_into(norm.dbias, v, sums[0][v]);
      add_into(norm.dgain, v, sums[1][v]);
    }
    if (!dx) return;
    for (int v = 0; v < vectors; ++v) {
      sums[0][v] = sums[0][v] / Vec<T>(T(rows));
      sums[1][v] = sums[1][v] / Vec<T>(T(rows));
      scale[v] = load_column<vectors>(norm.gain + j, v, count) * inverse[v];
    }
    for (size_t i = 0; i < rows; ++i)
      for (int v = 0; v < vectors; ++v) {
        const Vec<T> centred = load_column<vectors>(dy + i * stride, v, count) - sums[0][v];
        store_column<vectors>(dx + i * stride, v, count, scale[v] * fnma(normal(i, v), sums[1][v], centred));
      }
  });
}
