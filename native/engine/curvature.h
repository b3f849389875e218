// Hessian-vector products by the R-operator (Pearlmutter 1994): forward and backward, then the derivative of both along
// a direction of the parameters. Exact, for three times the multiplications of a gradient; at kinks the choices stay as
// they are.
#pragma once
#include "batch.h"
#include "calls.h"
#include "context.h"

namespace gradus {

template <class T>
class Curvature {
 public:
  explicit Curvature(std::shared_ptr<const Plan> plan) : model_(std::move(plan), Fusion::none) {}

  // The product by the term's Hessian at the state's parameters, over all rows as one batch. Throws
  // GRADUS_NO_SECOND_DERIVATIVE where the host computes something on the way.
  std::vector<double> product(State<T>& state, const Device<T>& device, Host* host, const HessianCall& call);
  size_t bytes() const { return workspace_.bytes(); }

 private:
  void take(const std::vector<double>& direction, const Device<T>& device);
  void add_data_term(const Context<T>& context, const HessianCall& call);
  void add_regularization(const Device<T>& device);

  Model<T> model_;  // its own, of ops that stand alone
  Workspace<T> workspace_;
};

}  // namespace gradus
