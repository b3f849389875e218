#include "probe.h"

#include "layer_statistics.h"
#include "objective.h"
#include "penalties.h"

namespace gradus {

template <class T>
Probe<T>::Probe(const Context<T>& context, const Batch<T>& batch, const ProbeCall& call)
    : context_(context),
      model_(context.model),
      plan_(model_.plan()),
      batch_(batch),
      call_(call),
      pass_(context.pass(call.training, call.randomness, batch.size())),
      fingerprints_(model_.op_count() + 1),
      dirty_(model_.op_count()) {}

template <class T>
typename Probe<T>::Tensor Probe<T>::tensor(size_t number) {
  const size_t parameters = plan_.infos.size();
  if (number < parameters)
    return {context_.state.parameters() + plan_.infos[number].offset, plan_.infos[number].size,
            model_.first_user(number), number};
  const size_t input = number - parameters;
  if (input >= plan_.inputs.size() || plan_.inputs[input].index)
    throw Error("GRADUS_INVALID_ARGUMENT", "tensors: there is no real tensor " + std::to_string(number));
  return {pass_.value(input), pass_.batch * pass_.size(input), model_.first_taker(input), std::nullopt};
}

template <class T>
void Probe<T>::check() {
  for (const ProbePoint& point : call_.points) {
    const size_t size = tensor(point.tensor).size;
    if (call_.direction.empty() ? point.element >= size : call_.direction.size() != size)
      throw Error("GRADUS_INVALID_ARGUMENT",
                  "elements: expected numbers or a direction within a tensor of " + std::to_string(size) + " elements");
  }
}

template <class T>
double Probe<T>::mean_loss() {
  const double weight = batch_.weight(0, pass_.batch);
  find_loss<T>(*plan_.loss, batch_, pass_, pass_.value(model_.output()), 0, 0, nullptr);
  const double sum = context_.workspace.loss_of_passes(1);
  return weight > 0 ? sum * (1 / weight) : 0;  // as a gradient's pass has it
}

template <class T>
ProbeResult Probe<T>::run(const std::atomic<bool>& stop_requested) {
  check();
  ProbeResult result;
  context_.workspace.begin_gradients();
  batch_.gather(0, pass_);
  model_.forward(pass_);
  result.base_loss = mean_loss();
  result.base_regularization_loss = regularization_loss(context_);
  for (size_t op = 0; op < model_.op_count(); ++op) {
    fingerprints_[op] = model_.op(op).fingerprint(pass_);
    result.hashes.push_back(hash_of_value(model_, pass_, op));
  }
  fingerprints_.back() = loss_fingerprint(*plan_.loss, batch_, pass_, pass_.value(model_.output()));
  for (size_t op = 0; op < fingerprints_.size(); ++op)
    if (fingerprints_[op] != 0) result.kinked.push_back(op);
  host_penalties_ = host_penalties(context_);
  for (const ProbePoint& point : call_.points) {
    if (stop_requested) break;
    look(point, result);
  }
  return result;
}

template <class T>
void Probe<T>::look(const ProbePoint& point, ProbeResult& result) {
  const Tensor of = tensor(point.tensor);
  const size_t first = call_.direction.empty() ? point.element : 0, n = call_.direction.empty() ? 1 : of.size;
  T* at = of.data + first;
  kept_.assign(at, at + n);
  struct PutBack {
    const std::vector<T>& kept;
    T* at;
    ~PutBack() { std::copy(kept.begin(), kept.end(), at); }
  } put_back{kept_, at};
  for (size_t i = 0; i < n; ++i) at[i] += T(point.offset * (call_.direction.empty() ? 1 : call_.direction[i]));

  const size_t begin = std::min(dirty_, of.first_op);
  dirty_ = begin;  // until the pass is whole
  model_.forward(pass_, begin);
  dirty_ = of.first_op;
  result.loss.push_back(mean_loss());
  result.penalty_change.push_back(of.parameter ? penalty_change(of, first, n, kept_.data()) : 0);
  size_t flip = first_flip(begin);
  if (flip > model_.op_count() && of.parameter && crosses_kink<T>(plan_, *of.parameter, kept_.data(), at, n))
    flip = model_.op_count() + 1;
  else if (flip > model_.op_count())
    flip = no_flip;
  result.flipped.push_back(flip);
}

// Exact where the penalty is a sum over elements: only those that moved count.
template <class T>
double Probe<T>::penalty_change(const Tensor& tensor, size_t first, size_t n, const T* before) {
  const size_t parameter = *tensor.parameter;
  double change = 0;
  for (size_t i = 0; i < n; ++i)
    change += penalty(plan_, parameter, tensor.data[first + i]) - penalty(plan_, parameter, before[i]);
  if (has_host_penalty(plan_, parameter))
    change += host_penalty<T>(context_, parameter, nullptr) - host_penalties_[parameter];
  return change;
}

// The first op, from this one on, that chose otherwise; op_count() for the loss; beyond it for none.
template <class T>
size_t Probe<T>::first_flip(size_t first_op) {
  for (size_t op = first_op; op < model_.op_count(); ++op)
    if (model_.op(op).fingerprint(pass_) != fingerprints_[op]) return op;
  const uint64_t of_loss = loss_fingerprint(*plan_.loss, batch_, pass_, pass_.value(model_.output()));
  return model_.op_count() + (of_loss == fingerprints_.back() ? 1 : 0);
}

template class Probe<float>;
template class Probe<double>;

}  // namespace gradus
