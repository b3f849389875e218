// 64-bit fingerprints of the choices that a forward pass makes: which side of a kink each value lies on, which of
// several wins. Two passes with equal fingerprints ran through the same smooth pieces. All of it is static: the files
// of the instruction sets include it too, and nothing may leave their objects.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus {

// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): each bit of x changes about half of the result's.
static inline uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
static inline uint64_t fold(uint64_t fingerprint, uint64_t word) {
  return mix(fingerprint ^ word) + 0x9e3779b97f4a7c15;
}

// choice(i): true or false for each i below n; 64 of them make a word.
template <class Choice>
static inline uint64_t fold_choices(uint64_t fingerprint, size_t n, const Choice& choice) {
  for (size_t first = 0; first < n; first += 64) {
    const size_t count = n - first < 64 ? n - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < count; ++i) word |= uint64_t(choice(first + i)) << i;
    fingerprint = fold(fingerprint, word);
  }
  return fingerprint;
}

}  // namespace gradus
