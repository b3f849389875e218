#include "penalties.h"

#include "host_call.h"

namespace gradus {

namespace {
bool is_regularized(const Plan& plan, size_t p) {
  return plan.infos[p].trainable && (plan.parameters[p].l1 > 0 || plan.parameters[p].l2 > 0);
}
double weighted(const ParameterPlan& by, double absolutes, double squares) {
  return by.l1 * absolutes + by.l2 / 2 * squares;
}
}  // namespace

double penalty(const Plan& plan, size_t p, double w) {
  return plan.infos[p].trainable ? weighted(plan.parameters[p], std::fabs(w), w * w) : 0;
}

template <class T>
bool crosses_kink(const Plan& plan, size_t p, const T* from, const T* to, size_t n) {
  if (plan.parameters[p].l1 == 0 || !plan.infos[p].trainable) return false;
  for (size_t i = 0; i < n; ++i)
    if ((from[i] > 0) != (to[i] > 0)) return true;
  return false;
}

template <class T>
void zero_unwritten(const Context<T>& context) {
  const std::vector<ParameterInfo>& infos = context.model.parameters();
  Gradients<T>& gradients = context.workspace.gradients;
  for (size_t p = 0; p < infos.size(); ++p)
    if (infos[p].trainable && !gradients.states[p].written)
      context.device.fill(T(0), infos[p].size, gradients.arena.data() + infos[p].offset);
}

template <class T>
void complete_gradient(const Context<T>& context, Term term) {
  const Plan& plan = context.model.plan();
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    if (!plan.infos[p].trainable) continue;
    const size_t offset = plan.infos[p].offset, size = plan.infos[p].size;
    T* gradient = context.workspace.gradients.arena.data() + offset;
    if (term == Term::regularization) context.device.fill(T(0), size, gradient);
    if (term != Term::data && is_regularized(plan, p))
      context.device.add_penalty_slopes(context.weights() + offset, T(plan.parameters[p].l1), T(plan.parameters[p].l2),
                                        size, gradient);
  }
  if (term != Term::data) add_host_penalties(context);
}

template <class T>
double host_penalty(const Context<T>& context, size_t p, T* gradient) {
  const ParameterInfo& info = context.model.parameters()[p];
  if (!context.host) throw Error("GRADUS_BAD_DESCRIPTOR", info.name + ": its regularizer needs a host");
  T loss = 0;
  HostCall call;
  call.kind = HostCall::Kind::regularizer;
  call.number = p;
  call.inputs = {{context.weights() + info.offset, info.size}};
  call.outputs = {{&loss, 1, false, true}, {gradient, info.size}};
  ask<T>(*context.host, context.workspace.memory, call);
  return double(loss);
}

template <class T>
std::vector<double> host_penalties(const Context<T>& context) {
  const Plan& plan = context.model.plan();
  std::vector<double> penalties(plan.infos.size());
  for (size_t p = 0; p < penalties.size(); ++p)
    if (has_host_penalty(plan, p)) penalties[p] = host_penalty<T>(context, p, nullptr);
  return penalties;
}

template <class T>
void add_host_penalties(const Context<T>& context) {
  const Plan& plan = context.model.plan();
  Gradients<T>& gradients = context.workspace.gradients;
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    if (!has_host_penalty(plan, p)) continue;
    Buffer<T>& of_host = context.workspace.update.host_gradient;
    of_host.grow(plan.infos[p].size, context.workspace.memory);
    gradients.host_penalty += host_penalty(context, p, of_host.data());
    T* gradient = gradients.arena.data() + plan.infos[p].offset;
    context.device.add(gradient, of_host.data(), plan.infos[p].size, gradient);
    gradients.states[p].watched = false;
  }
}

double regularization_loss(const Plan& plan, const std::vector<UpdateSums>& sums) {
  double loss = 0;
  for (size_t p = 0; p < sums.size(); ++p)
    if (is_regularized(plan, p)) loss += weighted(plan.parameters[p], sums[p].weight_absolutes, sums[p].weight_squares);
  return loss;
}

template <class T>
double regularization_loss(const Context<T>& context) {
  const Plan& plan = context.model.plan();
  double loss = 0;
  for (double penalty : host_penalties(context)) loss += penalty;
  std::vector<double> sums(2 * plan.infos.size());  // of each its absolutes, then its squares
  Memory& memory = context.workspace.memory;
  Buffer<double>& there = context.workspace.numbers;
  there.grow(sums.size(), memory);
  memory.clear(there.data(), sums.size() * sizeof(double));
  for (size_t p = 0; p < plan.infos.size(); ++p)
    if (is_regularized(plan, p))
      context.device.penalty_sums(context.weights() + plan.infos[p].offset, plan.infos[p].size, there.data()[2 * p],
                                  there.data()[2 * p + 1]);
  memory.download(sums.data(), there.data(), sums.size() * sizeof(double));
  for (size_t p = 0; p < plan.infos.size(); ++p)
    if (is_regularized(plan, p)) loss += weighted(plan.parameters[p], sums[2 * p], sums[2 * p + 1]);
  return loss;
}

#define INSTANTIATE(T)                                                            \
  template void zero_unwritten<T>(const Context<T>&);                             \
  template void complete_gradient<T>(const Context<T>&, Term);                    \
  template bool crosses_kink<T>(const Plan&, size_t, const T*, const T*, size_t); \
  template double host_penalty<T>(const Context<T>&, size_t, T*);                 \
  template std::vector<double> host_penalties<T>(const Context<T>&);              \
  template void add_host_penalties<T>(const Context<T>&);                         \
  template double regularization_loss<T>(const Context<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
