// The numbers in an optimizer's formula that follow from the updates so far: bias corrections of running means.
#pragma once
#include "kernels/kernels.h"
#include "plan.h"

namespace gradus {

struct Corrections {
  double correction1 = 1, correction2 = 1, gradient_share = 0;  // see Update
  double momentum_product = 1;                                  // after this update
};

// Those of a rule that has none are all 1. Of the update after `step` accepted ones, whose momenta's product is
// `product`. A first moment that begins at zero and moves by (1 − β) of the way has, after momenta β₁ … βₜ, the weight
// 1 − Πβᵢ (Kingma and Ba 2015, for one β).
Corrections corrections_of(const OptimizerPlan& plan, const Kernels<double>& kernels, uint64_t step, double momentum,
                           double product);

// Π of `step` of the optimizer's own momenta, for a state that has no product of its own.
double first_product(const Plan& plan, uint64_t step);

}  // namespace gradus
