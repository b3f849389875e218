// Matrices between guards, and numbers to fill them with.
#pragma once
#include <random>
#include <vector>

#include "arrays.h"

namespace gradus::test {

constexpr size_t guard = 32;  // elements around an array and, with a wide stride, after each row

// A matrix with a row stride wider than a row; everything that is not an element holds a mark.
template <class T>
struct Matrix {
  static constexpr T mark = T(-12345.5);
  size_t rows, columns, stride;
  std::vector<T> memory;
  Matrix(size_t rows, size_t columns, size_t gap = 3)
      : rows(rows), columns(columns), stride(columns + gap), memory(2 * guard + rows * stride, mark) {}
  T* data() { return memory.data() + guard; }
  T& at(size_t i, size_t j) { return data()[i * stride + j]; }
  template <class F>
  void fill(F value) {
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) at(i, j) = value();
  }
  bool guards_untouched() const {
    for (size_t e = 0; e < memory.size(); ++e) {
      const bool inside = e >= guard && e < guard + rows * stride && (e - guard) % stride < columns;
      if (!inside && memory[e] != mark) return false;
    }
    return true;
  }
};

struct Integers {
  std::mt19937 engine{7};
  int operator()() { return static_cast<int>(engine() % 17) - 8; }
};
struct Reals {
  std::mt19937 engine{11};
  std::normal_distribution<double> normal;
  double operator()() { return normal(engine); }
};

inline const size_t sizes[17] = {1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 32, 33, 47, 48, 64, 67};

}  // namespace gradus::test
