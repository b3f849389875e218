// What training sees of its layers every so many updates: statistics of their values, and histograms of values,
// gradients and weights. See Inspections in calls.h for what a row holds.
#pragma once
#include "calls.h"
#include "context.h"
#include "inspection_layout.h"

namespace gradus {

template <class T>
class Inspection {
 public:
  explicit Inspection(const Model<T>& model);

  const InspectionLayout& layout() const { return layout_; }
  static bool is_due(const TrainCall& call, uint64_t step) {
    return call.inspect_every > 0 && step % call.inspect_every == 0;
  }
  // After a forward pass: begins a row in the workspace. One that is not finished is forgotten.
  void look_at_values(const Context<T>& context, Pass<T>& pass, bool histograms) const;
  // After the backward pass, before the update: ends the row, and remembers which units have fired.
  void finish(const Context<T>& context, const TrainCall& call, bool refused, Inspections& to) const;

  // After a forward pass: the first op whose value has elements that are not finite, or op_count().
  size_t first_nonfinite(Pass<T>& pass) const;

 private:
  double dead_units(const Context<T>& context, Pass<T>& pass, size_t layer) const;
  void add_tensor(InspectionMemory<T>& memory, const T* x, size_t n) const;
  void count(const Context<T>& context, float* to) const;

  const Model<T>& model_;
  InspectionLayout layout_;
  std::vector<size_t> ops_;         // by layer
  std::vector<size_t> parameters_;  // the trainable ones
};

}  // namespace gradus
