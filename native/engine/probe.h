// The loss at points near the weights as they are: what numerical derivatives are made of.
#pragma once
#include <atomic>

#include "batch.h"
#include "update_step.h"

namespace gradus {

template <class T>
class Probe {
 public:
  Probe(const Plan& plan, Graph<T>& graph, Batch<T>& batch, UpdateStep<T>& update)
      : plan_(plan), graph_(graph), batch_(batch), update_(update), fingerprints_(graph.op_count() + 1) {}

  // The rows are gathered and `losses` holds one element a row. Everything moved is put back, whatever happens.
  ProbeResult run(const ProbeCall& call, const std::atomic<bool>& stop_requested, T* losses);

 private:
  struct Tensor {
    T* data;
    size_t size, first_op;
    std::optional<size_t> parameter;  // none for an input
  };
  Tensor tensor(size_t number);
  double mean_loss(T* losses);
  void check(const ProbeCall& call);
  void look(const ProbeCall& call, const ProbePoint& point, T* losses, ProbeResult& result);
  double penalty_change(const Tensor& tensor, size_t first, size_t n, const T* before);
  size_t first_flip(size_t first_op);

  const Plan& plan_;
  Graph<T>& graph_;
  Batch<T>& batch_;
  UpdateStep<T>& update_;
  std::vector<uint64_t> fingerprints_;  // by op, then the loss's, at the weights as they are
  std::vector<double> host_penalties_;  // by parameter, at the weights as they are
  std::vector<T> kept_;
  size_t dirty_ = 0;  // the first op whose value is not that of the weights as they are
};

}  // namespace gradus
