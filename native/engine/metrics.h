// What a model reports beside the loss: sums over examples. They go on from where the call before ended, so that their
// bits do not depend on how an epoch is cut into calls.
#pragma once
#include "batch.h"

namespace gradus {

template <class T>
class Metrics {
 public:
  // Throws GRADUS_TOO_LARGE for a metric of too many classes.
  explicit Metrics(const Model<T>& model);

  std::vector<size_t> widths() const;  // sums of each metric, one after the other
  // Makes `sums` those that an earlier call gave; zeros where `from` is empty.
  void go_on(const std::vector<double>& from, std::vector<double>& sums) const;
  // A refused update leaves no trace: restore() brings back what the sums were at remember().
  void remember(const double* sums);
  void restore(double* sums) const;
  // Adds the rows of a pass, each with its own weight; those of weight 0 do not count.
  void add(const Batch<T>& batch, const Pass<T>& pass, const T* scores, double* sums);

 private:
  struct Place {
    MetricPlan plan;
    size_t width;
    bool is_scattered;                // an example moves one of its many sums
    std::vector<ChangedSum> changed;  // where it is: those that the rows have moved since remember()
  };
  void add_custom(size_t number, const Batch<T>& batch, const Pass<T>& pass, const T* scores, double* sums);

  std::vector<Place> places_;
  size_t width_ = 0;
  bool remembers_ = false;     // whether sums may be restored
  std::vector<double> kept_;   // of the metrics that each example moves as a whole
  std::vector<double> added_;  // what the host gives
};

}  // namespace gradus
