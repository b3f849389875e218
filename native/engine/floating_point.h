// Threads inherit their floating-point environment, and a library linked with -ffast-math changes it for the thread
// that loads it and all begun after. Within such a scope numbers are rounded to nearest and denormals count.
#pragma once
#include <cstdint>
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace gradus {

class FloatingPoint {
 public:
  FloatingPoint() : before_(read()) { write(usual); }
  ~FloatingPoint() { write(before_); }
  FloatingPoint(const FloatingPoint&) = delete;
  FloatingPoint& operator=(const FloatingPoint&) = delete;

 private:
#if defined(__x86_64__) || defined(_M_X64)
  static constexpr uint64_t usual = 0x1f80;  // MXCSR: to nearest, every exception masked, no FTZ, no DAZ
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__)
  static constexpr uint64_t usual = 0;  // FPCR: to nearest, no traps, no FZ, no default NaN
  static uint64_t read() {
    uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write(uint64_t mode) { asm volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#else
  static constexpr uint64_t usual = 0;
  static uint64_t read() { return usual; }
  static void write(uint64_t) {}
#endif

  uint64_t before_;
};

}  // namespace gradus
