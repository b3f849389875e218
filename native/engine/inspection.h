// What training sees of its layers every so many updates: statistics of their values, and histograms of values,
// gradients and weights. See Inspections in program.h for what a row holds.
#pragma once
#include "graph.h"

namespace gradus {

template <class T>
class Inspection {
 public:
  Inspection(const Plan& plan, Graph<T>& graph);

  const InspectionLayout& layout() const { return layout_; }
  bool is_due(const TrainCall& call, uint64_t step) const {
    return call.inspect_every > 0 && step % call.inspect_every == 0;
  }
  // After a forward pass. Begins a row; one that was not finished is forgotten.
  void look_at_values(bool histograms);
  // After the backward pass, before the update: ends the row.
  void finish(const TrainCall& call, uint64_t step, bool refused, Inspections& to);

  // After a forward pass: the first op whose value has elements that are not finite, or op_count().
  size_t first_nonfinite();
  // Where a gradient was not finite, given what the update has measured by parameter.
  std::optional<std::string> nonfinite_tensor(const std::vector<UpdateSums>& sums) const;

 private:
  struct Tensor {
    const T* x;
    size_t n;
  };
  struct Stretch {
    const T* x;
    size_t n, tensor;
  };
  double dead_units(size_t layer);
  void count(const std::vector<Tensor>& tensors, float* to);

  Graph<T>* graph_;
  std::vector<ParameterInfo> infos_;
  InspectionLayout layout_;
  std::vector<size_t> ops_;         // by layer
  std::vector<size_t> parameters_;  // the trainable ones
  // By layer, of relus: the number of the inspection in which each unit last fired.
  std::vector<std::vector<int64_t>> last_fired_;
  int64_t finished_ = 0;  // inspections
  std::vector<float> row_;
  std::vector<Tensor> tensors_;
  std::vector<Stretch> stretches_;
  std::vector<uint32_t> counts_;  // threads × tensors × bins
};

}  // namespace gradus
