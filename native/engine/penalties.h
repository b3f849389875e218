// The regularizers' own terms: what they add to the loss, and to the gradient where no update does.
#pragma once
#include "calls.h"
#include "context.h"

namespace gradus {

// Of parameters that no op has reached the gradient is zero, not that of another update.
template <class T>
void zero_unwritten(const Context<T>& context);
// Makes the gradient that of the term: the penalties' slopes added, or alone.
template <class T>
void complete_gradient(const Context<T>& context, Term term);

double penalty(const Plan& plan, size_t parameter, double w);  // of one element, without the host's
template <class T>
bool crosses_kink(const Plan& plan, size_t parameter, const T* from, const T* to, size_t n);

// Penalties that the host computes come by whole tensors.
inline bool has_host_penalty(const Plan& plan, size_t parameter) {
  return plan.parameters[parameter].host_regularizer && plan.infos[parameter].trainable;
}
template <class T>
double host_penalty(const Context<T>& context, size_t parameter, T* gradient);  // gradient may be null
template <class T>
std::vector<double> host_penalties(const Context<T>& context);  // by parameter
// To the gradient, and to Gradients::host_penalty.
template <class T>
void add_host_penalties(const Context<T>& context);

template <class T>
double regularization_loss(const Context<T>& context);  // of the parameters as they are
// Of the parameters before the update that left these sums; without the host's.
double regularization_loss(const Plan& plan, const std::vector<UpdateSums>& sums);

}  // namespace gradus
