// One update, in three words: accumulate, agree, commit or refuse. A throw in the first two changes nothing of the
// state. What agrees here is what members of a group would agree on, and what a device could decide without being
// asked.
#pragma once
#include "batch.h"
#include "inspection.h"
#include "metrics.h"
#include "optimizer.h"

namespace gradus {

template <class T>
class Step {
 public:
  // What the updates of one call share; it outlives them.
  struct Task {
    const Context<T>& context;
    const Optimizer<T>& optimizer;
    const Inspection<T>& inspection;
    const Batch<T>& batch;
    const TrainCall& call;
  };

  Step(const Task& task, const StepNumbers& numbers) : task_(task), numbers_(numbers) {}

  // Forward and backward over the rows, batch by batch: fills the gradients. Adds the metrics to their sums.
  void accumulate(Metrics<T>& metrics);
  // Whether all that was made is finite: loss, gradients, statistics that wait, and the norm where it counts. Finds
  // what must be found before anything changes.
  bool agree();
  void commit() noexcept { task_.optimizer.commit(task_.context, numbers_); }
  // Nothing has changed; the gradients are measured as they are.
  void refuse() { task_.optimizer.measure(task_.context); }

  // After commit or refuse: one more entry of each column.
  void record(bool accepted, TrainResult& result) const;
  // Of an update that was refused: where numbers stopped being finite. Looks at its layers where the call asks for it.
  Refusal look_at_refused(Inspections& to);

 private:
  size_t rows_of_pass(size_t done) const { return std::min(task_.call.batch_size, numbers_.rows - done); }
  Pass<T> pass_at(size_t done, uint64_t micro) const;
  bool all_are_finite();
  void find_tensor(Refusal& refusal) const;

  const Task& task_;
  StepNumbers numbers_;
  size_t passes_ = 0;
  double loss_ = 0;  // weighted mean of the rows'
};

}  // namespace gradus
