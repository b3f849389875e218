#include "objective.h"

namespace gradus {

namespace {
struct LossTraits {
  bool labels, dense;
  double threshold;
};
constexpr LossTraits traits[] = {
#define LOSS(name, labels, dense, threshold) {labels, dense, threshold},
#include "losses.def"
#undef LOSS
};
}  // namespace

bool loss_takes_labels(const LossPlan& loss) { return traits[loss.kind].labels; }
bool loss_takes_dense(const LossPlan& loss) { return traits[loss.kind].dense; }
double yes_threshold(const LossPlan& loss) { return traits[loss.kind].threshold; }

template <class T>
double loss_of(const LossPlan& plan, const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, T* losses,
               T* gradient) {
  using Kernel = void (*)(const Loss<T>&);
  const Kernel kernels[] = {
#define LOSS(name, labels, dense, threshold) pass.kernels->name,
#include "losses.def"
#undef LOSS
  };
  const size_t columns = batch.columns();
  pass.row_blocks(pass.batch, columns, [&](size_t first, size_t rows) {
    Loss<T> loss;
    loss.rows = rows, loss.columns = columns;
    loss.scores = scores + first * columns;
    loss.labels = batch.labels() ? batch.labels() + first : nullptr;
    loss.targets = batch.targets() ? batch.targets() + first * columns : nullptr;
    loss.weights = batch.weights() ? batch.weights() + first : nullptr;
    loss.scale = T(scale);
    loss.parameter = T(plan.parameter);
    loss.losses = losses + first;
    loss.gradient = gradient ? gradient + first * columns : nullptr;
    kernels[plan.kind](loss);
  });
  double sum = 0;
  for (size_t i = 0; i < pass.batch; ++i) sum += double(losses[i]);
  return sum;
}

#define INSTANTIATE(T) template double loss_of<T>(const LossPlan&, const Batch<T>&, Pass<T>&, const T*, double, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
