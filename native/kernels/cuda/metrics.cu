// Metrics: sums over rows, in order, which one thread makes.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

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
}
template void put_metrics(Kernels<float>&);
template void put_metrics(Kernels<double>&);

}  // namespace gradus::cuda
