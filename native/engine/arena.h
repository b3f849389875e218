// Memory of the engine: 64-byte aligned, zero-filled, on huge pages from 4 MiB on, sizes checked.
#pragma once
#include <cstring>
#include <memory>
#include <new>
#include <string>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "error.h"

namespace gradus {

// a · b, or GRADUS_TOO_LARGE.
inline size_t product(size_t a, size_t b) {
  if (b != 0 && a > SIZE_MAX / 2 / b) throw Error("GRADUS_TOO_LARGE", "a size overflows");
  return a * b;
}

inline size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

inline std::shared_ptr<uint8_t> allocate_zeroed(size_t bytes) {
  constexpr size_t huge_page = size_t(1) << 21;
  const std::align_val_t alignment{bytes >= 2 * huge_page ? huge_page : size_t(64)};
  void* memory = ::operator new(bytes ? bytes : 1, alignment, std::nothrow);
  if (!memory) throw Error("GRADUS_TOO_LARGE", "no memory for " + std::to_string(bytes) + " bytes");
#if defined(__linux__)
  if (bytes >= 2 * huge_page) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  std::memset(memory, 0, bytes);
  return {static_cast<uint8_t*>(memory), [alignment](uint8_t* p) { ::operator delete(p, alignment); }};
}

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { grow(size); }
  // At least this many elements; zeroed when it has to move.
  void grow(size_t size) {
    if (size <= size_) return;
    memory_ = allocate_zeroed(product(size, sizeof(T)));
    size_ = size;
  }
  T* data() { return reinterpret_cast<T*>(memory_.get()); }
  const T* data() const { return reinterpret_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  std::shared_ptr<uint8_t> memory_;
  size_t size_ = 0;
};

}  // namespace gradus
