// Muon's step for a matrix (Jordan et al. 2024): its momentum made orthogonal, so that every direction moves alike.
#pragma once
#include "op.h"

namespace gradus {

template <class T>
class Orthogonalization {
 public:
  // matrix (rows, columns) becomes about U · Vᵀ of its singular value decomposition U · S · Vᵀ, by `steps` of a
  // Newton–Schulz iteration with Jordan's quintic polynomial.
  void run(Pass<T>& pass, T* matrix, size_t rows, size_t columns, size_t steps);

 private:
  void product(Pass<T>& pass, const T* a, const T* b, bool transpose_b, size_t m, size_t n, size_t k, T alpha, T beta,
               T* c);
  Buffer<T> tall_, gram_, polynomial_, next_;
};

}  // namespace gradus
