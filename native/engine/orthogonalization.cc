#include "orthogonalization.h"

#include <algorithm>

namespace gradus {

namespace {
// c = alpha · a · op(b) + beta · c
template <class T>
void product(const Device<T>& device, const T* a, const T* b, bool transpose_b, size_t m, size_t n, size_t k, T alpha,
             T beta, T* c) {
  Matmul<T> task;
  task.m = m, task.n = n, task.k = k;
  task.a = a, task.a_row = k;
  task.b = b, task.b_row = transpose_b ? 1 : n, task.b_column = transpose_b ? k : 1;
  task.c = c, task.c_row = n;
  task.alpha = alpha, task.beta = beta;
  device.matmul(task);
}
}  // namespace

template <class T>
void orthogonalize(const Device<T>& device, T* matrix, size_t rows, size_t columns, size_t steps,
                   const OrthogonalizationMemory<T>& memory) {
  constexpr T a = T(3.4445), b = T(-4.7750), c = T(2.0315);
  auto& [tall, gram, polynomial, next] = memory.buffers;
  const bool is_tall = rows > columns;
  const size_t m = std::min(rows, columns), n = std::max(rows, columns), size = rows * columns;
  T* x = matrix;
  if (is_tall) {  // the smaller side first: the products are of its size
    tall.grow(size, memory.from);
    x = tall.data();
    device.transpose(matrix, rows, columns, x);
  }
  device.squares(x, size, memory.squares);
  device.divide_by_norm(&memory.squares, size, x);
  gram.grow(m * m, memory.from), polynomial.grow(m * m, memory.from), next.grow(size, memory.from);
  for (size_t step = 0; step < steps; ++step) {  // X ← a X + (b A + c A²) X with A = X Xᵀ
    product(device, x, x, true, m, m, n, T(1), T(0), gram.data());
    device.copy(gram.data(), m * m, polynomial.data());
    product(device, gram.data(), gram.data(), false, m, m, m, c, b, polynomial.data());
    device.copy(x, size, next.data());
    product(device, polynomial.data(), x, false, m, n, m, T(1), a, next.data());
    device.copy(next.data(), size, x);
  }
  if (is_tall) device.transpose(x, columns, rows, matrix);
}

template void orthogonalize(const Device<float>&, float*, size_t, size_t, size_t,
                            const OrthogonalizationMemory<float>&);
template void orthogonalize(const Device<double>&, double*, size_t, size_t, size_t,
                            const OrthogonalizationMemory<double>&);

}  // namespace gradus
