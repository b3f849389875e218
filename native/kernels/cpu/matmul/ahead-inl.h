// Fetching ahead: what will be copied next comes into the second cache while tiles are computed, so that the copies
// need not wait for memory.

// Part of an operand as it lies: rows of cache lines.
struct Ahead {
  const char* line = nullptr;
  size_t left = 0, lines = 0, jump = 0;  // lines left in this row, and in a row; bytes from a row's end to the next
  size_t total = 0;                      // lines left in all

  INLINE_PLAIN void fetch(size_t count) {
    for (count = count < total ? count : total, total -= count; count > 0; --count) {
      __builtin_prefetch(line, 0, 2);
      line += cache_line;
      if (--left == 0) {
        left = lines;
        line += jump;
      }
    }
  }
  static constexpr size_t cache_line = 64;
};

// `rows` stretches of `length` elements, `stride` apart.
template <class T>
INLINE Ahead ahead_of(const T* from, size_t stride, size_t rows, size_t length) {
  constexpr size_t line = Ahead::cache_line;
  const size_t into_line = reinterpret_cast<size_t>(from) % line;
  const size_t lines = (into_line + length * sizeof(T) + line - 1) / line;
  return {reinterpret_cast<const char*>(from) - into_line, lines, lines, stride * sizeof(T) - lines * line,
          lines * rows};
}
