// Second derivatives of the losses by the scores.
#include <cmath>

#include "objective.h"

namespace gradus {
namespace {

// One example. Each function gives factor · the Hessian of its loss · tangent.
template <class T>
struct Bend {
  size_t columns;
  const T *scores, *tangent, *targets;  // targets: none for labels
  T parameter, factor;
  T* out;
};

// p · (ẋ − Σ p · ẋ) times the targets' sum
template <class T>
void of_softmax(const Bend<T>& row) {
  const double largest = double(*std::max_element(row.scores, row.scores + row.columns));
  const auto e = [&](size_t j) { return std::exp(double(row.scores[j]) - largest); };
  double total = 0, along = 0, mass = row.targets ? 0 : 1;
  for (size_t j = 0; j < row.columns; ++j) {
    total += e(j);
    along += e(j) * double(row.tangent[j]);
    if (row.targets) mass += double(row.targets[j]);
  }
  for (size_t j = 0; j < row.columns; ++j)
    row.out[j] = T(double(row.factor) * mass * (e(j) / total) * (double(row.tangent[j]) - along / total));
}

template <class T>
void straight(const Bend<T>& row) {
  std::fill_n(row.out, row.columns, T(0));
}

// The mean over the columns of losses whose second derivative is bend(score, target).
template <class T, class F>
void of_mean(const Bend<T>& row, F bend) {
  for (size_t j = 0; j < row.columns; ++j)
    row.out[j] =
        row.factor / T(row.columns) * bend(row.scores[j], row.targets ? row.targets[j] : T(0)) * row.tangent[j];
}
template <class T>
void of_square(const Bend<T>& row) {
  of_mean(row, [](T, T) { return T(2); });
}
template <class T>
void of_logistic(const Bend<T>& row) {
  of_mean(row, [](T score, T) {
    const T e = std::exp(-std::fabs(score));  // σ(1 − σ) is even
    return e / ((1 + e) * (1 + e));
  });
}
template <class T>
void of_huber(const Bend<T>& row) {
  of_mean(row, [&](T score, T target) { return std::fabs(score - target) <= row.parameter ? T(1) : T(0); });
}

}  // namespace

template <class T>
void loss_gradient_tangent(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores,
                           const T* tangent, double scale, T* gradient_tangent) {
  using Of = void (*)(const Bend<T>&);
  constexpr Of bends[] = {
#define LOSS(name, labels, dense, threshold, side, bend) bend<T>,
#include "losses.def"
#undef LOSS
  };
  if (plan.kind == custom_loss)
    throw Error("GRADUS_NO_SECOND_DERIVATIVE", "loss: a custom loss has no second derivative");
  const size_t columns = batch.columns();
  for (size_t row = 0; row < pass.batch; ++row) {
    const size_t at = row * columns;
    const T weight = batch.weights() ? batch.weights()[row] : T(1);
    bends[plan.kind]({columns, scores + at, tangent + at, batch.targets() ? batch.targets() + at : nullptr,
                      T(plan.parameter), T(scale) * weight, gradient_tangent + at});
  }
}

#define INSTANTIATE(T)                                                                                                 \
  template void loss_gradient_tangent<T>(const LossPlan&, const Batch<T>&, const Pass<T>&, const T*, const T*, double, \
                                         T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
