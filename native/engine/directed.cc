// The part of an UpdateStep for optimizers that are no sum over elements: they say how each tensor changes as a whole,
// and the pass of the updates then adds the change, with decay, average and sums as for all others.
#include "host.h"
#include "update_step.h"

namespace gradus {

template <class T>
bool UpdateStep<T>::is_directed(size_t p) const {
  if (!infos_[p].trainable || !optimizer_) return false;
  return optimizer_->custom || (optimizer_->muon && infos_[p].shape.size() == 2);
}

// The gradient that counts, as the kernels make it on their way: see Update in kernels.h.
template <class T>
void UpdateStep<T>::final_gradient(size_t p, const Update<T>& update, T* to) const {
  const ParameterState<T>& parameter = pass_->parameters[p];
  const T l1 = T(plans_[p].l1), l2 = T(plans_[p].l2);
  for (size_t i = 0; i < parameter.size; ++i) {
    const T w = parameter.w[i];
    T g = update.gradient_scale * (parameter.gradient[i] + l2 * w + (w > 0 ? l1 : w < 0 ? -l1 : T(0)));
    if (update.clip_value > 0) g = std::min(update.clip_value, std::max(-update.clip_value, g));
    to[i] = g;
  }
}

template <class T>
void UpdateStep<T>::find_directions(const UpdateOptions& options, const Update<T>& update) {
  for (size_t p = 0; p < infos_.size(); ++p) {
    if (!is_directed(p)) continue;
    Directed& directed = directed_[p];
    directed.change.grow(infos_[p].size);
    directed.gradient_squares = sums_[p].gradient_squares;
    directed.learning_rate = double(update.learning_rate) * plans_[p].rate_multiplier;
    if (optimizer_->muon)
      muon_direction(p, options, update, directed);
    else
      custom_direction(p, options, update, directed);
  }
}

template <class T>
void UpdateStep<T>::muon_direction(size_t p, const UpdateOptions& options, const Update<T>& update,
                                   Directed& directed) {
  const MuonPlan& muon = *optimizer_->muon;
  const size_t rows = infos_[p].shape[0], columns = infos_[p].shape[1];
  const T momentum = T(options.momentum.value_or(muon.momentum));
  T *velocity = slots_[0] + infos_[p].offset, *d = directed.change.data();
  final_gradient(p, update, d);
  for (size_t i = 0; i < infos_[p].size; ++i) {
    velocity[i] = momentum * velocity[i] + d[i];
    d[i] = muon.nesterov ? d[i] + momentum * velocity[i] : velocity[i];
  }
  orthogonalization_.run(*pass_, d, rows, columns, muon.steps);
  // Weights lie as (in, out): tall ones, of more outputs than inputs, take longer steps.
  const T step = T(-directed.learning_rate * std::sqrt(std::max(1.0, double(columns) / double(rows))));
  for (size_t i = 0; i < infos_[p].size; ++i) d[i] *= step;
}

template <class T>
void UpdateStep<T>::custom_direction(size_t p, const UpdateOptions& options, const Update<T>& update,
                                     Directed& directed) {
  if (!pass_->host) throw Error("GRADUS_BAD_DESCRIPTOR", "optimizer: a custom optimizer needs a host");
  const size_t size = infos_[p].size;
  host_gradient_.grow(size);
  final_gradient(p, update, host_gradient_.data());
  HostCall call;
  call.kind = HostCall::Kind::update;
  call.number = p;
  call.learning_rate = directed.learning_rate;
  call.step = options.step;
  call.inputs = {{host_gradient_.data(), size}, {pass_->parameters[p].w, size}};
  call.outputs = {{directed.change.data(), size}};
  for (T* slot : slots_) {
    call.inputs.push_back({slot + infos_[p].offset, size});
    call.outputs.push_back({slot + infos_[p].offset, size});
  }
  pass_->host->run(call);
  for (size_t i = 0; i < size; ++i)
    if (!std::isfinite(directed.change.data()[i]))
      throw Error("GRADUS_NON_FINITE", "the optimizer changes " + infos_[p].name + " by what is not finite");
}

template class UpdateStep<float>;
template class UpdateStep<double>;

}  // namespace gradus
