// Rules that are no sum over elements, muon's for matrices and the host's own: they say how each tensor changes as a
// whole, and the pass of the updates then adds the change, with decay, average and sums as for all others.
#pragma once
#include "context.h"
#include "step_numbers.h"

namespace gradus {

template <class T>
class Directions {
 public:
  explicit Directions(const Plan& plan);

  bool any() const { return any_; }
  bool is_of(size_t parameter) const;  // whether the tensor changes as a whole
  void reserve(Workspace<T>& workspace) const;
  // The changes, and the slots after them, into the workspace. May throw, and may call the host; nothing of the state
  // has changed then. `common` is the update of all arenas.
  void find(const Context<T>& context, const StepNumbers& numbers, const Update<T>& common) const;
  // The slots that were found with the changes, into the state.
  void commit(const Context<T>& context) const;

 private:
  void find_muon(const Context<T>& context, size_t parameter, const StepNumbers& numbers) const;
  void find_custom(const Context<T>& context, size_t parameter, const StepNumbers& numbers) const;

  const Plan& plan_;
  bool any_ = false;
};

}  // namespace gradus
