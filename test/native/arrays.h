// What tests of kernels on plain arrays share: numbers to begin with, bits to compare, both types on every ISA.
#pragma once
#include <cstring>
#include <random>
#include <vector>

#include "test.h"

namespace gradus::test {

// Normally distributed; the same for the same seed.
template <class T>
std::vector<T> numbers(size_t n, unsigned seed, double mean = 0, double deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<T> values(n);
  for (T& value : values) value = T(normal(random));
  return values;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// body(isa, a number of the type)
template <class F>
void for_both_types(F body) {
  for_each_isa([&](const Isa& isa) { body(isa, 0.0f), body(isa, 0.0); });
}

}  // namespace gradus::test
