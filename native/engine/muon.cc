#include "muon.h"

#include <cmath>

namespace gradus {

// c = alpha · a · op(b) + beta · c
template <class T>
void Orthogonalization<T>::product(Pass<T>& pass, const T* a, const T* b, bool transpose_b, size_t m, size_t n,
                                   size_t k, T alpha, T beta, T* c) {
  Matmul<T> task;
  task.m = m, task.n = n, task.k = k;
  task.a = a, task.a_row = k;
  task.b = b, task.b_row = transpose_b ? 1 : n, task.b_column = transpose_b ? k : 1;
  task.c = c, task.c_row = n;
  task.alpha = alpha, task.beta = beta;
  pass.matmul(task);
}

template <class T>
void Orthogonalization<T>::run(Pass<T>& pass, T* matrix, size_t rows, size_t columns, size_t steps) {
  constexpr T a = T(3.4445), b = T(-4.7750), c = T(2.0315);
  const bool is_tall = rows > columns;
  const size_t m = std::min(rows, columns), n = std::max(rows, columns), size = rows * columns;
  T* x = matrix;
  if (is_tall) {  // the smaller side first: the products are of its size
    tall_.grow(size);
    x = tall_.data();
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) x[j * rows + i] = matrix[i * columns + j];
  }
  double squares = 0;
  for (size_t i = 0; i < size; ++i) squares += double(x[i]) * double(x[i]);
  const T scale = T(1 / (std::sqrt(squares) + 1e-7));
  for (size_t i = 0; i < size; ++i) x[i] *= scale;
  gram_.grow(m * m), polynomial_.grow(m * m), next_.grow(size);
  for (size_t step = 0; step < steps; ++step) {  // X ← a X + (b A + c A²) X with A = X Xᵀ
    product(pass, x, x, true, m, m, n, 1, 0, gram_.data());
    std::copy_n(gram_.data(), m * m, polynomial_.data());
    product(pass, gram_.data(), gram_.data(), false, m, m, m, c, b, polynomial_.data());
    std::copy_n(x, size, next_.data());
    product(pass, polynomial_.data(), x, false, m, n, m, 1, a, next_.data());
    std::copy_n(next_.data(), size, x);
  }
  if (!is_tall) return;
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) matrix[i * columns + j] = x[j * rows + i];
}

template class Orthogonalization<float>;
template class Orthogonalization<double>;

}  // namespace gradus
