// The rate of multiply-adds that threads of this machine can reach at most, all of them at once.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bench {

// Twelve independent chains hide the latency of any core so far. Returns operations done.
constexpr size_t chains = 12, peak_steps = 2000000;
#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline double multiply_add_avx512(size_t steps) {
  __m512 x[chains], y = _mm512_set1_ps(0.999f);
  for (auto& chain : x) chain = _mm512_set1_ps(0.5f);
  for (size_t i = 0; i < steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = _mm512_fmadd_ps(chain, y, y);
  for (auto& chain : x) asm volatile("" : : "v"(chain));
  return 2.0 * 16 * chains * steps;
}
__attribute__((target("avx2,fma"))) inline double multiply_add_avx2(size_t steps) {
  __m256 x[chains], y = _mm256_set1_ps(0.999f);
  for (auto& chain : x) chain = _mm256_set1_ps(0.5f);
  for (size_t i = 0; i < steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = _mm256_fmadd_ps(chain, y, y);
  for (auto& chain : x) asm volatile("" : : "x"(chain));
  return 2.0 * 8 * chains * steps;
}
inline double multiply_add(size_t steps) {
  return __builtin_cpu_supports("avx512f") ? multiply_add_avx512(steps) : multiply_add_avx2(steps);
}
#elif defined(__aarch64__)
inline double multiply_add(size_t steps) {
  float32x4_t x[chains], y = vdupq_n_f32(0.999f);
  for (auto& chain : x) chain = vdupq_n_f32(0.5f);
  for (size_t i = 0; i < steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = vfmaq_f32(y, chain, y);
  for (auto& chain : x) asm volatile("" : : "w"(chain));
  return 2.0 * 4 * chains * steps;
}
#endif

// With the registers of an instruction set, where it is not the best of this machine.
using MultiplyAdd = double (*)(size_t steps);
inline MultiplyAdd multiply_add_of([[maybe_unused]] const char* isa) {
#if defined(__x86_64__)
  if (std::strcmp(isa, "avx2") == 0) return multiply_add_avx2;
#endif
  return multiply_add;
}

// GFLOP/s of so many threads in each of the rounds, which all of them begin together and the slowest ends.
inline std::vector<double> peaks(size_t threads, size_t rounds, MultiplyAdd multiply_adds = multiply_add) {
  using clock = std::chrono::steady_clock;
  std::atomic<size_t> arrived{0}, finished{0};
  std::vector<double> rates;
  const auto work = [&](bool measures) {
    for (size_t round = 1; round <= rounds; ++round) {
      arrived.fetch_add(1);
      while (arrived.load() < round * threads) continue;
      const clock::time_point begin = clock::now();
      const double operations = multiply_adds(peak_steps);
      finished.fetch_add(1);
      while (finished.load() < round * threads) continue;
      const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
      if (measures) rates.push_back(static_cast<double>(threads) * operations / seconds / 1e9);
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work, false);
  work(true);
  for (std::thread& other : others) other.join();
  return rates;
}

}  // namespace bench
