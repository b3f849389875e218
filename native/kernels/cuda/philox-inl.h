// Philox 4×32-10 where each lane makes the words of its own value: cpu/philox-inl.h has the numbers and their layout.
#pragma once

// The bits of value i.
INLINE Vec<float> value_bits(const Counter& at, uint64_t i, Vec<float>) {
  const uint64_t place = i % 16;
  const PhiloxBlock block = philox(at, 8 * (i / 32) + place / 2);
  const bool upper = i % 32 >= 16, odd = place % 2 != 0;
  const uint32_t low = odd ? block.words[1] : block.words[0], high = odd ? block.words[3] : block.words[2];
  return Vec<float>::of_bits(upper ? high : low);
}
INLINE Vec<double> value_bits(const Counter& at, uint64_t i, Vec<double>) {
  const PhiloxBlock block = philox(at, 8 * (i / 16) + i % 8);
  const bool upper = i % 16 >= 8;
  const uint64_t low = upper ? block.words[2] : block.words[0], high = upper ? block.words[3] : block.words[1];
  return Vec<double>::of_bits(low | high << 32);
}

template <class T, class F>
INLINE void for_values(const Counter& at, size_t first, size_t n, F body) {
  for_vectors<T>(n, [&](size_t i, int count) INLINE_LAMBDA {
    body(value_bits(at, first + i + size_t(lane_of_thread<T>()), Vec<T>()), i, count);
  });
}
