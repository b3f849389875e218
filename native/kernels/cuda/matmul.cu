// The product of two matrices, each element a sum over k in the order of the processors.
#include "matmul_tiles.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class T>
void matmul(const Matmul<T>& task, T*) {
  multiply_by_tiles(task, side_of_tiles<T>(task.m, task.n));
}

}  // namespace

void multiply_by_tiles(const Matmul<float>& task, unsigned side) {
  if (task.m == 0 || task.n == 0) return;
  side == 128  ? launch_tiles<LargeTile>(task)
  : side == 64 ? launch_tiles<MiddleTile<float>>(task)
               : launch_tiles<SmallTile<float>>(task);
}
void multiply_by_tiles(const Matmul<double>& task, unsigned side) {
  if (task.m == 0 || task.n == 0) return;
  side == 64 ? launch_tiles<MiddleTile<double>>(task) : launch_tiles<SmallTile<double>>(task);
}

template <class T>
void put_matmul(Kernels<T>& table) {
  table.matmul = matmul<T>;
}
PUT(matmul);

}  // namespace gradus::cuda
