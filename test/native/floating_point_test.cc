// The floating-point environment of threads, as libraries linked with -ffast-math leave it.
#include "engine/floating_point.h"

#include <atomic>
#include <limits>

#include "engine/pool.h"
#include "test.h"

using namespace gradus;

namespace {

// Denormals are zero from here on, and numbers are rounded up.
void spoil() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_setcsr(0x1f80 | 0x8040 | 0x4000);
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(uint64_t(1) << 24 | uint64_t(1) << 22));
#endif
}

bool is_usual() {
  volatile double smallest = std::numeric_limits<double>::min(), one = 1, little = 1e-30;
  return smallest / 4 > 0 && one + little == 1 && one - little == 1;
}

}  // namespace

TEST("within a scope numbers are rounded to nearest and denormals count; after it all is as before") {
  const FloatingPoint outer;
  CHECK(is_usual());
  spoil();
  const bool can_spoil = !is_usual();
  {
    const FloatingPoint inner;
    CHECK(is_usual());
  }
  CHECK_EQ(is_usual(), !can_spoil);
}

TEST("a pool's threads work in the usual environment, whoever starts them") {
  const FloatingPoint outer;
  spoil();
  Pool pool(8);
  const Pool::Share share(pool, 4);
  const std::thread::id self = std::this_thread::get_id();
  std::atomic<int> begun{0}, usual{0};
  share.parallel(4, [&](size_t) {
    ++begun;
    while (begun < 4) {  // so that each thread has one
    }
    if (std::this_thread::get_id() != self && is_usual()) ++usual;
  });
  CHECK_EQ(usual.load(), 3);
}
