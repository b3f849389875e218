// Rows that kernels look at several times: a team has one in registers, so that it is read once and what comes of it is
// written once.
#pragma once
#include "pieces.h"

namespace gradus::cuda {
namespace {

// At most so many vectors of it.
template <class T, int most>
struct Row {
  using Vec = text::Vec<T>;
  static constexpr int lanes = Vec::lanes, group = most < 8 ? most : 8;
  Vec values[most];
  const int columns;

  GPU_INLINE Row(const T* x, int columns) : columns(columns) {
    // No branch between two loads: all are under way at once.
    GPU_UNROLLED
    for (int v = 0; v < most; ++v) values[v] = text::load_partial(x + v * lanes, columns - v * lanes);
  }
  // body(number of a vector, its first column, how many of its lanes are in the row)
  template <class F>
  GPU_INLINE void for_vectors(F body) const {
    GPU_UNROLLED
    for (int v = 0; v < most; ++v) {
      const int j = v * lanes, n = columns - j < lanes ? columns - j : lanes;
      if (n > 0) body(v, j, n);
    }
  }
  // By groups of vectors: read(number in the group, first column, how many lanes) for all of a group, also where no
  // lane is in the row, before write(number in the group, number of the vector, first column, how many) for each that
  // is there. What is written may be what is read next, for all that a compiler knows, and a thread would wait for one
  // read after the other.
  template <class R, class W>
  GPU_INLINE void for_groups(R read, W write) const {
    GPU_UNROLLED
    for (int first = 0; first < most; first += group) {
      GPU_UNROLLED
      for (int i = 0; i < group; ++i) read(i, (first + i) * lanes, columns - (first + i) * lanes);
      GPU_UNROLLED
      for (int i = 0; i < group; ++i) {
        const int j = (first + i) * lanes, n = columns - j < lanes ? columns - j : lanes;
        if (n > 0) write(i, first + i, j, n);
      }
    }
  }
  GPU_INLINE T maximum() const {
    const Vec least(-text::infinity<T>());
    Vec largest = least;
    for_vectors([&](int v, int, int n) {
      largest = text::max(largest, n == lanes ? values[v] : text::select(text::first_lanes<T>(n), values[v], least));
    });
    return text::max_lane(largest);
  }
};

// body(the most vectors of a row, as a constant), or false where rows are longer.
template <class T, class F>
bool with_most_vectors(size_t columns, F body) {
  constexpr int most = 256 / sizeof(T);  // 64 registers
  const size_t vectors = (columns + text::Vec<T>::lanes - 1) / text::Vec<T>::lanes;
  if (vectors > most) return false;
  if (vectors <= 1) {
    body(text::Constant<1>());
  } else if (vectors <= 4) {
    body(text::Constant<4>());
  } else if (vectors <= 16) {
    body(text::Constant<16>());
  } else {
    body(text::Constant<most>());
  }
  return true;
}

}  // namespace
}  // namespace gradus::cuda
