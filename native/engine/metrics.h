// What a model reports beside the loss: sums over examples. They go on from where the call before ended, so that their
// bits do not depend on how an epoch is cut into calls.
#pragma once
#include "batch.h"

namespace gradus {

// The sums lie in the workspace.
template <class T>
class Metrics {
 public:
  // Throws GRADUS_TOO_LARGE for a metric of too many classes.
  Metrics(const Model<T>& model, Workspace<T>& workspace);

  std::vector<size_t> widths() const;  // sums of each metric, one after the other
  // Makes the sums those that an earlier call gave; zeros where `from` is empty.
  void go_on(const std::vector<double>& from);
  void read(std::vector<double>& sums) const;
  // A refused update, of so many rows at most, leaves no trace: restore() brings back what the sums were at remember(),
  // before its rows were added.
  void reserve_memory_of(size_t rows, Workspace<T>& in);  // the metrics' own, or as Batch::reserve()
  void remember(const Device<T>& device);
  void restore(const Device<T>& device, size_t rows);
  // Adds the rows of a pass, each with its own weight; those of weight 0 do not count.
  void add(const Batch<T>& batch, const Pass<T>& pass, const T* scores);

 private:
  struct Place {
    MetricPlan plan;
    size_t width;
    bool is_scattered;  // an example moves one of its many sums
    size_t first;       // of its sums among all
  };
  void add_custom(size_t number, const Batch<T>& batch, const Pass<T>& pass, const T* scores);

  Workspace<T>& workspace_;
  MetricMemory& memory_;
  std::vector<Place> places_;
  size_t width_ = 0;
  bool remembers_ = false;  // whether sums may be restored
  size_t rows_ = 0;         // that have been added since remember()
};

}  // namespace gradus
