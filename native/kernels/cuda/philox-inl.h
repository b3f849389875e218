// Philox 4×32-10 where each lane makes the words of its own value: cpu/philox-inl.h has the numbers and their layout.
#pragma once

struct PhiloxBlock {
  uint32_t word[4];
};
INLINE PhiloxBlock philox_block(const Counter& at, uint64_t block) {
  uint32_t w0 = uint32_t(block), w1 = at.stream, w2 = uint32_t(at.step);
  uint32_t w3 = uint32_t(at.step >> 32 & 0xffff) | uint32_t(block >> 32 & 0xffff) << 16;
  uint32_t key0 = uint32_t(at.seed), key1 = uint32_t(at.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(w0) * 0xD2511F53, p1 = uint64_t(w2) * 0xCD9E8D57;
    w0 = uint32_t(p1 >> 32) ^ w1 ^ key0, w1 = uint32_t(p1);
    w2 = uint32_t(p0 >> 32) ^ w3 ^ key1, w3 = uint32_t(p0);
    key0 += 0x9E3779B9, key1 += 0xBB67AE85;
  }
  return {{w0, w1, w2, w3}};
}

// The bits of value i.
INLINE Vec<float> value_bits(const Counter& at, uint64_t i, Vec<float>) {
  const uint64_t place = i % 16;
  const PhiloxBlock block = philox_block(at, 8 * (i / 32) + place / 2);
  const bool upper = i % 32 >= 16, odd = place % 2 != 0;
  const uint32_t low = odd ? block.word[1] : block.word[0], high = odd ? block.word[3] : block.word[2];
  return Vec<float>::of_bits(upper ? high : low);
}
INLINE Vec<double> value_bits(const Counter& at, uint64_t i, Vec<double>) {
  const PhiloxBlock block = philox_block(at, 8 * (i / 16) + i % 8);
  const bool upper = i % 16 >= 8;
  const uint64_t low = upper ? block.word[2] : block.word[0], high = upper ? block.word[3] : block.word[1];
  return Vec<double>::of_bits(low | high << 32);
}

template <class T, class F>
INLINE void for_values(const Counter& at, size_t first, size_t n, F body) {
  for_vectors<T>(n, [&](size_t i, int count) INLINE_LAMBDA {
    body(value_bits(at, first + i + size_t(lane_of_thread<T>()), Vec<T>()), i, count);
  });
}
