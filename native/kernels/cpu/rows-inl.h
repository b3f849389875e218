// Moving rows between a table and a batch, and widening bytes.
#pragma once
#include "vectors-inl.h"

// y(n, columns): row i is row rows[i] of the table.
template <class T>
FUNCTION void gather_rows(const T* table, size_t columns, const int32_t* rows, size_t n, T* y) {
  for (size_t i = 0; i < n; ++i)
    __builtin_memcpy(y + i * columns, table + size_t(rows[i]) * columns, columns * sizeof(T));
}

// Which positions of one block name the same row of a table: chains of them in order, each begun by the first. Most
// blocks have no two, so a row that is new costs one look at its place.
struct RepeatedRows {
  static constexpr size_t places = 512;
  static constexpr uint8_t none = 255;
  static_assert(block_rows < none);
  uint8_t first[places];      // the first position of the newest chain whose row has this place
  uint8_t older[block_rows];  // of a chain's first position: that of another chain with the same place
  uint8_t next[block_rows];   // the next position of the chain
  uint8_t last[block_rows];   // of a chain's first position: its last, where there is a next
  bool is_later[block_rows];  // not the first of its chain
  bool found = false;

  INLINE_PLAIN RepeatedRows(const int32_t* rows, size_t n) {
    __builtin_memset(first, none, sizeof first);
    __builtin_memset(older, none, sizeof older);
    __builtin_memset(next, none, sizeof next);
    __builtin_memset(is_later, 0, sizeof is_later);
    for (size_t i = 0; i < n; ++i) {
      uint8_t& place = first[size_t(rows[i]) % places];
      if (place != none) {
        uint8_t chain = place;
        while (chain != none && rows[chain] != rows[i]) chain = older[chain];
        if (chain != none) {
          found = is_later[i] = true;
          next[next[chain] == none ? chain : last[chain]] = uint8_t(i);
          last[chain] = uint8_t(i);
          continue;
        }
        older[i] = place;
      }
      place = uint8_t(i);
    }
  }
};

// table[rows[i]] += dy[i], block after block of positions: what one block has for the same row is summed first, in
// order.
template <class T>
FUNCTION void scatter_add_rows(const T* dy, size_t columns, const int32_t* rows, size_t n, T* table) {
  for_blocks(n, [&](size_t, size_t start, size_t end) INLINE_LAMBDA {
    const RepeatedRows repeated(rows + start, end - start);
    const auto add = [&](size_t i, auto total_of) INLINE_LAMBDA {
      T* const row = table + size_t(rows[start + i]) * columns;
      const T* const values = dy + (start + i) * columns;
      for_vectors<T>(columns, [&](size_t j, int count) INLINE_LAMBDA {
        store_lanes(row + j, load_lanes(row + j, count) + total_of(load_lanes(values + j, count), j, count), count);
      });
    };
    const auto alone = [](Vec<T> value, size_t, int) INLINE_LAMBDA { return value; };
    if (!repeated.found) {
      for (size_t i = 0; i < end - start; ++i) add(i, alone);
      return;
    }
    for (size_t i = 0; i < end - start; ++i) {
      if (repeated.is_later[i]) continue;
      add(i, [&](Vec<T> total, size_t j, int count) INLINE_LAMBDA {
        for (size_t k = repeated.next[i]; k != RepeatedRows::none; k = repeated.next[k])
          total = total + load_lanes(dy + (start + k) * columns + j, count);
        return total;
      });
    }
  });
}

// y = x · scale + offset, rounded once.
template <class T>
FUNCTION void convert_bytes(const uint8_t* x, size_t n, T scale, T offset, T* y) {
  for (size_t i = 0; i < n; ++i) y[i] = fused(T(x[i]), scale, offset);
}
