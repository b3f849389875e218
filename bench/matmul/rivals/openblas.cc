// OpenBLAS, as SciPy builds it for PyPI.
#include "../product.h"

extern "C" {
void scipy_cblas_sgemm(int order, int a_form, int b_form, int m, int n, int k, float alpha, const float* a, int a_row,
                       const float* b, int b_row, float beta, float* c, int c_row);
void scipy_openblas_set_num_threads(int threads);
char* scipy_openblas_get_config();
}

const char* rival_version() { return scipy_openblas_get_config(); }
void rival_use_threads(size_t threads) { scipy_openblas_set_num_threads(int(threads)); }
bool rival_multiply(const bench::Product& p) {
  constexpr int by_rows = 101, as_it_is = 111, transposed = 112;
  scipy_cblas_sgemm(by_rows, p.a_transposed ? transposed : as_it_is, p.b_transposed ? transposed : as_it_is, int(p.m),
                    int(p.n), int(p.k), 1, p.a, int(p.a_row()), p.b, int(p.b_row()), 0, p.c, int(p.n));
  return true;
}
