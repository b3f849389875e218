// Adam with both moments kept as bfloat16, the upper half of a float: 20 bytes a parameter in place of 28. They are
// rounded up or down at random, up with the probability of what is cut off, so that small changes are kept in the mean.
// The random bits come from for_values, as in random-inl.h.
#pragma once
#include "updates-inl.h"

INLINE float of_upper_half(uint16_t half) {
  const uint32_t bits = uint32_t(half) << 16;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
// random: 16 bits. Infinities and NaN stay what they are; a denormal number becomes 0, as in the rules.
INLINE uint16_t upper_half(float value, uint32_t random) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  const uint32_t exponent = bits & 0x7f800000, moved = bits + random;
  const uint32_t rounded = exponent == 0x7f800000 ? bits : moved;
  return uint16_t((exponent == 0 ? 0 : rounded) >> 16);
}

template <class T>
FUNCTION void adam_bfloat16(const Update<T>& update, UpdateSums& sums) {
  alignas(64) T moments[2][update_chunk];
  alignas(64) float words[update_chunk];  // as bits: the lower half is for the first moment, the upper for the second
  for (size_t begin = 0; begin < update.n; begin += update_chunk) {
    const size_t n = update.n - begin < update_chunk ? update.n - begin : update_chunk;
    Update<T> part = update;
    part.n = n, part.gradient += begin, part.w += begin;
    if (part.average) part.average += begin;
    for (int s = 0; s < 2; ++s) {
      const uint16_t* from = update.short_slots[s] + begin;
      for (size_t i = 0; i < n; ++i) moments[s][i] = T(of_upper_half(from[i]));
      part.slots[s] = moments[s];
    }
    run<Adam>(part, sums);
    for_values<float>(update.counter, update.first + begin, n, [&](Vec<float> bits, size_t i, int count) INLINE_LAMBDA {
      store_partial(words + i, bits, count);
    });
    for (int s = 0; s < 2; ++s) {
      uint16_t* to = update.short_slots[s] + begin;
      for (size_t i = 0; i < n; ++i) {
        uint32_t word;
        __builtin_memcpy(&word, words + i, sizeof word);
        to[i] = upper_half(float(moments[s][i]), (s == 0 ? word : word >> 16) & 0xffff);
      }
    }
  }
}
