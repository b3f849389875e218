// What is multiplied, and what a rival exports: each is a library of its own, which the bench loads into its process.
#pragma once
#include <cstddef>

namespace bench {

// C (m, n) = op(A) (m, k) · op(B) (k, n), all stored by rows without gaps.
struct Product {
  size_t m, n, k;
  bool a_transposed, b_transposed;
  const float* a;
  const float* b;
  float* c;

  size_t a_row() const { return a_transposed ? m : k; }
  size_t b_row() const { return b_transposed ? k : n; }
};

}  // namespace bench

#define BENCH_EXPORT extern "C" __attribute__((visibility("default")))

BENCH_EXPORT const char* rival_version();
BENCH_EXPORT void rival_use_threads(size_t threads);
BENCH_EXPORT bool rival_multiply(const bench::Product& product);  // false: it has nothing for this form
