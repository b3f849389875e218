// One update, in three words: accumulate, judge, commit or refuse. A throw in the first two changes nothing of the
// state. What judges is a kernel, of what other kernels have found: the host need not wait for it.
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

  // `place`: which of the updates it is that are called before the host looks at the first.
  Step(const Task& task, const StepNumbers& numbers, size_t place) : task_(task), numbers_(numbers), place_(place) {}

  const StepNumbers& numbers() const { return numbers_; }

  // Forward and backward over the rows, batch by batch: fills the gradients. Adds the metrics, if any, to their sums.
  void accumulate(Metrics<T>* metrics);
  // Whether all that was made is finite: loss, gradients, statistics that wait, and the norm where it counts.
  void judge();
  // Waits for what judge() has found.
  Verdict verdict() const;
  // What must be found before anything changes; may call the host.
  void find_directions() { task_.optimizer.find_directions(task_.context, numbers_, place_); }
  void commit() noexcept { task_.optimizer.commit(task_.context, numbers_, place_); }
  // In place of it: the gradients are measured as they are.
  void measure() { task_.optimizer.measure(task_.context, place_); }

  // Has the host see its sums, and those of the updates before it.
  void see_sums() const { task_.optimizer.see_sums(task_.context, place_ + 1); }
  // After that: one more entry of each column.
  void record(const Verdict& verdict, TrainResult& result) const;
  // Of an update that was refused: where numbers stopped being finite. Looks at its layers where the call asks for it.
  Refusal look_at_refused(Inspections& to);

 private:
  size_t rows_of_pass(size_t done) const { return std::min(task_.call.batch_size, numbers_.rows - done); }
  Pass<T> pass_at(size_t done, uint64_t micro) const;
  void look_for_nonfinite();
  void find_tensor(Refusal& refusal) const;

  const Task& task_;
  StepNumbers numbers_;
  size_t place_, passes_ = 0;
};

}  // namespace gradus
