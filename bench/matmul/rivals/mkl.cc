// Intel's MKL, as PyPI has it.
#include <cstdint>

#include "../product.h"

extern "C" {
void cblas_sgemm(int order, int a_form, int b_form, int m, int n, int k, float alpha, const float* a, int a_row,
                 const float* b, int b_row, float beta, float* c, int c_row);
void MKL_Set_Num_Threads(int threads);
void MKL_Get_Version_String(char* text, int size);
}

const char* rival_version() {
  static char text[200];
  MKL_Get_Version_String(text, sizeof text - 1);
  return text;
}
void rival_use_threads(size_t threads) { MKL_Set_Num_Threads(int(threads)); }
bool rival_multiply(const bench::Product& p) {
  constexpr int by_rows = 101, as_it_is = 111, transposed = 112;
  cblas_sgemm(by_rows, p.a_transposed ? transposed : as_it_is, p.b_transposed ? transposed : as_it_is, int(p.m),
              int(p.n), int(p.k), 1, p.a, int(p.a_row()), p.b, int(p.b_row()), 0, p.c, int(p.n));
  return true;
}
