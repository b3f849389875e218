// From gradients to new parameters: the part of an update that is the optimizer's.
#pragma once
#include "directions.h"

namespace gradus {

template <class T>
class Optimizer {
 public:
  Optimizer(const Plan& plan, const Isa& isa);

  // Updates that are called before the host looks at the first have numbers from 0 on: see UpdateMemory.
  void reserve(Workspace<T>& workspace, size_t updates = 1) const;  // all that they need
  // The sums of the gradients as they are, without a change.
  void measure(const Context<T>& context, size_t update = 0) const;
  // Whether the gradient's norm, or more, must be known before anything changes.
  bool measures_first(const StepNumbers& numbers) const { return numbers.clip_norm > 0 || directions_.any(); }
  // The numbers of an update that follow from those before it.
  void complete(StepNumbers& numbers, double momentum_product) const;
  // What an update is judged by, but for the losses.
  Evidence evidence(const Context<T>& context, const StepNumbers& numbers, size_t update) const;
  // What must be found before anything changes: see Directions::find.
  void find_directions(const Context<T>& context, const StepNumbers& numbers, size_t update = 0) const {
    if (directions_.any()) directions_.find(context, numbers, update_of(context, numbers, update));
  }
  // The update itself, into the state, with its sums. Neither allocates nor calls the host.
  void commit(const Context<T>& context, const StepNumbers& numbers, size_t update = 0) const noexcept;
  // Has the host see the sums of the first so many updates; then fills workspace.update.sums, by parameter, with those
  // of one: of a committed one, or as measured.
  void see_sums(const Context<T>& context, size_t updates) const;
  void take_sums(const Context<T>& context, size_t update, bool committed) const;
  // The average of all that training moves, towards what it is now.
  void move_averages(const Context<T>& context, T keep) const;

 private:
  Update<T> update_of(const Context<T>& context, const StepNumbers& numbers, size_t update) const;
  void run(const Context<T>& context, UpdateRule rule, const Update<T>& update, size_t sums) const;
  void limit_norms(const Context<T>& context, T average_decay) const;
  void take_staged(const Context<T>& context, T average_decay) const;

  const Plan& plan_;
  const Kernels<double>& kernels_;
  Directions<T> directions_;
  UpdateRule rule_ = UpdateRule::gradient_norm;
  std::vector<UpdateBlock<T>> blocks_;  // of the trainable parameters: the same cuts for any number of threads
  std::vector<size_t> groups_;          // where groups of blocks begin, and the end: see UpdateBlocks
  unsigned kinds_ = 0;
};

// From sums by parameter.
double gradient_norm(const std::vector<UpdateSums>& sums);

}  // namespace gradus
