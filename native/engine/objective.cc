#include "objective.h"

#include "host.h"

namespace gradus {

namespace {
// A loss of the host's: it gives losses and slopes of the examples, weights and scale come in here.
template <class T>
void custom_losses(const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, T* losses, T* gradient) {
  if (!pass.host) throw Error("GRADUS_BAD_DESCRIPTOR", "loss: a custom loss needs a host");
  const size_t rows = pass.batch, columns = batch.columns(), n = rows * columns;
  HostCall call;
  call.kind = HostCall::Kind::loss;
  call.batch = rows;
  call.training = pass.training && pass.randomness;
  call.inputs = {{scores, n}};
  call.inputs.push_back(batch.labels() ? HostInput{batch.labels(), rows, true} : HostInput{batch.targets(), n});
  call.outputs = {{losses, rows}};
  pass.host->run(call);
  pass.host_loss_fingerprint = call.fingerprint;
  if (gradient) {
    call.kind = HostCall::Kind::loss_slope;
    call.outputs = {{gradient, n}};
    pass.host->run(call);
  }
  for (size_t i = 0; i < rows; ++i) {
    const T weight = batch.weights() ? batch.weights()[i] : T(1);
    losses[i] *= weight;
    for (size_t j = 0; gradient && j < columns; ++j) gradient[i * columns + j] *= T(scale) * weight;
  }
}

template <class T>
void kernel_losses(const LossPlan& plan, const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, T* losses,
                   T* gradient) {
  using Kernel = void (*)(const Loss<T>&);
  const Kernel kernels[] = {
#define LOSS(name, ...) pass.kernels->name,
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
}
}  // namespace

template <class T>
double loss_of(const LossPlan& plan, const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, T* losses,
               T* gradient) {
  if (plan.kind == custom_loss)
    custom_losses(batch, pass, scores, scale, losses, gradient);
  else
    kernel_losses(plan, batch, pass, scores, scale, losses, gradient);
  double sum = 0;
  for (size_t i = 0; i < pass.batch; ++i) sum += double(losses[i]);
  return sum;
}

namespace {
// Which side of a kink element (row, column) lies on, or nothing for a loss without kinks.
template <class T>
struct Element {
  const T* scores;  // of its row
  size_t column, label;
  T target, parameter;
  T score() const { return scores[column]; }
};
template <class T>
bool too_near_label(const Element<T>& at) {
  return at.column != at.label && at.score() - at.scores[at.label] + at.parameter > 0;
}
template <class T>
bool within_margin(const Element<T>& at) {
  return at.parameter - (at.column == at.label ? at.score() : -at.score()) > 0;
}
template <class T>
bool within_delta(const Element<T>& at) {
  return std::fabs(at.score() - at.target) <= at.parameter;
}
template <class T>
constexpr bool (*smooth)(const Element<T>&) = nullptr;
}  // namespace

template <class T>
uint64_t loss_fingerprint(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores) {
  using Side = bool (*)(const Element<T>&);
  constexpr Side sides[] = {
#define LOSS(name, labels, dense, threshold, side, bend) side<T>,
#include "losses.def"
#undef LOSS
  };
  if (plan.kind == custom_loss) return pass.host_loss_fingerprint;
  if (!sides[plan.kind]) return 0;
  const size_t columns = batch.columns();
  return fold_choices(0, pass.batch * columns, [&](size_t i) {
    const size_t row = i / columns;
    return sides[plan.kind]({scores + row * columns, i % columns, batch.labels() ? size_t(batch.labels()[row]) : 0,
                             batch.targets() ? batch.targets()[i] : T(0), T(plan.parameter)});
  });
}

#define INSTANTIATE(T)                                                                              \
  template double loss_of<T>(const LossPlan&, const Batch<T>&, Pass<T>&, const T*, double, T*, T*); \
  template uint64_t loss_fingerprint<T>(const LossPlan&, const Batch<T>&, const Pass<T>&, const T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
