// Sums and maxima down columns that run along the lanes.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class T>
void block_sums(const T* x, size_t rows, size_t columns, size_t stride, T* sums) {
  launch_patches<T>(rows, columns, block_rows, [=] GPU_LAMBDA(size_t row, size_t high, size_t column, size_t wide) {
    text::column_sums(x + row * stride + column, high, wide, stride, T(0), sums + row / block_rows * columns + column);
  });
}

// See text::add_in_order. The blocks of a vector of columns follow one after the other, so many of them are read at
// once.
template <int at_once, class T>
GPU_INLINE void add_vector(const T* sums, size_t blocks, size_t stride, T beta, T* total, int columns) {
  using Vec = text::Vec<T>;
  Vec of_block[at_once], all(T(0));
  GPU_ROLLED
  for (size_t first = 0; first < blocks; first += at_once) {
    GPU_UNROLLED
    for (int i = 0; i < at_once; ++i) {
      const bool is_there = first + size_t(i) < blocks;
      of_block[i] = text::load_partial(sums + (first + size_t(i)) * stride, is_there ? columns : 0);
    }
    GPU_UNROLLED
    for (int i = 0; i < at_once; ++i)
      if (first + size_t(i) < blocks) all = first + size_t(i) == 0 ? of_block[i] : all + of_block[i];
  }
  if (beta != 0) all = text::fma(Vec(beta), text::load_partial(total, columns), all);
  text::store_partial(total, all, columns);
}
template <int at_once, class T>
void add_vectors(const T* sums, size_t blocks, size_t columns, size_t stride, T beta, T* total) {
  launch_pieces<text::Vec<T>::lanes>(by_columns(columns, blocks), [=] GPU_LAMBDA(size_t first, size_t count) {
    add_vector<at_once>(sums + first, blocks, stride, beta, total + first, int(count));
  });
}
template <class T>
void add_blocks(const T* sums, size_t blocks, size_t columns, size_t stride, T beta, T* total) {
  blocks <= 8 ? add_vectors<8>(sums, blocks, columns, stride, beta, total)
              : add_vectors<64>(sums, blocks, columns, stride, beta, total);
}

}  // namespace

template <class T>
void put_columns(Kernels<T>& table) {
  TEAMS(column_sums);
  table.block_sums = block_sums<T>;
  table.add_blocks = add_blocks<T>;
  TEAMS(column_maxima);
  TEAMS(moments);
  TEAMS(limit_column_norms);
}
PUT(columns);

}  // namespace gradus::cuda
