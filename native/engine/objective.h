// The loss of a batch, its gradient, and how that moves.
#pragma once
#include "batch.h"

namespace gradus {

// Σ weight · loss over the rows gathered, in row order: becomes number `sum` of the workspace's sums. Writes the
// gradient of scale · it unless gradient is null.
template <class T>
void find_loss(const LossPlan& plan, const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, size_t sum,
               T* gradient);

// Of the choices that the loss makes at its kinks, as Op::fingerprint; 0 for smooth ones.
template <class T>
uint64_t loss_fingerprint(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores);

// How the gradient of scale · Σ weight · loss moves when the scores move along `tangent`: its Hessian by the scores
// times that. Throws GRADUS_NO_SECOND_DERIVATIVE for a loss of the host's.
template <class T>
void loss_gradient_tangent(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores,
                           const T* tangent, double scale, T* gradient_tangent);

}  // namespace gradus
