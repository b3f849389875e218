// 64-bit fingerprints of the choices that a forward pass makes: which side of a kink each value lies on, which of
// several wins. Two passes with equal fingerprints ran through the same smooth pieces. All of it is static: the files
// of the instruction sets include it too, and nothing may leave their objects.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus {

// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): each bit of x changes about half of the result's.
static constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
static constexpr uint64_t fold(uint64_t fingerprint, uint64_t word) {
  return mix(fingerprint ^ word) + 0x9e3779b97f4a7c15;
}

}  // namespace gradus
