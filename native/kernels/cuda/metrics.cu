// Metrics: sums over rows, in order, which one thread makes, or of losses one team.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class T>
struct RowLosses {
  T of[text::Vec<T>::lanes];
};

template <class T>
GPU_KERNEL void add_log_losses(const Metric<T> metric) {
  if (gpu::thread() < text::Vec<T>::lanes) text::add_log_losses(metric, gpu::shared<RowLosses<T>>().of);
}
template <class T>
void log_loss(const Metric<T>& metric) {
  if (metric.rows > 0) gpu::launch(add_log_losses<T>, {1, gpu::warp, sizeof(RowLosses<T>)}, metric);
}

}  // namespace

template <class T>
void put_metrics(Kernels<T>& table) {
  THREADS(accuracy);
  THREADS(top_k);
  THREADS(confusion_matrix);
  THREADS(class_counts);
  THREADS(errors);
  THREADS(answers_by_score);
  THREADS(r2);
  THREADS(put_back);
  table.log_loss = log_loss<T>;
}
PUT(metrics);

}  // namespace gradus::cuda
