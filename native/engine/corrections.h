// The numbers in an optimizer's formula that depend on the count of updates alone, so a run resumes from its step.
#pragma once
#include "plan.h"

#include "kernels/kernels.h"

namespace gradus {

class Corrections {
 public:
  Corrections(const OptimizerPlan& plan, const Isa& isa);
  // step: accepted updates before this one. Momenta of a schedule correct as if each had been in force from the start.
  template <class T>
  void set(uint64_t step, double momentum, Update<T>& update);

 private:
  double nadam_momentum(uint64_t t, double momentum) const;
  void advance_product(uint64_t t, double momentum);

  bool corrects_;
  bool is_nadam_;
  double decay_rate_, momentum_decay_;
  const Kernels<double>* kernels_;
  // Of nadam's momenta of updates 1 to product_step_.
  uint64_t product_step_ = 0;
  double product_ = 1, product_momentum_ = -1;
};

}  // namespace gradus
