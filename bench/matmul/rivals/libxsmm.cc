// libxsmm, as Debian has it: kernels made for one small product each, from matrices that are stored by columns, so that
// all is turned: C' = B' · A'.
#include <libxsmm.h>

#include <cmath>

#include "../product.h"

namespace {
constexpr double largest = 128;  // of the cube root of m · n · k: beyond it hands over to BLAS

libxsmm_smmfunction kernel_of(const bench::Product& p) {
  if (std::cbrt(double(p.m) * p.n * p.k) > largest || p.b_transposed) return nullptr;
  const int flags = LIBXSMM_GEMM_FLAG_NONE | (p.a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : 0);
  const int prefetch = LIBXSMM_PREFETCH_NONE;
  const libxsmm_blasint b_row = p.b_row(), a_row = p.a_row(), c_row = p.n;
  const float alpha = 1, beta = 0;
  return libxsmm_smmdispatch(p.n, p.m, p.k, &b_row, &a_row, &c_row, &alpha, &beta, &flags, &prefetch);
}
}  // namespace

const char* rival_version() { return "libxsmm " LIBXSMM_VERSION; }
void rival_use_threads(size_t) {}  // one
bool rival_multiply(const bench::Product& p) {
  const libxsmm_smmfunction kernel = kernel_of(p);
  if (kernel) kernel(p.b, p.a, p.c);
  return kernel;
}
