// Memory copied and filled, rows gathered from datasets and tables, numbers added up in order.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class T>
void transpose(const T* x, size_t rows, size_t columns, T* y) {
  launch_pieces<1>(by_elements(rows * columns),
                   [=] GPU_LAMBDA(size_t i, size_t) { y[i] = x[i % rows * columns + i / rows]; });
}

template <class T>
void find_nonfinite(const T* x, size_t n, bool& found) {
  bool* const flag = &found;
  launch_pieces<1>(by_elements(n), [=] GPU_LAMBDA(size_t i, size_t) {
    if (text::is_finite(x[i])) return;
    planted(Mistake::flag_stored_plainly) ? void(*flag = true) : gpu::raise(flag);
  });
}

// In order, as the bits want it: one thread does it.
template <class T>
void sum(const T* x, size_t n, double& total) {
  double* const to = &total;
  launch_pieces<1>(whole(), [=] GPU_LAMBDA(size_t, size_t) { text::sum<T>(x, n, *to); });
  if (planted_in_host(Mistake::result_read_by_host) && total != total) total = 0;
}
template <class T>
void squares(const T* x, size_t n, double& total) {
  double* const to = &total;
  launch_pieces<1>(whole(), [=] GPU_LAMBDA(size_t, size_t) { text::squares<T>(x, n, *to); });
}
template <class T>
void penalty_sums(const T* w, size_t n, double& absolutes, double& squares) {
  double *const to = &absolutes, *const to_squares = &squares;
  launch_pieces<1>(whole(), [=] GPU_LAMBDA(size_t, size_t) { text::penalty_sums<T>(w, n, *to, *to_squares); });
}

}  // namespace

template <class T>
void put_moving(Kernels<T>& table) {
  TEAMS(copy);
  TEAMS(fill);
  TEAMS(copy_columns);
  THREADS(gather_examples);
  THREADS(gather_numbers);
  THREADS(gather_weights);
  THREADS(convert_bytes);
  table.transpose = transpose<T>;
  table.find_nonfinite = find_nonfinite<T>;
  table.sum = sum<T>;
  table.squares = squares<T>;
  table.penalty_sums = penalty_sums<T>;
}
PUT(moving);

}  // namespace gradus::cuda
