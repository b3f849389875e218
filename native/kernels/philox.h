// One block of Philox 4×32-10 (Salmon, Moraes, Dror, Shaw 2011), laid out as cpu/random-inl.h says: for a thread of a
// GPU, and for whoever needs a few words where the vector kernels do not fit.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace gradus {

struct PhiloxBlock {
  uint32_t words[4];
};

static constexpr PhiloxBlock philox(const Counter& at, uint64_t block) {
  uint32_t c0 = uint32_t(block), c1 = at.stream, c2 = uint32_t(at.step);
  uint32_t c3 = uint32_t(at.step >> 32 & 0xffff) | uint32_t(block >> 32 & 0xffff) << 16;
  uint32_t key0 = uint32_t(at.seed), key1 = uint32_t(at.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(c0) * 0xD2511F53, p1 = uint64_t(c2) * 0xCD9E8D57;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ key0;
    c2 = uint32_t(p0 >> 32) ^ c3 ^ key1;
    c1 = uint32_t(p1), c3 = uint32_t(p0);
    key0 += 0x9E3779B9, key1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace gradus
