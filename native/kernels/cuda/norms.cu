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

}  // namespace

template <class T>
void put_norms(Kernels<T>& table) {
  TEAMS(layer_norm_backward);
  TEAMS(batch_norm_block_statistics);
  table.batch_norm_merge = batch_norm_merge<T>;
  TEAMS(batch_norm_forward);
  TEAMS(batch_norm_block_gradients);
  TEAMS(batch_norm_backward);
  TEAMS(batch_norm_backward_of_constants);
  THREADS(layer_norm_forward_tangent);
  THREADS(layer_norm_backward_tangent);
  THREADS(batch_norm_forward_tangent);
  THREADS(batch_norm_backward_tangent);
}
PUT(norms);

}  // namespace gradus::cuda
