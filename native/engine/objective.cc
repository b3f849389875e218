#include "objective.h"

#include "host_call.h"

namespace gradus {
namespace {

// A loss of the host's: it gives losses and slopes of the examples, weights and scale come in here.
template <class T>
void custom_losses(const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, T* losses, T* gradient) {
  if (!pass.host) throw Error("GRADUS_BAD_DESCRIPTOR", "loss: a custom loss needs a host");
  const size_t rows = pass.batch, columns = batch.columns(), n = rows * columns;
  HostCall call;
  call.kind = HostCall::Kind::loss;
  call.batch = rows;
  call.training = pass.training && pass.randomness;
  call.inputs = {{scores, n}};
  call.inputs.push_back(batch.labels() ? HostInput{batch.labels(), rows, true} : HostInput{batch.targets(), n});
  call.outputs = {{losses, rows}};
  ask<T>(*pass.host, pass.workspace.memory, call);
  pass.workspace.loss_fingerprint = call.fingerprint;
  if (gradient) {
    call.kind = HostCall::Kind::loss_slope;
    call.outputs = {{gradient, n}};
    ask<T>(*pass.host, pass.workspace.memory, call);
    pass.device.scale_rows(batch.weights(), T(scale), rows, columns, gradient);
  }
  if (batch.weights()) pass.device.scale_rows(batch.weights(), T(1), rows, 1, losses);
}

template <class T>
Loss<T> loss_rows(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores, double scale,
                  T* gradient) {
  Loss<T> loss;
  loss.rows = pass.batch, loss.columns = batch.columns();
  loss.scores = scores;
  loss.labels = batch.labels(), loss.targets = batch.targets(), loss.weights = batch.weights();
  if (batch.other_labels()) loss.other_labels = batch.other_labels(), loss.shares = batch.shares();
  loss.scale = T(scale);
  loss.parameter = T(plan.parameter), loss.smoothing = T(plan.smoothing);
  loss.losses = pass.workspace.losses.data();
  loss.gradient = gradient;
  return loss;
}

template <class T>
using Kernel = void (Device<T>::*)(const Loss<T>&) const;

}  // namespace

template <class T>
void find_loss(const LossPlan& plan, const Batch<T>& batch, Pass<T>& pass, const T* scores, double scale, size_t sum,
               T* gradient) {
  constexpr Kernel<T> kernels[] = {
#define LOSS(name, ...) &Device<T>::name,
#include "losses.def"
#undef LOSS
  };
  T* losses = pass.workspace.losses.data();
  if (plan.kind == custom_loss)
    custom_losses(batch, pass, scores, scale, losses, gradient);
  else
    (pass.device.*kernels[plan.kind])(loss_rows(plan, batch, pass, scores, scale, gradient));
  pass.device.sum(losses, pass.batch, pass.workspace.loss_sums.data()[sum]);
}

template <class T>
uint64_t loss_fingerprint(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores) {
  using Choices = void (Device<T>::*)(const Loss<T>&, uint64_t&) const;
  constexpr Choices choices[] = {
#define LOSS(name, labels, dense, choices, tangent) &Device<T>::choices,
#include "losses.def"
#undef LOSS
  };
  if (plan.kind == custom_loss) return pass.workspace.loss_fingerprint;
  uint64_t fingerprint = 0;
  (pass.device.*choices[plan.kind])(loss_rows<T>(plan, batch, pass, scores, 0, nullptr), fingerprint);
  return fingerprint;
}

template <class T>
void loss_gradient_tangent(const LossPlan& plan, const Batch<T>& batch, const Pass<T>& pass, const T* scores,
                           const T* tangent, double scale, T* gradient_tangent) {
  constexpr Kernel<T> tangents[] = {
#define LOSS(name, labels, dense, choices, tangent) &Device<T>::tangent,
#include "losses.def"
#undef LOSS
  };
  if (plan.kind == custom_loss)
    throw Error("GRADUS_NO_SECOND_DERIVATIVE", "loss: a custom loss has no second derivative");
  Loss<T> loss = loss_rows(plan, batch, pass, scores, scale, gradient_tangent);
  loss.tangent = tangent;
  (pass.device.*tangents[plan.kind])(loss);
}

#define INSTANTIATE(T)                                                                                                 \
  template void find_loss<T>(const LossPlan&, const Batch<T>&, Pass<T>&, const T*, double, size_t, T*);                \
  template uint64_t loss_fingerprint<T>(const LossPlan&, const Batch<T>&, const Pass<T>&, const T*);                   \
  template void loss_gradient_tangent<T>(const LossPlan&, const Batch<T>&, const Pass<T>&, const T*, const T*, double, \
                                         T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
