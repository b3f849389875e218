// What a device is: the kernels of kernels.def, for callers that do not care how they are cut or where they run. The
// calls of one device run one after the other.
#pragma once
#include "kernels.h"

namespace gradus {

// All that an update moves.
template <class T>
struct UpdateBlocks {
  const UpdateBlock<T>* here = nullptr;   // the host's
  const UpdateBlock<T>* there = nullptr;  // where kernels read them
  const size_t* groups = nullptr;         // group i of them, from groups[i] to groups[i + 1], is worth a thread's while
  size_t group_count = 0;
  unsigned kinds = 0;  // a bit for each that there is
  size_t count() const { return groups[group_count]; }
};

template <class T>
class Device {
 public:
  virtual ~Device() = default;

#define KERNEL(name, arguments, ...) virtual void name arguments const = 0;
#include "kernels.def"
#undef KERNEL

  // The device brings the workspace.
  void matmul(const Matmul<T>& task) const { matmul(task, nullptr); }
  // One update of all blocks, whose sums are overwritten.
  virtual void update(UpdateRule rule, const Update<T>& common, const UpdateBlocks<T>& blocks,
                      UpdateSums* sums) const = 0;
  // How many elements of each stretch fall into each bin: histogram_bins counts a stretch, overwritten.
  virtual void histograms(const Stretch<T>* stretches, size_t count, double* counts) const = 0;
};

}  // namespace gradus
