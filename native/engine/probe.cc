#include "probe.h"

#include <cmath>

#include "objective.h"

namespace gradus {

template <class T>
typename Probe<T>::Tensor Probe<T>::tensor(size_t number) {
  const size_t parameters = plan_.infos.size();
  if (number < parameters)
    return {graph_.pass.parameters[number].w, plan_.infos[number].size, graph_.first_user(number), number};
  const size_t input = number - parameters;
  if (input >= plan_.inputs.size() || plan_.inputs[input].index)
    throw Error("GRADUS_INVALID_ARGUMENT", "tensors: there is no real tensor " + std::to_string(number));
  NodeState<T>& node = graph_.pass.nodes[input];
  return {node.value.data(), graph_.pass.batch * node.size, graph_.first_taker(input), std::nullopt};
}

template <class T>
void Probe<T>::check(const ProbeCall& call) {
  for (const ProbePoint& point : call.points) {
    const size_t size = tensor(point.tensor).size;
    if (call.direction.empty() ? point.element >= size : call.direction.size() != size)
      throw Error("GRADUS_INVALID_ARGUMENT",
                  "elements: expected numbers or a direction within a tensor of " + std::to_string(size) + " elements");
  }
}

template <class T>
double Probe<T>::mean_loss(T* losses) {
  const double weight = batch_.weight(0, graph_.pass.batch);
  const double sum = loss_of<T>(*plan_.loss, batch_, graph_.pass, graph_.output(), 0, losses, nullptr);
  return weight > 0 ? sum * (1 / weight) : 0;  // as a gradient's pass has it
}

template <class T>
ProbeResult Probe<T>::run(const ProbeCall& call, const std::atomic<bool>& stop_requested, T* losses) {
  check(call);
  ProbeResult result;
  graph_.forward();
  result.base_loss = mean_loss(losses);
  result.base_regularization_loss = update_.current_regularization_loss();
  for (size_t op = 0; op < graph_.op_count(); ++op) {
    fingerprints_[op] = graph_.fingerprint(op);
    result.hashes.push_back(graph_.hash_of_value(op));
  }
  fingerprints_.back() = loss_fingerprint(*plan_.loss, batch_, graph_.pass, graph_.output());
  for (size_t op = 0; op < fingerprints_.size(); ++op)
    if (fingerprints_[op] != 0) result.kinked.push_back(op);
  dirty_ = graph_.op_count();
  host_penalties_ = update_.host_penalties();
  for (const ProbePoint& point : call.points) {
    if (stop_requested) break;
    look(call, point, losses, result);
  }
  return result;
}

template <class T>
void Probe<T>::look(const ProbeCall& call, const ProbePoint& point, T* losses, ProbeResult& result) {
  const Tensor of = tensor(point.tensor);
  const size_t first = call.direction.empty() ? point.element : 0, n = call.direction.empty() ? 1 : of.size;
  T* at = of.data + first;
  kept_.assign(at, at + n);
  struct PutBack {
    const std::vector<T>& kept;
    T* at;
    ~PutBack() { std::copy(kept.begin(), kept.end(), at); }
  } put_back{kept_, at};
  for (size_t i = 0; i < n; ++i) at[i] += T(point.offset * (call.direction.empty() ? 1 : call.direction[i]));

  const size_t begin = std::min(dirty_, of.first_op);
  graph_.forward(begin);
  dirty_ = of.first_op;
  result.loss.push_back(mean_loss(losses));
  result.penalty_change.push_back(of.parameter ? penalty_change(of, first, n, kept_.data()) : 0);
  size_t flip = first_flip(begin);
  if (flip > graph_.op_count() && of.parameter && update_.crosses_kink(*of.parameter, kept_.data(), at, n))
    flip = graph_.op_count() + 1;
  else if (flip > graph_.op_count())
    flip = no_flip;
  result.flipped.push_back(flip);
}

// Exact where the penalty is a sum over elements: only those that moved count.
template <class T>
double Probe<T>::penalty_change(const Tensor& tensor, size_t first, size_t n, const T* before) {
  const size_t parameter = *tensor.parameter;
  double change = 0;
  for (size_t i = 0; i < n; ++i)
    change += update_.penalty(parameter, tensor.data[first + i]) - update_.penalty(parameter, before[i]);
  if (update_.has_host_penalty(parameter))
    change += update_.host_penalty(parameter, nullptr) - host_penalties_[parameter];
  return change;
}

// The first op, from this one on, that chose otherwise; op_count() for the loss; beyond it for none.
template <class T>
size_t Probe<T>::first_flip(size_t first_op) {
  for (size_t op = first_op; op < graph_.op_count(); ++op)
    if (graph_.fingerprint(op) != fingerprints_[op]) return op;
  const bool same = loss_fingerprint(*plan_.loss, batch_, graph_.pass, graph_.output()) == fingerprints_.back();
  return graph_.op_count() + (same ? 1 : 0);
}

template class Probe<float>;
template class Probe<double>;

}  // namespace gradus
