// The numbers in an optimizer's formula that follow from the updates so far: bias corrections of running means.
#pragma once
#include "kernels/kernels.h"
#include "plan.h"

namespace gradus {

struct Corrections {
  double correction1 = 1, correction2 = 1, gradient_share = 0;  // see Update
  double momentum_product = 1;                                  // after this update
};

// Of the update after `step` accepted ones, whose momenta's product is `product`. A first moment that begins at zero
// and moves by (1 − β) of the way has, after momenta β₁ … βₜ, the weight 1 − Πβᵢ (Kingma and Ba 2015, for one β).
Corrections corrections_of(const OptimizerPlan& plan, const Kernels<double>& kernels, uint64_t step, double momentum,
                           double product);

// Π of `step` equal momenta: what a state without a product of its own began with.
double power(double base, uint64_t exponent);

}  // namespace gradus
