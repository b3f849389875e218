// oneDNN, as PyPI has it: its sgemm, which PyTorch calls too.
#include <oneapi/dnnl/dnnl.h>

#include <cstdio>

#include "../product.h"

const char* rival_version() {
  static char text[40];
  const dnnl_version_t* version = dnnl_version();
  std::snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  return text;
}
void rival_use_threads(size_t) {}  // OMP_NUM_THREADS says how many
bool rival_multiply(const bench::Product& p) {
  dnnl_sgemm(p.a_transposed ? 'T' : 'N', p.b_transposed ? 'T' : 'N', p.m, p.n, p.k, 1, p.a, p.a_row(), p.b, p.b_row(),
             0, p.c, p.n);
  return true;
}
