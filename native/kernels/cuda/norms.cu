// Batch norm, and how the norms move.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// A column is a lane's; on a processor the numbers of a vector's columns lie in arrays. See text::MergedColumns. The
// blocks follow one after the other, so some of them are read at once, and each lane has divided for one of these.
template <class T>
struct Blocks {
  const T *means, *squares;
  size_t rows, stride;
  T epsilon;
  T *mean, *variance, *inverse_deviation;
};
// As many lanes of a warp as there are columns; the others have the first one too.
template <class T>
GPU_INLINE void merge_columns(const Blocks<T>& of, size_t first, unsigned columns) {
  const unsigned lane = gpu::thread() % gpu::warp, all_lanes = ~0u;
  const size_t j = lane < columns ? first + lane : first, blocks = blocks_of(of.rows);
  double mean = 0.0 + double(of.means[j]), squares = double(of.squares[j]);
  GPU_ROLLED
  for (size_t start = 1; start < blocks; start += gpu::warp) {
    T more_means[gpu::warp], more_squares[gpu::warp];
    GPU_UNROLLED
    for (unsigned i = 0; i < gpu::warp; ++i) {
      const bool is_there = start + i < blocks;
      const size_t at = (start + i) * of.stride + j;
      more_means[i] = is_there ? of.means[at] : T(0), more_squares[i] = is_there ? of.squares[at] : T(0);
    }
    const size_t rows_before = (start + lane) * block_rows, rest = of.rows - rows_before;
    const double before = double(rows_before), count = double(rest < block_rows ? rest : block_rows);
    const double share = rows_before < of.rows ? count / (before + count) : 0, weight = before * share;
    GPU_UNROLLED
    for (unsigned i = 0; i < gpu::warp; ++i) {
      if (start + i >= blocks) continue;
      const double shift = double(more_means[i]) - mean;
      mean += shift * gpu::shuffle(all_lanes, share, int(i));
      squares += double(more_squares[i]) + shift * (shift * gpu::shuffle(all_lanes, weight, int(i)));
    }
  }
  if (lane >= columns) return;
  const T variance = T(squares / double(of.rows));
  of.mean[j] = T(mean), of.variance[j] = variance;
  of.inverse_deviation[j] = T(1) / gpu::root(variance + of.epsilon);
}
template <class T>
void batch_norm_merge(const T* means, const T* squares, size_t rows, size_t columns, size_t stride, T epsilon, T* mean,
                      T* variance, T* inverse_deviation) {
  const Blocks<T> of{means, squares, rows, stride, epsilon, mean, variance, inverse_deviation};
  launch_pieces<gpu::warp>(by_columns(columns, rows),
                           [=] GPU_LAMBDA(size_t first, size_t count) { merge_columns(of, first, unsigned(count)); });
}

// ---- Batch norm by patches, a vector of columns wide: what belongs to a column is read once for some rows, and narrow
// batches of many rows as well as wide ones of few have work for all multiprocessors. Of some rows all is read before
// anything is written, which may be what is read next, for all that a compiler knows: a thread waits once for all of
// them.
constexpr int rows_at_once = 8;  // not measured

template <class T>
struct Patch {
  using Vec = text::Vec<T>;
  const Norm<T>& norm;
  const size_t row, column;
  const int rows, columns;

  GPU_INLINE Vec of_columns(const T* p) const { return text::load_partial(p + column, columns); }
  GPU_INLINE void store_sums(T* p, Vec sums) const {
    text::store_partial(p + row / block_rows * norm.columns + column, sums, columns);
  }
  // read(number, place, columns) for some rows, none of its columns where a row is below the patch, before
  // use(number, place) for those that are not; down to its end.
  template <int at_once, class R, class U>
  GPU_INLINE void for_rows(R read, U use) const {
    size_t at = row * norm.stride + column;
    GPU_ROLLED
    for (int left = rows; left > 0; left -= at_once, at += at_once * norm.stride) {
      GPU_UNROLLED
      for (int i = 0; i < at_once; ++i) read(i, at + size_t(i) * norm.stride, i < left ? columns : 0);
      GPU_UNROLLED
      for (int i = 0; i < at_once; ++i)
        if (i < left) use(i, at + size_t(i) * norm.stride);
    }
  }
};
// See text::NormalColumns.
template <class T>
GPU_INLINE text::NormalColumns<1, T> normal_columns(const Patch<T>& patch) {
  Norm<T> norm = patch.norm;
  norm.mean += patch.column, norm.inverse_deviation += patch.column, norm.gain += patch.column;
  if (norm.bias) norm.bias += patch.column;
  return text::NormalColumns<1, T>(norm, 0, patch.columns);
}

// body(patch) for each of a norm, so many rows high.
template <class T, class Body>
void for_patches(const Norm<T>& norm, size_t height, const Body& body) {
  launch_patches<T>(norm.rows, norm.columns, height,
                    [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
                      body(Patch<T>{norm, row, column, int(high), int(wide)});
                    });
}

// A block's rows of a vector of columns are all in registers.
template <class T>
GPU_INLINE void block_statistics(const Patch<T>& patch, T* means, T* squares) {
  using Vec = text::Vec<T>;
  const T* const from = patch.norm.x;
  Vec x[block_rows], mean(T(0)), about(T(0));
  patch.template for_rows<int(block_rows)>(
      [&](int i, size_t at, int columns) { x[i] = text::load_partial(from + at, columns); },
      [&](int i, size_t) { mean = mean + x[i]; });
  mean = mean / Vec(T(patch.rows));
  GPU_UNROLLED
  for (int i = 0; i < int(block_rows); ++i) {
    const Vec centred = x[i] - mean;
    if (i < patch.rows) about = about + centred * centred;
  }
  patch.store_sums(means, mean), patch.store_sums(squares, about);
}
template <class T>
void batch_norm_block_statistics(const T* x, size_t rows, size_t columns, size_t stride, T* means, T* squares) {
  Norm<T> norm;
  norm.rows = rows, norm.columns = columns, norm.stride = stride, norm.x = x;
  for_patches(norm, block_rows, [=] GPU_LAMBDA(const Patch<T>& patch) { block_statistics(patch, means, squares); });
}

template <class T>
GPU_INLINE void normalize(const Patch<T>& patch) {
  const Norm<T>& norm = patch.norm;
  const text::NormalColumns<1, T> of = normal_columns(patch);
  text::with_kind(norm.above, [&](auto above) {
    constexpr Activation kind = decltype(above)::value;
    text::Vec<T> x[rows_at_once];
    patch.template for_rows<rows_at_once>(
        [&](int i, size_t at, int columns) { x[i] = text::load_partial(norm.x + at, columns); },
        [&](int i, size_t at) {
          const text::Vec<T> y = text::activate(kind, norm.above_parameter, of.z(0, of.normal(0, x[i])));
          text::store_partial(norm.y + at, y, patch.columns);
        });
  });
}
template <class T>
void batch_norm_forward(const Norm<T>& norm) {
  for_patches(norm, rows_at_once, [=] GPU_LAMBDA(const Patch<T>& patch) { normalize(patch); });
}

// See text::sum_normal_gradients.
template <bool of_constants, class T>
GPU_INLINE void sum_normal_gradients(const Patch<T>& patch) {
  using Vec = text::Vec<T>;
  const Norm<T>& norm = patch.norm;
  const text::NormalColumns<1, T> of = normal_columns(patch);
  text::with_kind(norm.above, [&](auto above) {
    constexpr Activation kind = decltype(above)::value;
    Vec x[rows_at_once], dy[rows_at_once], sum(T(0)), along(T(0));
    patch.template for_rows<rows_at_once>(
        [&](int i, size_t at, int columns) {
          x[i] = text::load_partial(norm.x + at, columns), dy[i] = text::load_partial(norm.dy + at, columns);
        },
        [&](int i, size_t at) {
          const Vec normal = of.normal(0, x[i]);
          const Vec dz = of.template gated<kind>(0, norm.above_parameter, normal, dy[i]);
          sum = sum + dz, along = along + dz * normal;
          if constexpr (of_constants) {
            if (norm.dx) text::store_partial(norm.dx + at, dz * of.gain[0] * of.inverse[0], patch.columns);
          } else if constexpr (kind != Activation::identity) {
            text::store_partial(norm.dz + at, dz, patch.columns);
          }
        });
    patch.store_sums(norm.dbias, sum), patch.store_sums(norm.dgain, along);
  });
}
template <class T>
void batch_norm_block_gradients(const Norm<T>& norm) {
  for_patches(norm, block_rows, [=] GPU_LAMBDA(const Patch<T>& patch) { sum_normal_gradients<false>(patch); });
}
template <class T>
void batch_norm_backward_of_constants(const Norm<T>& norm) {
  for_patches(norm, block_rows, [=] GPU_LAMBDA(const Patch<T>& patch) { sum_normal_gradients<true>(patch); });
}

template <class T>
GPU_INLINE void normal_gradients(const Patch<T>& patch, size_t batch) {
  using Vec = text::Vec<T>;
  const Norm<T>& norm = patch.norm;
  const Vec mean = patch.of_columns(norm.mean), inverse = patch.of_columns(norm.inverse_deviation);
  const Vec all = Vec(T(batch));
  const Vec scale = patch.of_columns(norm.gain) * inverse;
  const Vec mean_dz = patch.of_columns(norm.dbias) / all, mean_along = patch.of_columns(norm.dgain) / all;
  Vec x[rows_at_once], dz[rows_at_once];
  patch.template for_rows<rows_at_once>(
      [&](int i, size_t at, int columns) {
        x[i] = text::load_partial(norm.x + at, columns), dz[i] = text::load_partial(norm.dy + at, columns);
      },
      [&](int i, size_t at) {
        const Vec normal = (x[i] - mean) * inverse;
        const Vec dx = scale * text::fnma(normal, mean_along, dz[i] - mean_dz);
        text::store_partial(norm.dx + at, dx, patch.columns);
      });
}
template <class T>
void batch_norm_backward(const Norm<T>& norm, size_t batch) {
  for_patches(norm, rows_at_once, [=] GPU_LAMBDA(const Patch<T>& patch) { normal_gradients(patch, batch); });
}

}  // namespace

template <class T>
void put_norms(Kernels<T>& table) {
  table.batch_norm_block_statistics = batch_norm_block_statistics<T>;
  table.batch_norm_merge = batch_norm_merge<T>;
  table.batch_norm_forward = batch_norm_forward<T>;
  table.batch_norm_block_gradients = batch_norm_block_gradients<T>;
  table.batch_norm_backward = batch_norm_backward<T>;
  table.batch_norm_backward_of_constants = batch_norm_backward_of_constants<T>;
  THREADS(layer_norm_forward_tangent);
  THREADS(layer_norm_backward_tangent);
  THREADS(batch_norm_forward_tangent);
  THREADS(batch_norm_backward_tangent);
}
PUT(norms);

}  // namespace gradus::cuda
