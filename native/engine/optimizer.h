// From gradients to new parameters: the part of an update that is the optimizer's.
#pragma once
#include "directions.h"

namespace gradus {

template <class T>
class Optimizer {
 public:
  Optimizer(const Plan& plan, const Isa& isa);

  void reserve(Workspace<T>& workspace) const;  // all that an update needs
  // Fills workspace.update.sums, by parameter, without a change.
  void measure(const Context<T>& context) const;
  // Whether the gradient's norm, or more, must be known before anything changes.
  bool measures_first(const StepNumbers& numbers) const { return numbers.clip_norm > 0 || directions_.any(); }
  // The numbers of an update that follow from what is known before it.
  void complete(StepNumbers& numbers, double gradient_norm, double momentum_product) const;
  // What must be found before anything changes: see Directions::find.
  void find_directions(const Context<T>& context, const StepNumbers& numbers) const {
    if (directions_.any()) directions_.find(context, numbers, update_of(context, numbers));
  }
  // The update itself, into the state; the sums as measure(). Neither allocates nor calls the host.
  void commit(const Context<T>& context, const StepNumbers& numbers) const noexcept;
  // The average of all that training moves, towards what it is now.
  void move_averages(const Context<T>& context, T keep) const;

 private:
  Update<T> update_of(const Context<T>& context, const StepNumbers& numbers) const;
  void run(const Context<T>& context, UpdateRule rule, const Update<T>& update) const;
  void limit_norms(const Context<T>& context, T average_decay) const;
  void take_staged(const Context<T>& context, T average_decay) const;

  const Plan& plan_;
  const Kernels<double>& kernels_;
  Directions<T> directions_;
  UpdateRule rule_ = UpdateRule::gradient_norm;
  std::vector<UpdateBlock<T>> blocks_;  // of the trainable parameters: the same cuts for any number of threads
  std::vector<size_t> groups_;          // where groups of blocks begin that are worth a thread's while, and the end
};

// From sums by parameter.
double gradient_norm(const std::vector<UpdateSums>& sums);

}  // namespace gradus
