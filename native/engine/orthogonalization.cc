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
void reserve_orthogonalization(OrthogonalizationMemory<T>& memory, size_t rows, size_t columns, Memory& from) {
  auto& [tall, gram, polynomial, next] = memory;
  const size_t size = rows * columns, m = std::min(rows, columns);
  if (rows > columns) tall.grow(size, from);
  gram.grow(m * m, from), polynomial.grow(m * m, from), next.grow(size, from);
}

template <class T>
void orthogonalize(const Device<T>& device, T* matrix, size_t rows, size_t columns, size_t steps,
                   OrthogonalizationMemory<T>& memory, double& squares) {
  constexpr T a = T(3.4445), b = T(-4.7750), c = T(2.0315);
  auto& [tall, gram, polynomial, next] = memory;
  const bool is_tall = rows > columns;
  const size_t m = std::min(rows, columns), n = std::max(rows, columns), size = rows * columns;
  T* x = matrix;
  if (is_tall) {  // the smaller side first: the products are of its size
    x = tall.data();
    device.transpose(matrix, rows, columns, x);
  }
  device.squares(x, size, squares);
  device.divide_by_norm(&squares, size, x);
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

#define INSTANTIATE(T)                                                                           \
  template void reserve_orthogonalization(OrthogonalizationMemory<T>&, size_t, size_t, Memory&); \
  template void orthogonalize(const Device<T>&, T*, size_t, size_t, size_t, OrthogonalizationMemory<T>&, double&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
