// Layer norm and batch norm.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// A column is one thread's; on a processor the numbers of a vector's columns lie in arrays. See MergedColumns.
template <class T>
struct Blocks {
  const T *means, *squares;
  size_t rows, stride;
  T epsilon;
  T *mean, *variance, *inverse_deviation;
};
template <class T>
GPU_INLINE void merge_column(const Blocks<T>& of, size_t j) {
  double mean = 0.0 + double(of.means[j]), squares = double(of.squares[j]);
  for (size_t block = 1, first = block_rows; first < of.rows; ++block, first += block_rows) {
    const double before = double(first), count = double(of.rows - first < block_rows ? of.rows - first : block_rows);
    const double share = count / (before + count), weight = before * share;
    const double shift = double(of.means[block * of.stride + j]) - mean;
    mean += shift * share;
    squares += double(of.squares[block * of.stride + j]) + shift * (shift * weight);
  }
  const T variance = T(squares / double(of.rows));
  of.mean[j] = T(mean), of.variance[j] = variance;
  of.inverse_deviation[j] = T(1) / gpu::root(variance + of.epsilon);
}
template <class T>
void batch_norm_merge(const T* means, const T* squares, size_t rows, size_t columns, size_t stride, T epsilon, T* mean,
                      T* variance, T* inverse_deviation) {
  const Blocks<T> of{means, squares, rows, stride, epsilon, mean, variance, inverse_deviation};
  launch_pieces<1>(by_elements(columns), [=] GPU_LAMBDA(size_t j, size_t) { merge_column(of, j); });
}

// ---- Batch norm by patches: what belongs to a column is read once for some rows, and narrow batches of many rows as well
// as wide ones of few have work for all multiprocessors.
constexpr size_t patch_rows = 8;  // where nothing is summed; not measured

template <class T>
GPU_INLINE Norm<T> patch_of(const Norm<T>& norm, size_t row, size_t rows, size_t column, size_t columns) {
  Norm<T> patch = norm.examples_from(row, rows);
  patch.columns = columns;
  patch.x += column, patch.gain += column, patch.mean += column, patch.inverse_deviation += column;
  if (patch.bias) patch.bias += column;
  if (patch.y) patch.y += column;
  if (patch.dy) patch.dy += column;
  if (patch.dx) patch.dx += column;
  if (patch.dz) patch.dz += column;
  if (patch.dgain) patch.dgain += column, patch.dbias += column;
  return patch;
}
// Of a block of rows, whose sums are a row of all.
template <class T>
GPU_INLINE Norm<T> patch_of_block(const Norm<T>& norm, size_t row, size_t rows, size_t column, size_t columns) {
  Norm<T> patch = patch_of(norm, row, rows, column, columns);
  const size_t above = row / block_rows * norm.columns;
  patch.dgain += above, patch.dbias += above;
  return patch;
}

template <class T>
void batch_norm_block_statistics(const T* x, size_t rows, size_t columns, size_t stride, T* means, T* squares) {
  launch_patches<T>(rows, columns, block_rows, [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
    const size_t to = row / block_rows * columns + column;
    text::batch_norm_block_statistics(x + row * stride + column, high, wide, stride, means + to, squares + to);
  });
}
template <class T>
void batch_norm_forward(const Norm<T>& norm) {
  launch_patches<T>(norm.rows, norm.columns, patch_rows,
                    [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
                      text::batch_norm_forward(patch_of(norm, row, high, column, wide));
                    });
}
template <class T>
void batch_norm_block_gradients(const Norm<T>& norm) {
  launch_patches<T>(norm.rows, norm.columns, block_rows,
                    [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
                      text::batch_norm_block_gradients(patch_of_block(norm, row, high, column, wide));
                    });
}
template <class T>
void batch_norm_backward(const Norm<T>& norm, size_t batch) {
  launch_patches<T>(norm.rows, norm.columns, patch_rows,
                    [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
                      text::batch_norm_backward(patch_of(norm, row, high, column, wide), batch);
                    });
}
template <class T>
void batch_norm_backward_of_constants(const Norm<T>& norm) {
  launch_patches<T>(norm.rows, norm.columns, block_rows,
                    [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
                      text::batch_norm_backward_of_constants(patch_of_block(norm, row, high, column, wide));
                    });
}

}  // namespace

template <class T>
void put_norms(Kernels<T>& table) {
  TEAMS(layer_norm_backward);
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
