// The rows of a table that a batch names, their gradients added, and histograms.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// Each element is one thread's; on a processor a row is copied at once.
template <class T>
void gather_rows(const T* from, size_t columns, const int32_t* rows, size_t n, T* y) {
  launch_pieces<1>(by_elements(n * columns), [=] GPU_LAMBDA(size_t i, size_t) {
    y[i] = from[size_t(rows[i / columns]) * columns + i % columns];
  });
}

// Column j of the table, block after block of positions: what one block has for the same row is summed first, in order.
template <class T>
GPU_INLINE void scatter_column(const T* dy, size_t columns, const int32_t* rows, size_t n, T* table, size_t j) {
  for (size_t start = 0; start < n; start += block_rows) {
    const size_t end = n - start < block_rows ? n : start + block_rows;
    for (size_t i = start; i < end; ++i) {
      bool is_later = false;
      for (size_t k = start; k < i && !is_later; ++k) is_later = rows[k] == rows[i];
      if (is_later) continue;
      T total = dy[i * columns + j];
      for (size_t k = i + 1; k < end; ++k)
        if (rows[k] == rows[i]) total = total + dy[k * columns + j];
      T& sum = table[size_t(rows[i]) * columns + j];
      sum = sum + total;
    }
  }
}
template <class T>
void scatter_add_rows(const T* dy, size_t columns, const int32_t* rows, size_t n, T* table) {
  launch_pieces<1>(by_elements(columns),
                   [=] GPU_LAMBDA(size_t j, size_t) { scatter_column(dy, columns, rows, n, table, j); });
}

// Whole numbers: the order of the threads does not show.
template <class T>
void histogram(const T* x, size_t n, uint32_t* counts) {
  launch_pieces<1>(by_elements(n), [=] GPU_LAMBDA(size_t i, size_t) {
    const auto bin = gpu::bits_of(text::bin_of(text::Vec<T>(x[i])).r.value);
    if (bin < histogram_bins) gpu::atomic_add(counts + bin, 1);
  });
}

}  // namespace

template <class T>
void put_embedding(Kernels<T>& table) {
  table.gather_rows = gather_rows<T>;
  table.scatter_add_rows = scatter_add_rows<T>;
  table.histogram = histogram<T>;
}
PUT(embedding);

}  // namespace gradus::cuda
