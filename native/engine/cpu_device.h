// The processor as a device: it cuts each kernel as kernels.def says, for the threads of one call, and calls the table
// of an instruction set.
#pragma once
#include <algorithm>

#include "kernels/device.h"
#include "memory.h"
#include "pool.h"

namespace gradus {

template <class T>
class CpuDevice final : public Device<T> {
 public:
  // The workspaces of the threads come from the memory given, as far as they have not grown already.
  CpuDevice(const Isa& isa, const Pool::Share& share, Memory& memory = host_memory())
      : kernels_(kernels_of<T>(isa)), share_(share), memory_(memory) {}

#define KERNEL(name, arguments, extent, piece)                                                               \
  void name arguments const override {                                                                       \
    cut(extent, [&]([[maybe_unused]] size_t first, [[maybe_unused]] size_t count) { kernels_.name piece; }); \
  }
#include "kernels/kernels.def"
#undef KERNEL

  void update(UpdateRule rule, const Update<T>& common, const UpdateBlocks<T>& blocks, UpdateSums* sums) const override;
  void histograms(const Stretch<T>* stretches, size_t count, double* counts) const override;

 private:
  // n of something, cut at multiples of `block` of them; less than two blocks are not worth a second thread.
  struct Extent {
    size_t n, block;
  };
  static constexpr size_t elements_worth_sharing = size_t(1) << 14;  // with a second thread, at least
  static Extent by_elements(size_t n) { return {n, elements_worth_sharing}; }
  static Extent by_rows(size_t rows, size_t columns) {
    return {rows, std::max<size_t>(1, elements_worth_sharing / std::max<size_t>(1, columns))};
  }
  // In whole cache lines.
  static Extent by_columns(size_t columns, size_t rows) {
    constexpr size_t line = 64;
    return {columns, (elements_worth_sharing / std::max<size_t>(1, rows) + line) / line * line};
  }
  // At ends of blocks.
  static Extent by_blocks(size_t rows, size_t columns) {
    return {rows, blocks_of(by_rows(rows, columns).block) * block_rows};
  }
  static Extent by_chunks(size_t n) {
    static_assert(elements_worth_sharing % update_chunk == 0 && elements_worth_sharing % moments_chunk == 0);
    return by_elements(n);
  }
  static Extent whole() { return {1, 1}; }
  // One tile a thread; they are numbered.
  Extent by_tiles(const Matmul<T>& task) const;
  Matmul<T> tile(const Matmul<T>& task, size_t number) const;
  // As the task says.
  template <class Task>
  static Extent by_parts(const Task& task) {
    return {task.length(), task.length_of_part()};
  }
  // The workspace of the thread that asks, whatever is given. Throws GRADUS_OUT_OF_MEMORY.
  T* own(T* workspace) const;
  T* own(T* workspace, const ConvolutionShape& shape) const;
  T* own(T* workspace, size_t elements) const;

  template <class Body>
  void cut(Extent extent, const Body& body) const {
    const auto [n, block] = extent;
    if (n < 2 * block || share_.threads() == 1) return body(size_t(0), n);
    share_.parallel((n + block - 1) / block, [&, n = n, block = block](size_t piece) {
      body(piece * block, std::min(block, n - piece * block));
    });
  }

  const Kernels<T>& kernels_;
  const Pool::Share& share_;
  Memory& memory_;
};

}  // namespace gradus
