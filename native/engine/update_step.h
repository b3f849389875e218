// From gradients to new parameters: the arenas, the optimizer, and what it adds up on its way.
#pragma once
#include "graph.h"

namespace gradus {

struct UpdateOptions {
  double learning_rate = 0;
  std::optional<double> momentum;  // in place of the optimizer's own
  double clip_norm = 0, clip_value = 0;
  uint64_t step = 0;  // accepted updates before this one
};

template <class T>
class UpdateStep {
 public:
  UpdateStep(const Plan& plan, const Isa& isa, Pool& pool, std::vector<ParameterState<T>>& parameters);

  std::vector<std::string> arenas() const;
  T* arena(const std::string& name);  // null for one that is not there

  void begin();  // a new gradient: nothing of it is written yet
  // Whether every element of the gradients is finite: what the matmuls saw, and a look at the small rest.
  bool gradients_are_finite();
  void measure();  // fills sums() without a change
  void apply(const UpdateOptions& options);
  void add_regularization_gradient();

  const std::vector<UpdateSums>& sums() const { return sums_; }  // by parameter, of the last measure() or apply()
  double regularization_loss() const;                            // from sums()
  double current_regularization_loss();                          // of the parameters as they are
  double gradient_norm() const;                                  // from sums(), over the trainable parameters

 private:
  using Kernel = void (*)(const Update<T>&, UpdateSums&);
  struct Block {
    size_t parameter, first, n;
  };
  void run(Kernel kernel, Update<T> common);
  void initialize(const Plan& plan);
  bool regularized(size_t parameter) const { return plans_[parameter].l1 > 0 || plans_[parameter].l2 > 0; }

  const Kernels<T>* kernels_;
  Pool* pool_;
  std::vector<ParameterState<T>>* parameters_;
  std::vector<ParameterInfo> infos_;
  std::vector<ParameterPlan> plans_;
  std::optional<OptimizerPlan> optimizer_;
  std::vector<std::string> names_;
  std::vector<Buffer<T>> memory_;  // by name
  std::vector<T*> slots_;
  T* average_ = nullptr;
  std::vector<Block> blocks_;  // of the trainable parameters: the same cuts for any number of threads
  std::vector<UpdateSums> block_sums_, sums_;
  size_t elements_ = 0;
};

}  // namespace gradus
