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

}  // namespace

template <class T>
void put_columns(Kernels<T>& table) {
  TEAMS(column_sums);
  table.block_sums = block_sums<T>;
  TEAMS(add_blocks);
  TEAMS(column_maxima);
  TEAMS(moments);
  TEAMS(limit_column_norms);
}
PUT(columns);

}  // namespace gradus::cuda
