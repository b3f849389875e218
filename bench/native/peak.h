// The rate of multiply-adds that this machine can reach at most.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
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
__attribute__((target("avx512f"))) inline double multiply_add_avx512() {
  __m512 x[chains], y = _mm512_set1_ps(0.999f);
  for (auto& chain : x) chain = _mm512_set1_ps(0.5f);
  for (size_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = _mm512_fmadd_ps(chain, y, y);
  for (auto& chain : x) asm volatile("" : : "v"(chain));
  return 2.0 * 16 * chains * peak_steps;
}
__attribute__((target("avx2,fma"))) inline double multiply_add_avx2() {
  __m256 x[chains], y = _mm256_set1_ps(0.999f);
  for (auto& chain : x) chain = _mm256_set1_ps(0.5f);
  for (size_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = _mm256_fmadd_ps(chain, y, y);
  for (auto& chain : x) asm volatile("" : : "x"(chain));
  return 2.0 * 8 * chains * peak_steps;
}
inline double multiply_add() { return __builtin_cpu_supports("avx512f") ? multiply_add_avx512() : multiply_add_avx2(); }
#elif defined(__aarch64__)
inline double multiply_add() {
  float32x4_t x[chains], y = vdupq_n_f32(0.999f);
  for (auto& chain : x) chain = vdupq_n_f32(0.5f);
  for (size_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 12
    for (auto& chain : x) chain = vfmaq_f32(y, chain, y);
  for (auto& chain : x) asm volatile("" : : "w"(chain));
  return 2.0 * 4 * chains * peak_steps;
}
#endif

// GFLOP/s of so many threads at once, the best of some rounds.
inline double peak(size_t threads, int rounds = 5) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<size_t> ready{0};
    std::vector<double> rates(threads);
    const auto measure = [&](size_t thread) {
      ++ready;
      while (ready < threads) continue;
      const auto start = Clock::now();
      const double work = multiply_add();
      rates[thread] = work / std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    };
    std::vector<std::thread> others;
    for (size_t thread = 1; thread < threads; ++thread) others.emplace_back(measure, thread);
    measure(0);
    for (std::thread& other : others) other.join();
    double sum = 0;
    for (double rate : rates) sum += rate;
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace bench
