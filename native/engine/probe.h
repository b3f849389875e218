// The loss at points near the weights as they are: what numerical derivatives are made of.
#pragma once
#include <atomic>

#include "batch.h"
#include "calls.h"
#include "context.h"

namespace gradus {

template <class T>
class Probe {
 public:
  // Over all rows of the batch, which has its targets. Everything moved is put back, whatever happens.
  Probe(const Context<T>& context, const Batch<T>& batch, const ProbeCall& call);

  ProbeResult run(const std::atomic<bool>& stop_requested);

 private:
  struct Tensor {
    T* data;
    size_t size, first_op;
    std::optional<size_t> parameter;  // none for an input
  };
  Tensor tensor(size_t number);
  double mean_loss();
  void check();
  void look(const ProbePoint& point, ProbeResult& result);
  double penalty_change(const Tensor& tensor, size_t first, size_t n, const T* before);
  size_t first_flip(size_t first_op);

  const Context<T>& context_;
  const Model<T>& model_;
  const Plan& plan_;
  const Batch<T>& batch_;
  const ProbeCall& call_;
  Pass<T> pass_;
  std::vector<uint64_t> fingerprints_;  // by op, then the loss's, at the weights as they are
  std::vector<double> host_penalties_;  // by parameter, at the weights as they are
  std::vector<T> kept_;
  size_t dirty_;  // the first op whose value is not that of the weights as they are
};

}  // namespace gradus
