// Metrics: sums over rows, in order, which one thread makes, or of losses one team; and what an update is judged by.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class T>
struct RowLosses {
  T of[text::Vec<T>::lanes];
};

template <class T>
struct LogLossParams {
  Metric<T> metric;
  const uint32_t* guard;
};
template <class T>
GPU_KERNEL void add_log_losses(const LogLossParams<T> params) {
  if (is_raised(params.guard) || gpu::thread() >= text::Vec<T>::lanes) return;
  text::add_log_losses(params.metric, gpu::shared<RowLosses<T>>().of);
}
template <class T>
void log_loss(const Metric<T>& metric) {
  if (metric.rows == 0) return;
  gpu::launch(add_log_losses<T>, {1, gpu::warp, sizeof(RowLosses<T>)}, LogLossParams<T>{metric, gpu::guard()});
}

// Whether an update may be made, which one thread says.
template <class T>
void judge(const Evidence& of, Verdict& verdict, uint32_t& halted) {
  Verdict* const to = &verdict;
  uint32_t* const flag = &halted;
  launch_pieces<1>(whole(), [=] GPU_LAMBDA(size_t, size_t) { text::judge<T>(of, *to, *flag); });
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
  table.judge = judge<T>;
}
PUT(metrics);

}  // namespace gradus::cuda
