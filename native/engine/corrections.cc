#include "corrections.h"

#include "names.h"

namespace gradus {
namespace {

// By squaring: the same bits everywhere, which the C library's pow does not promise.
double power(double base, uint64_t exponent) {
  double result = 1;
  for (; exponent; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

}  // namespace

Corrections::Corrections(const OptimizerPlan& plan, const Isa& isa)
    : corrects_(plan.corrects_bias),
      is_nadam_(optimizer_names()[plan.kind] == "nadam"),
      decay_rate_(plan.decay_rate),
      momentum_decay_(plan.momentum_decay),
      kernels_(&kernels_of<double>(isa)) {}

// beta1 · (1 − 0.96^(t · decay) / 2): the warm-up of momentum in Dozat's paper.
double Corrections::nadam_momentum(uint64_t t, double momentum) const {
  constexpr double log_of_base = -0.040821994520255166;  // ln 0.96
  const double exponent = double(t) * momentum_decay_ * log_of_base;
  double power = 1;
  kernels_->exp(&exponent, 1, &power);
  return momentum * (1 - 0.5 * power);
}

void Corrections::advance_product(uint64_t t, double momentum) {
  if (t < product_step_ || momentum != product_momentum_) product_step_ = 0, product_ = 1, product_momentum_ = momentum;
  while (product_step_ < t) product_ *= nadam_momentum(++product_step_, momentum);
}

template <class T>
void Corrections::set(uint64_t step, double momentum, Update<T>& update) {
  if (!corrects_) return;
  const uint64_t t = step + 1;
  update.correction2 = T(1 / (1 - power(decay_rate_, t)));
  if (!is_nadam_) {
    update.correction1 = T(1 / (1 - power(momentum, t)));
    return;
  }
  const double now = nadam_momentum(t, momentum), next = nadam_momentum(t + 1, momentum);
  advance_product(t, momentum);
  update.gradient_share = T((1 - now) / (1 - product_));
  update.correction1 = T(next / (1 - product_ * next));
}

template void Corrections::set(uint64_t, double, Update<float>&);
template void Corrections::set(uint64_t, double, Update<double>&);

}  // namespace gradus
