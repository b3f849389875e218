// Layer norm normalises each row, batch norm each column; forward and backward side by side.
// Columns run along the lanes. Sums over rows are left block by block, for add_blocks and batch_norm_merge.
#pragma once
#include "activations-inl.h"
#include "vectors-inl.h"

template <class T>
FUNCTION void layer_norm_forward(const Norm<T>& norm) {
  const size_t columns = norm.columns;
  const T *const gain = norm.gain, *const bias = norm.bias;
  for (size_t i = 0; i < norm.rows; ++i) {
    const T* const x = norm.x + i * norm.stride;
    T* const y = norm.y + i * norm.stride;
    Vec<T> total(0), squares(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA { total = total + load_lanes(x + j, count); });
    const Vec<T> mean(sum(total) / T(columns));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> centred = keep_lanes(load_lanes(x + j, count) - mean, count);
      squares = fma(centred, centred, squares);
    });
    const Vec<T> inverse = Vec<T>(1) / sqrt(Vec<T>(sum(squares) / T(columns) + norm.epsilon));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> normal = (load_lanes(x + j, count) - mean) * inverse;
      store_lanes(y + j, fma(normal, load_lanes(gain + j, count), load_lanes(bias + j, count)), count);
    });
    store_partial(norm.mean + i, mean, 1);
    store_partial(norm.inverse_deviation + i, inverse, 1);
  }
}

// With x̂ = (x − mean) · inverse and e = dy · gain: dx = inverse · (e − mean(e) − x̂ · mean(e · x̂)), means along the row.
template <class T>
FUNCTION void layer_norm_backward(const Norm<T>& norm) {
  const size_t columns = norm.columns;
  const T* const gain = norm.gain;
  for (size_t i = 0; i < norm.rows; ++i) {
    T *const dgain = norm.dgain + i / block_rows * columns, *const dbias = norm.dbias + i / block_rows * columns;
    const bool begins = i % block_rows == 0;
    const T *const x = norm.x + i * norm.stride, *const dy = norm.dy + i * norm.stride;
    T* const dx = norm.dx ? norm.dx + i * norm.stride : nullptr;
    const Vec<T> mean(norm.mean[i]), inverse(norm.inverse_deviation[i]);
    Vec<T> total(0), along(0);
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> d = load_lanes(dy + j, count), normal = (load_lanes(x + j, count) - mean) * inverse;
      // Both are read before one is written: where they lie 4096 bytes apart, a processor waits for the wrong one.
      const Vec<T> gain_sum = fma(d, normal, begins ? Vec<T>(0) : load_lanes(dgain + j, count));
      const Vec<T> bias_sum = d + (begins ? Vec<T>(0) : load_lanes(dbias + j, count));
      store_lanes(dgain + j, gain_sum, count);
      store_lanes(dbias + j, bias_sum, count);
      const Vec<T> e = d * load_lanes(gain + j, count);
      total = total + e;
      along = fma(e, normal, along);
    });
    if (!dx) continue;
    const Vec<T> mean_e(sum(total) / T(columns)), mean_along(sum(along) / T(columns));
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> e = load_lanes(dy + j, count) * load_lanes(gain + j, count);
      const Vec<T> normal = (load_lanes(x + j, count) - mean) * inverse;
      store_lanes(dx + j, inverse * fnma(normal, mean_along, e - mean_e), count);
    });
  }
}

// Of each block of rows the mean of each column and the sum of squares about it, (blocks, columns).
template <class T>
FUNCTION void batch_norm_block_statistics(const T* x, size_t rows, size_t columns, size_t stride, T* means,
                                          T* squares) {
  for_blocks(rows, [&](size_t block, size_t first, size_t end) INLINE_LAMBDA {
    for_column_groups<T>(columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
      constexpr int vectors = decltype(group)::value;
      Vec<T> mean[1][vectors], about[1][vectors];
      sum_over_block(first, end, mean, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
        term[0] = load_column<vectors>(x + i * stride + j, v, count);
      });
      for (Vec<T>& m : mean[0]) m = m / Vec<T>(T(end - first));
      sum_over_block(first, end, about, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
        const Vec<T> centred = load_column<vectors>(x + i * stride + j, v, count) - mean[0][v];
        term[0] = centred * centred;
      });
      for (int v = 0; v < vectors; ++v) {
        store_column<vectors>(means + block * columns + j, v, count, mean[0][v]);
        store_column<vectors>(squares + block * columns + j, v, count, about[0][v]);
      }
    });
  });
}

// What a vector of columns is known by so far; in double, as long chains of blocks are.
template <class T>
struct MergedColumns {
  static constexpr int lanes = Vec<T>::lanes;
  double mean[lanes], squares[lanes];

  // Those of the first block.
  INLINE_PLAIN MergedColumns(Vec<T> block_mean, Vec<T> block_squares) {
    T first_mean[lanes], first_squares[lanes];
    store(first_mean, block_mean);
    store(first_squares, block_squares);
    for (int k = 0; k < lanes; ++k) {
      mean[k] = 0.0 + double(first_mean[k]);  // never -0
      squares[k] = double(first_squares[k]);
    }
  }
  // One more block of `count` rows after `before` others (Chan, Golub and LeVeque 1983).
  INLINE_PLAIN void add(Vec<T> block_mean, Vec<T> block_squares, double before, double count) {
    T more_mean[lanes], more_squares[lanes];
    store(more_mean, block_mean);
    store(more_squares, block_squares);
    const double share = count / (before + count), weight = before * share;
    for (int k = 0; k < lanes; ++k) {
      const double shift = double(more_mean[k]) - mean[k];
      mean[k] += shift * share;
      squares[k] += double(more_squares[k]) + shift * (shift * weight);
    }
  }
};

// Mean, biased variance and inverse deviation of each column from those of the blocks, whose rows are `stride` apart.
template <class T>
FUNCTION void batch_norm_merge(const T* means, const T* squares, size_t rows, size_t columns, size_t stride, T epsilon,
                               T* mean, T* variance, T* inverse_deviation) {
  for_vectors<T>(columns, [&](size_t j, int there) INLINE_LAMBDA {
    constexpr int lanes = Vec<T>::lanes;
    MergedColumns<T> merged(load_lanes(means + j, there), load_lanes(squares + j, there));
    for (size_t block = 1, first = block_rows; first < rows; ++block, first += block_rows)
      merged.add(load_lanes(means + block * stride + j, there), load_lanes(squares + block * stride + j, there),
                 double(first), double(rows - first < block_rows ? rows - first : block_rows));
    T of_mean[lanes], of_variance[lanes];
    for (int k = 0; k < lanes; ++k) {
      of_mean[k] = T(merged.mean[k]);
      of_variance[k] = T(merged.squares[k] / double(rows));
    }
    const Vec<T> spread = load(of_variance);
    store_lanes(mean + j, load(of_mean), there);
    store_lanes(variance + j, spread, there);
    store_lanes(inverse_deviation + j, Vec<T>(1) / sqrt(spread + Vec<T>(epsilon)), there);
  });
}

// ---- Batch norm with the activation above it. Each kernel is made for each kind.
template <Activation kind>
struct Kind {
  static constexpr Activation value = kind;
};
template <class F>
INLINE void with_kind(Activation kind, F body) {
  switch (kind) {
#define ACTIVATION(name, initial) \
  case Activation::name:          \
    return body(Kind<Activation::name>());
#include "../activations.def"
#undef ACTIVATION
  }
}
// Column groups; single vectors of those kinds whose formulas are long.
template <class T, Activation kind, class F>
INLINE void for_normal_columns(size_t columns, F body) {
  if constexpr (kind == Activation::identity || kind == Activation::relu || kind == Activation::leaky_relu)
    for_column_groups<T>(columns, body);
  else
    for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA { body(Constant<1>(), j, count); });
}
// What a group of columns has in common; gradients that no activation gates need no bias.
template <int vectors, class T>
struct NormalColumns {
  Vec<T> mean[vectors], inverse[vectors], gain[vectors], bias[vectors];
  INLINE_PLAIN NormalColumns(const Norm<T>& norm, size_t j, int count) {
    for (int v = 0; v < vectors; ++v) {
      mean[v] = load_column<vectors>(norm.mean + j, v, count);
      inverse[v] = load_column<vectors>(norm.inverse_deviation + j, v, count);
      gain[v] = load_column<vectors>(norm.gain + j, v, count);
      bias[v] = norm.bias ? load_column<vectors>(norm.bias + j, v, count) : Vec<T>(0);
    }
  }
  INLINE_PLAIN Vec<T> normal(int v, Vec<T> x) const { return (x - mean[v]) * inverse[v]; }
  INLINE_PLAIN Vec<T> z(int v, Vec<T> normal) const { return fma(normal, gain[v], bias[v]); }
  // dy · f'(z)
  template <Activation kind>
  INLINE_PLAIN Vec<T> gated(int v, T parameter, Vec<T> normal, Vec<T> dy) const {
    if constexpr (kind == Activation::identity) return dy;
    const Vec<T> of = z(v, normal);
    if constexpr (slope_needs_input(kind)) return dy * activation_slope_from_input(kind, of);
    return dy * activation_slope_from_output(kind, parameter, activate(kind, parameter, of));
  }
};

// With the mean and inverse deviation given: of this batch in training, the running ones otherwise.
template <class T>
FUNCTION void batch_norm_forward(const Norm<T>& norm) {
  with_kind(norm.above, [&](auto above) INLINE_LAMBDA {
    constexpr Activation kind = decltype(above)::value;
    const size_t stride = norm.stride;
    for_blocks(norm.rows, [&](size_t, size_t first, size_t end) INLINE_LAMBDA {
      for_normal_columns<T, kind>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
        constexpr int vectors = decltype(group)::value;
        const NormalColumns<vectors, T> of(norm, j, count);
        for (size_t i = j + first * stride; i < j + end * stride; i += stride)
          for (int v = 0; v < vectors; ++v) {
            const Vec<T> z = of.z(v, of.normal(v, load_column<vectors>(norm.x + i, v, count)));
            store_column<vectors>(norm.y + i, v, count, activate(kind, norm.above_parameter, z));
          }
      });
    });
  });
}

// Of each block of rows the sums of dz and of dz · x̂, where dz = dy · f'(z). Mean and deviation that do not depend on x
// leave nothing else to do: dx = dz · gain · r. Else dz is kept, where it is not dy.
template <bool of_constants, class T>
INLINE void sum_normal_gradients(const Norm<T>& norm) {
  with_kind(norm.above, [&](auto above) INLINE_LAMBDA {
    constexpr Activation kind = decltype(above)::value;
    const size_t stride = norm.stride;
    for_blocks(norm.rows, [&](size_t block, size_t first, size_t end) INLINE_LAMBDA {
      for_normal_columns<T, kind>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
        constexpr int vectors = decltype(group)::value;
        const NormalColumns<vectors, T> of(norm, j, count);
        Vec<T> sums[2][vectors];
        sum_over_block(first, end, sums, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
          const size_t at = i * stride + j;
          const Vec<T> normal = of.normal(v, load_column<vectors>(norm.x + at, v, count));
          const Vec<T> dy = load_column<vectors>(norm.dy + at, v, count);
          term[0] = of.template gated<kind>(v, norm.above_parameter, normal, dy);
          term[1] = term[0] * normal;
          if constexpr (of_constants) {
            if (norm.dx) store_column<vectors>(norm.dx + at, v, count, term[0] * of.gain[v] * of.inverse[v]);
          } else if constexpr (kind != Activation::identity) {
            store_column<vectors>(norm.dz + at, v, count, term[0]);
          }
        });
        for (int v = 0; v < vectors; ++v) {
          store_column<vectors>(norm.dbias + block * norm.columns + j, v, count, sums[0][v]);
          store_column<vectors>(norm.dgain + block * norm.columns + j, v, count, sums[1][v]);
        }
      });
    });
  });
}
template <class T>
FUNCTION void batch_norm_block_gradients(const Norm<T>& norm) {
  sum_normal_gradients<false>(norm);
}
template <class T>
FUNCTION void batch_norm_backward_of_constants(const Norm<T>& norm) {
  sum_normal_gradients<true>(norm);
}

// With the statistics of this batch, whose own dependence on x is part of the gradient:
// dx = gain · inverse · (dz − mean(dz) − x̂ · mean(dz · x̂)), means over the `batch` rows that the sums are of; dy is dz.
template <class T>
FUNCTION void batch_norm_backward(const Norm<T>& norm, size_t batch) {
  const size_t stride = norm.stride;
  for_blocks(norm.rows, [&](size_t, size_t first, size_t end) INLINE_LAMBDA {
    for_column_groups<T>(norm.columns, [&](auto group, size_t j, int count) INLINE_LAMBDA {
      constexpr int vectors = decltype(group)::value;
      Vec<T> mean[vectors], inverse[vectors], scale[vectors], mean_dz[vectors], mean_along[vectors];
      for (int v = 0; v < vectors; ++v) {
        mean[v] = load_column<vectors>(norm.mean + j, v, count);
        inverse[v] = load_column<vectors>(norm.inverse_deviation + j, v, count);
        scale[v] = load_column<vectors>(norm.gain + j, v, count) * inverse[v];
        mean_dz[v] = load_column<vectors>(norm.dbias + j, v, count) / Vec<T>(T(batch));
        mean_along[v] = load_column<vectors>(norm.dgain + j, v, count) / Vec<T>(T(batch));
      }
      for (size_t i = j + first * stride; i < j + end * stride; i += stride)
        for (int v = 0; v < vectors; ++v) {
          const Vec<T> normal = (load_column<vectors>(norm.x + i, v, count) - mean[v]) * inverse[v];
          const Vec<T> centred = load_column<vectors>(norm.dy + i, v, count) - mean_dz[v];
          store_column<vectors>(norm.dx + i, v, count, scale[v] * fnma(normal, mean_along[v], centred));
        }
    });
  });
}
