// The part of an UpdateStep that knows the regularizers' own terms.
#include "host.h"
#include "update_step.h"

namespace gradus {

template <class T>
double UpdateStep<T>::penalty(size_t p, double w) const {
  return infos_[p].trainable ? plans_[p].l1 * std::fabs(w) + plans_[p].l2 / 2 * w * w : 0;
}

template <class T>
bool UpdateStep<T>::crosses_kink(size_t p, const T* from, const T* to, size_t n) const {
  if (plans_[p].l1 == 0 || !infos_[p].trainable) return false;
  for (size_t i = 0; i < n; ++i)
    if ((from[i] > 0) != (to[i] > 0)) return true;
  return false;
}

template <class T>
void UpdateStep<T>::complete_gradient(Term term) {
  for (size_t p = 0; p < infos_.size(); ++p) {
    const ParameterState<T>& parameter = pass_->parameters[p];
    if (!parameter.trainable) continue;
    if (!parameter.written || term == Term::regularization) std::fill_n(parameter.gradient, parameter.size, T(0));
    if (term == Term::data || !regularized(p)) continue;
    const T l1 = T(plans_[p].l1), l2 = T(plans_[p].l2);
    for (size_t i = 0; i < parameter.size; ++i) {
      const T w = parameter.w[i];
      parameter.gradient[i] += l2 * w + (w > 0 ? l1 : w < 0 ? -l1 : T(0));
    }
  }
  if (term != Term::data) add_host_penalties();
}

template <class T>
double UpdateStep<T>::host_penalty(size_t p, T* gradient) {
  if (!pass_->host) throw Error("GRADUS_BAD_DESCRIPTOR", infos_[p].name + ": its regularizer needs a host");
  T loss = 0;
  HostCall call;
  call.kind = HostCall::Kind::regularizer;
  call.number = p;
  call.inputs = {{pass_->parameters[p].w, infos_[p].size}};
  call.outputs = {{&loss, 1}, {gradient, infos_[p].size}};
  pass_->host->run(call);
  return double(loss);
}

template <class T>
std::vector<double> UpdateStep<T>::host_penalties() {
  std::vector<double> penalties(infos_.size());
  for (size_t p = 0; p < infos_.size(); ++p)
    if (has_host_penalty(p)) penalties[p] = host_penalty(p, nullptr);
  return penalties;
}

template <class T>
void UpdateStep<T>::add_host_penalties() {
  for (size_t p = 0; p < infos_.size(); ++p) {
    if (!has_host_penalty(p)) continue;
    ParameterState<T>& parameter = pass_->parameters[p];
    host_gradient_.grow(parameter.size);
    host_loss_ += host_penalty(p, host_gradient_.data());
    kernels_->add(parameter.gradient, host_gradient_.data(), parameter.size, parameter.gradient);
    parameter.watched = false;
  }
}

template <class T>
double UpdateStep<T>::regularization_loss() const {
  double loss = host_loss_;
  for (size_t p = 0; p < infos_.size(); ++p)
    if (infos_[p].trainable && regularized(p))
      loss += plans_[p].l1 * sums_[p].weight_absolutes + plans_[p].l2 / 2 * sums_[p].weight_squares;
  return loss;
}

template <class T>
double UpdateStep<T>::current_regularization_loss() {
  double loss = 0;
  for (double penalty : host_penalties()) loss += penalty;
  for (size_t p = 0; p < infos_.size(); ++p) {
    if (!infos_[p].trainable || !regularized(p)) continue;
    double absolutes = 0, squares = 0;
    const T* w = pass_->parameters[p].w;
    for (size_t i = 0; i < infos_[p].size; ++i) {
      absolutes += std::fabs(double(w[i]));
      squares += double(w[i]) * double(w[i]);
    }
    loss += plans_[p].l1 * absolutes + plans_[p].l2 / 2 * squares;
  }
  return loss;
}

template class UpdateStep<float>;
template class UpdateStep<double>;

}  // namespace gradus
