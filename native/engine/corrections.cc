#include "corrections.h"

#include <cmath>

namespace gradus {

namespace {

// By squaring: the same bits everywhere, which the C library's pow does not promise.
double power(double base, uint64_t exponent) {
  double result = 1;
  for (; exponent; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

constexpr double log_of_base = -0.040821994520255166;  // ln 0.96

double exponential(const Kernels<double>& kernels, double x) {
  double e = 1;
  kernels.exp(&x, 1, &e);
  return e;
}

// 1 − e^−x, from 0 up, without what cancels near 0.
double one_less_exponential(const Kernels<double>& kernels, double x) {
  if (x > 0.01) return 1 - exponential(kernels, -x);
  double term = x, sum = x;
  for (int i = 2; i < 9; ++i) sum += term *= -x / i;
  return sum;
}

bool follows_momenta(OptimizerKind kind) {
  return kind == OptimizerKind::adam || kind == OptimizerKind::amsgrad || kind == OptimizerKind::nadam;
}

// The warm-up of nadam's momentum in update t: 1 − 0.96^(t · decay) / 2 (Dozat 2016).
double warm_up(const Kernels<double>& kernels, double decay, uint64_t t) {
  return 1 - 0.5 * exponential(kernels, double(t) * decay * log_of_base);
}

// Π of the first t of them. With q = 0.96^decay its logarithm is Σᵢ ln(1 − qⁱ / 2) = −Σₖ 2⁻ᵏ / k · Σᵢ qⁱᵏ, where the
// inner sum is geometric and the outer one ends at the precision of a double.
double warm_up_product(const Kernels<double>& kernels, double decay, uint64_t t) {
  const double rate = -decay * log_of_base;  // q = e^−rate
  if (rate == 0) return power(0.5, t);
  double logarithm = 0;
  for (int k = 1; k <= 60; ++k) {
    const double in_all = one_less_exponential(kernels, rate * k * double(t)) / one_less_exponential(kernels, rate * k);
    logarithm -= std::ldexp(exponential(kernels, -rate * k) * in_all, -k) / k;
  }
  return exponential(kernels, logarithm);
}

}  // namespace

double first_product(const Plan& plan, uint64_t step) {
  return plan.optimizer && follows_momenta(plan.optimizer->kind) ? power(plan.optimizer->momentum, step) : 1;
}

Corrections corrections_of(const OptimizerPlan& plan, const Kernels<double>& kernels, uint64_t step, double momentum,
                           double product) {
  Corrections of;
  if (!follows_momenta(plan.kind)) return of;
  const uint64_t t = step + 1;
  // Of equal momenta a power, so that its bits do not depend on the way there.
  of.momentum_product = product == power(momentum, step) ? power(momentum, t) : product * momentum;
  if (!plan.corrects_bias) return of;
  of.correction2 = 1 / (1 - power(plan.decay_rate, t));
  if (plan.kind != OptimizerKind::nadam) {
    of.correction1 = 1 / (1 - of.momentum_product);
    return of;
  }
  const double now = momentum * warm_up(kernels, plan.momentum_decay, t);
  const double next = momentum * warm_up(kernels, plan.momentum_decay, t + 1);
  const double all = of.momentum_product * warm_up_product(kernels, plan.momentum_decay, t);
  of.gradient_share = (1 - now) / (1 - all);
  of.correction1 = next / (1 - all * next);
  return of;
}

}  // namespace gradus
