// The rival: OpenBLAS as Debian builds it. OPENBLAS_NUM_THREADS says how many threads; the argument only repeats it.
#include <cblas.h>

#include <cstdlib>

#include "measure.h"

int main(int count, char** arguments) {
  const size_t threads = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1;
  std::printf("{\"core\":\"%s\",\"config\":\"%s\"}\n", openblas_get_corename(), openblas_get_config());
  for (const bench::Layer& layer : bench::layers)
    for (const bench::Shape& shape : bench::shapes_of(layer))
      bench::measure(layer, shape, threads, [](const bench::Shape& s, const float* a, const float* b, float* c) {
        cblas_sgemm(CblasRowMajor, s.a_transposed ? CblasTrans : CblasNoTrans,
                    s.b_transposed ? CblasTrans : CblasNoTrans, s.m, s.n, s.k, 1, a, s.a_transposed ? s.m : s.k, b,
                    s.b_transposed ? s.k : s.n, 0, c, s.n);
      });
}
