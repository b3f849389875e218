// The product of two matrices, each element a sum over k in the order of the processors. Of float by tiles; of double a
// block of threads has a square of C, a thread one element of it, and squares of A and B go by in shared memory.
#include "matmul_tiles.h"
#include "table.h"

namespace gradus::cuda {
namespace {

constexpr unsigned side = 16;

template <class T>
struct Squares {
  T a[side][side + 1], b[side][side + 1];  // rows of an odd length lie in different banks
};

// The sum over k from `first` to `end` of the thread's element, whose row of A and column of B may be none.
template <class T>
GPU_INLINE T sum_over(const Matmul<T>& task, size_t i, size_t j, size_t first, size_t end) {
  Squares<T>& squares = gpu::shared<Squares<T>>();
  const unsigned row = gpu::thread() / side, column = gpu::thread() % side;
  T sum = 0;
  for (size_t p = first; p < end; p += side) {
    const size_t length = end - p < side ? end - p : side;
    const size_t there = planted(Mistake::tail_too_long) ? length + 1 : length;
    squares.a[row][column] =
        i < task.m && column < there ? task.a[i * task.a_row + (p + column) * task.a_column] : T(0);
    squares.b[row][column] = j < task.n && row < there ? task.b[(p + row) * task.b_row + j * task.b_column] : T(0);
    if (!planted(Mistake::no_barrier_after_loading)) gpu::barrier();
    for (unsigned q = 0; q < length; ++q) sum = gpu::fused(squares.a[row][q], squares.b[q][column], sum);
    if (!planted(Mistake::no_barrier_before_loading)) gpu::barrier();
  }
  return sum;
}

template <class T>
GPU_KERNEL void multiply(const MatmulParams<T> params) {
  if (is_raised(params.guard)) return;
  const Matmul<T>& task = params.task;
  const size_t i = gpu::block() / params.across * side + gpu::thread() / side;
  const size_t j = gpu::block() % params.across * side + gpu::thread() % side;
  const bool exists = i < task.m && j < task.n;
  const text::EvenCut blocks(task.k ? task.k : 1, text::longest_k_block<T>);
  T total = 0;
  for (size_t block = 0; block < blocks.parts; ++block) {
    const size_t first = blocks.first(block), length = task.k ? blocks.length(block) : 0;
    const T sum = sum_over(task, i, j, first, first + length);
    if (block > 0)
      total = gpu::fused(task.alpha, sum, total);
    else if (task.beta != 0)
      total = exists ? gpu::fused(task.alpha, sum, task.beta * task.c[i * task.c_row + j]) : T(0);
    else
      total = task.alpha != 1 ? task.alpha * sum : sum;
  }
  if (exists) task.c[i * task.c_row + j] = finished(task, i, j, total);
}

void matmul(const Matmul<float>& task, float*) { multiply_by_tiles(task, side_of_tiles(task.m, task.n)); }
void matmul(const Matmul<double>& task, double*) {
  if (task.m == 0 || task.n == 0) return;
  const size_t across = (task.n + side - 1) / side, down = (task.m + side - 1) / side;
  gpu::launch(multiply<double>, {unsigned(across * down), side * side, sizeof(Squares<double>)},
              MatmulParams<double>{task, across, gpu::guard()});
}

}  // namespace

void multiply_by_tiles(const Matmul<float>& task, unsigned side) {
  if (task.m == 0 || task.n == 0) return;
  side == 128  ? launch_tiles<LargeTile>(task)
  : side == 64 ? launch_tiles<MiddleTile>(task)
               : launch_tiles<SmallTile>(task);
}

template <class T>
void put_matmul(Kernels<T>& table) {
  table.matmul = matmul;
}
PUT(matmul);

}  // namespace gradus::cuda
