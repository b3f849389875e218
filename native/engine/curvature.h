// Hessian-vector products by the R-operator (Pearlmutter 1994): forward and backward, then the derivative of both along
// a direction of the parameters. Exact, for three times the multiplications of a gradient; at kinks the choices stay as
// they are.
#pragma once
#include "batch.h"

namespace gradus {

template <class T>
class Curvature {
 public:
  Curvature(const Value& descriptor, const Plan& plan, const Isa& isa, Pool& pool)
      : plan_(plan), graph_(descriptor, plan, isa, pool, Fusion::none) {}

  Graph<T>& graph() { return graph_; }  // its own, of ops that stand alone
  const Graph<T>& graph() const { return graph_; }
  // The product by the term's Hessian, over all rows as one batch; graph() is ready for them. `parameters` are those of
  // the program, `losses` holds one element a row.
  std::vector<double> product(const HessianCall& call, Batch<T>& batch,
                              const std::vector<ParameterState<T>>& parameters, T* losses);

 private:
  void take(const std::vector<double>& direction, const std::vector<ParameterState<T>>& parameters);
  void add_data_term(Batch<T>& batch, T* losses);
  void add_regularization();

  const Plan& plan_;
  Graph<T> graph_;
  Buffer<T> gradients_;  // of the parameters: made on the way, read by nobody
};

}  // namespace gradus
