// Memory of the engine: 64-byte aligned, zero-filled, sizes checked.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
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

[[noreturn]] inline void no_memory_for(size_t bytes) {
  throw Error("GRADUS_OUT_OF_MEMORY", "no memory for " + std::to_string(bytes) + " bytes");
}

// Arenas and buffers lie on huge pages. Datasets do not: the event loop's thread fills them, a slice at a time, and
// would stand still while the system clears the two megabytes that it touches first.
enum class Pages { huge, plain };

#if defined(__linux__)
// Fresh pages of the system are zero already and come one by one as they are touched: this takes no time.
inline std::shared_ptr<uint8_t> map_pages(size_t bytes, Pages pages) {
  constexpr size_t huge_page = size_t(1) << 21;
  const size_t mapped = bytes + huge_page;
  if (mapped < bytes) no_memory_for(bytes);
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) no_memory_for(bytes);
  uint8_t* aligned = reinterpret_cast<uint8_t*>(round_up(reinterpret_cast<size_t>(memory), huge_page));
  madvise(aligned, bytes, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return {aligned, [memory, mapped](uint8_t*) { munmap(memory, mapped); }};
}
#endif

inline std::shared_ptr<uint8_t> allocate_zeroed(size_t bytes, Pages pages) {
#if defined(__linux__)
  constexpr size_t large = size_t(1) << 22;
  if (bytes >= large) return map_pages(bytes, pages);
#endif
  (void)pages;  // the system's own choice
  // Aligned here: of aligned memory that was freed glibc finds none again, and the process grows with each array.
  constexpr size_t alignment = 64;
  void* memory = bytes + alignment < bytes ? nullptr : std::calloc(1, bytes + alignment);
  if (!memory) no_memory_for(bytes);
  uint8_t* aligned = reinterpret_cast<uint8_t*>(round_up(reinterpret_cast<size_t>(memory), alignment));
  return {aligned, [memory](uint8_t*) { std::free(memory); }};
}

}  // namespace gradus
