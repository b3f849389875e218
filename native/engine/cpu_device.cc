#include "cpu_device.h"

#include "partition.h"
#include "kernels/update_part.h"

namespace gradus {

namespace {
// Less work than this many multiply-adds is done before a second thread has begun.
constexpr size_t matmul_worth_sharing = size_t(1) << 18;
constexpr size_t updates_worth_sharing = size_t(1) << 15;
constexpr size_t counts_worth_sharing = size_t(1) << 15;

// It grows with the largest task so far.
template <class T>
T* workspace_of_thread(size_t size, Memory& memory) {
  thread_local Buffer<T> workspace;
  workspace.grow(size, memory);
  return workspace.data();
}
}  // namespace

template <class T>
typename CpuDevice<T>::Extent CpuDevice<T>::by_tiles(const Matmul<T>& task) const {
  return {task.m * task.n * task.k < matmul_worth_sharing ? 1 : share_.threads(), 1};
}

template <class T>
Matmul<T> CpuDevice<T>::tile(const Matmul<T>& task, size_t number) const {
  return piece_of(task, by_tiles(task).n, number);
}

template <class T>
T* CpuDevice<T>::own(T*) const {
  return workspace_of_thread<T>(matmul_workspace, memory_);
}
template <class T>
T* CpuDevice<T>::own(T*, const ConvolutionShape& shape) const {
  return workspace_of_thread<T>(convolution_workspace(shape), memory_);
}
template <class T>
T* CpuDevice<T>::own(T*, size_t elements) const {
  return workspace_of_thread<T>(elements, memory_);
}

template <class T>
void CpuDevice<T>::update(UpdateRule rule, const Update<T>& common, const UpdateBlocks<T>& all,
                          UpdateSums* sums) const {
  const UpdateBlock<T>* const blocks = all.here;
  size_t elements = 0;
  for (size_t i = 0; i < all.count(); ++i) elements += blocks[i].n;
  const auto run_group = [&](size_t group) {
    for (size_t i = all.groups[group]; i < all.groups[group + 1]; ++i) {
      const bool is_directed = takes_direction(rule, blocks[i].is_directed);
      sums[i] = UpdateSums();
      const auto kernel = kernels_.*kernel_of<T>(is_directed ? UpdateRule::sgd : rule);
      kernel(part_of(common, blocks[i], is_directed), sums[i]);
    }
  };
  if (elements < updates_worth_sharing)
    for (size_t group = 0; group < all.group_count; ++group) run_group(group);
  else
    share_.parallel(all.group_count, run_group);
}

// Whole numbers: neither the cuts nor the threads change them.
template <class T>
void CpuDevice<T>::histograms(const Stretch<T>* stretches, size_t count, double* counts) const {
  size_t elements = 0;
  for (size_t i = 0; i < count; ++i) elements += stretches[i].n;
  const auto count_one = [&](size_t i) {
    uint32_t of_part[histogram_bins];
    double* to = counts + i * histogram_bins;
    std::fill_n(to, histogram_bins, 0.0);
    for (size_t first = 0; first < stretches[i].n; first += size_t(1) << 31) {
      std::fill_n(of_part, histogram_bins, 0u);
      kernels_.histogram(stretches[i].x + first, std::min(stretches[i].n - first, size_t(1) << 31), of_part);
      for (size_t bin = 0; bin < histogram_bins; ++bin) to[bin] += of_part[bin];
    }
  };
  if (elements < counts_worth_sharing)
    for (size_t i = 0; i < count; ++i) count_one(i);
  else
    share_.parallel(count, count_one);
}

template class CpuDevice<float>;
template class CpuDevice<double>;

}  // namespace gradus
