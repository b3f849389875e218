// The engine's device with a clock around each call and around each kernel that the calling thread runs.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

#include "kernels/device.h"

namespace bench {

using namespace gradus;

// The processor's counter where it has one that costs little.
inline uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// What a device is asked for: the kernels, products by what they are for, and what is no single kernel.
#define BENCH_MORE_KINDS(KIND) KIND(forward) KIND(dX) KIND(dW) KIND(update) KIND(histograms)
enum class Kind {
#define KERNEL(name, ...) name,
#include "kernels/kernels.def"
#undef KERNEL
#define KIND(name) name,
  BENCH_MORE_KINDS(KIND)
#undef KIND
};
constexpr const char* kind_names[] = {
#define KERNEL(name, ...) #name,
#include "kernels/kernels.def"
#undef KERNEL
#define KIND(name) #name,
    BENCH_MORE_KINDS(KIND)
#undef KIND
};
#undef BENCH_MORE_KINDS
constexpr size_t kinds = std::size(kind_names);

// In kernels, on this thread.
struct Inside {
  uint64_t ticks = 0, calls = 0;
};
inline thread_local Inside inside;

// `which` sets kernels of the same type apart.
template <auto which, class Pointer>
struct TimedKernel;
template <auto which, class... Arguments>
struct TimedKernel<which, void (*)(Arguments...)> {
  using Pointer = void (*)(Arguments...);
  static Pointer wrap(Pointer original) {
    kernel = original;
    return call;
  }

 private:
  static inline Pointer kernel = nullptr;
  static void call(Arguments... arguments) {
    const uint64_t start = ticks();
    kernel(arguments...);
    inside.ticks += ticks() - start;
    ++inside.calls;
  }
};

// The same with each kernel of float32 timed.
inline Isa timed(const Isa& isa) {
  Isa copy = isa;
#define KERNEL(name, ...) \
  copy.float32.name = TimedKernel<&Kernels<float>::name, decltype(copy.float32.name)>::wrap(isa.float32.name);
#include "kernels/kernels.def"
#undef KERNEL
  return copy;
}

struct Entry {
  uint64_t ticks = 0, calls = 0;
  Inside inside;
};
class Book {
 public:
  template <class Body>
  void time(Kind kind, const Body& body) {
    const Inside before = inside;
    const uint64_t start = ticks();
    body();
    const uint64_t end = ticks();
    Entry& entry = entries_[size_t(kind)];
    entry.ticks += end - start;
    ++entry.calls;
    entry.inside.ticks += inside.ticks - before.ticks;
    entry.inside.calls += inside.calls - before.calls;
  }
  const Entry& of(Kind kind) const { return entries_[size_t(kind)]; }

 private:
  std::array<Entry, kinds> entries_;
};

// Each kernel by its own name. The arguments of kernels.def's only piece, which is all of it, are those of the call.
template <class T>
class TimedKernels : public Device<T> {
 public:
  TimedKernels(const Device<T>& device, Book& book) : device_(device), book_(book) {}

#define KERNEL(name, arguments, extent, piece)           \
  void name arguments const override {                   \
    [[maybe_unused]] constexpr size_t first = 0;         \
    [[maybe_unused]] const size_t count = extent;        \
    book_.time(Kind::name, [&] { device_.name piece; }); \
  }
#include "kernels/kernels.def"
#undef KERNEL

 protected:
  const Device<T>& device_;
  Book& book_;

 private:
  static size_t whole() { return 1; }
  static size_t by_elements(size_t n) { return n; }
  static size_t by_chunks(size_t n) { return n; }
  static size_t by_rows(size_t rows, size_t) { return rows; }
  static size_t by_blocks(size_t rows, size_t) { return rows; }
  static size_t by_columns(size_t columns, size_t) { return columns; }
  static size_t by_tiles(const Matmul<T>&) { return 1; }
  static const Matmul<T>& tile(const Matmul<T>& task, size_t) { return task; }
  template <class Task>
  static size_t by_parts(const Task& task) {
    return task.length();
  }
  template <class... Sizes>
  static T* own(T* workspace, const Sizes&...) {
    return workspace;
  }
};

template <class T>
class TimedDevice final : public TimedKernels<T> {
 public:
  using TimedKernels<T>::TimedKernels;

  void matmul(const Matmul<T>& task, T* workspace) const override {
    book_.time(purpose_of(task), [&] { device_.matmul(task, workspace); });
  }
  void update(UpdateRule rule, const Update<T>& common, const UpdateBlocks<T>& blocks,
              UpdateSums* sums) const override {
    book_.time(Kind::update, [&] { device_.update(rule, common, blocks, sums); });
  }
  void histograms(const Stretch<T>* stretches, size_t count, double* counts) const override {
    book_.time(Kind::histograms, [&] { device_.histograms(stretches, count, counts); });
  }

 private:
  using TimedKernels<T>::device_;
  using TimedKernels<T>::book_;

  // The gradient of the weights takes the inputs transposed, that of the inputs the weights.
  static Kind purpose_of(const Matmul<T>& task) {
    if (task.a_row == 1 && task.a_column != 1) return Kind::dW;
    if (task.b_row == 1 && task.b_column != 1) return Kind::dX;
    return Kind::forward;
  }
};

}  // namespace bench
