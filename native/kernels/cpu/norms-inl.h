// Layer norm normalises each row, batch norm each column; forward and backward side by side.
// Columns run along the lanes. Sums over rows go down the rows in order, in blocks, so that a column's sum does not
// depend on how the columns are cut.
#pragma once
#include "vectors-inl.h"

template <class T>
void layer_norm_forward(const Norm<T>& norm) {
  const size_t columns = norm.columns;
  const T *const gain = norm.gain, *const bias = norm.bias;
  for (size_t i = 0; i < norm.rows; ++i) {
    const T* const x = norm.x + i * norm.stride;
    T* const y = norm.y + i * norm.stride;
    Vec<T> total(0), squares(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA { total = total + load_partial(x + j, count); });
    const Vec<T> mean(sum(total) / T(columns));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> centred = keep_lanes(load_partial(x + j, count) - mean, count);
      squares = fma(centred, centred, squares);
    });
    const Vec<T> inverse = Vec<T>(1) / sqrt(Vec<T>(sum(squares) / T(columns) + norm.epsilon));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
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
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> d = load_partial(dy + j, count), normal = (load_partial(x + j, count) - mean) * inverse;
      store_partial(dgain + j, fma(d, normal, load_partial(dgain + j, count)), count);
      store_partial(dbias + j, d + load_partial(dbias + j, count), count);
      const Vec<T> e = d * load_partial(gain + j, count);
      total = total + e;
      along = fma(e, normal, along);
    });
    if (!dx) continue;
    const Vec<T> mean_e(sum(total) / T(columns)), mean_along(sum(along) / T(columns));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
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
