// Philox 4×32-10 (Salmon, Moraes, Dror, Shaw 2011): every value is a function of seed, stream, step and index alone.
//
// The key is the seed, low word first. The counter of a block is four words: the block's bits 0 to 31; the stream; the
// step's bits 0 to 31; and the step's bits 32 to 47 below the block's bits 32 to 47. So steps below 2^48 and indices
// below 2^49 are all distinct. A block gives four words w0 to w3.
//
// Eight blocks 8t to 8t+7 make a tile, which is laid out so that no word has to move between lanes:
//   float:  32 values of a word each;   value 32t + 2b + c is w[c] of block 8t + b, value 32t + 16 + 2b + c is w[2 + c]
//   double: 16 values of two words each; value 16t + b is (w0 low, w1 high) of block 8t + b, value 16t + 8 + b (w2, w3)
// Of each value's bits the uniform numbers take the highest: 24 for float, 53 for double.
#pragma once
#include "math-inl.h"

INLINE Vec<double> of_integer(uint64_t a) { return Vec<double>::of_bits(a); }
// Lane i holds i as an integer. The numbers are copied as bytes: an array of integers may not be read as doubles.
INLINE Vec<double> lane_integers() {
  static constexpr uint64_t integers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  Vec<double> lanes;
  static_assert(sizeof lanes == sizeof integers, "eight lanes of 64 bits");
  __builtin_memcpy(&lanes, integers, sizeof lanes);
  return lanes;
}

// The two vectors of values of tile t, as bits.
template <class T>
struct Draws {
  static constexpr size_t size = 2 * Vec<T>::lanes;
  Vec<T> bits[2];
};
template <class T>
INLINE Draws<T> philox_tile(const Counter& at, uint64_t t) {
  const uint64_t block = 8 * t;
  const Vec<double> low = of_integer(0xffffffff);
  Vec<double> c0 = lane_integers() | of_integer(block & 0xffffffff);
  Vec<double> c1 = of_integer(at.stream), c2 = of_integer(at.step & 0xffffffff);
  Vec<double> c3 = of_integer((at.step >> 32 & 0xffff) | (block >> 32 & 0xffff) << 16);
  uint32_t key0 = uint32_t(at.seed), key1 = uint32_t(at.seed >> 32);
  for (int round = 0; round < 10; ++round) {  // high halves of the lanes may hold anything until the end
    const Vec<double> p0 = multiply_low_halves(c0, of_integer(0xD2511F53));
    const Vec<double> p1 = multiply_low_halves(c2, of_integer(0xCD9E8D57));
    c0 = shift_right<32>(p1) ^ c1 ^ of_integer(key0);
    c2 = shift_right<32>(p0) ^ c3 ^ of_integer(key1);
    c1 = p1, c3 = p0;
    key0 += 0x9E3779B9, key1 += 0xBB67AE85;
  }
  const Vec<double> words[2] = {(c0 & low) | shift_left<32>(c1), (c2 & low) | shift_left<32>(c3)};
  Draws<T> tile;
  static_assert(sizeof tile == sizeof words, "a tile is eight blocks of four words");
  __builtin_memcpy(&tile, words, sizeof tile);
  return tile;
}

// body(bits, i, count) for the values first + i of [first, first + n), a vector or less at a time.
template <class T, class F>
INLINE void for_values(const Counter& at, size_t first, size_t n, F body) {
  constexpr size_t lanes = Vec<T>::lanes, size = Draws<T>::size;
  for (size_t i = 0; i < n;) {
    const size_t offset = (first + i) % size;
    const Draws<T> tile = philox_tile<T>(at, (first + i) / size);
    if (offset == 0 && n - i >= size) {
      body(tile.bits[0], i, int(lanes));
      body(tile.bits[1], i + lanes, int(lanes));
      i += size;
    } else {
      T values[size];
      store(values, tile.bits[0]), store(values + lanes, tile.bits[1]);
      const size_t end = size - offset < n - i ? size : offset + (n - i);
      for (size_t p = offset; p < end;) {
        const size_t count = end - p < lanes ? end - p : lanes;
        body(load_partial(values + p, int(count)), i, int(count));
        p += count, i += count;
      }
    }
  }
}
