#include "directions.h"

#include "host_call.h"
#include "orthogonalization.h"

namespace gradus {

template <class T>
Directions<T>::Directions(const Plan& plan) : plan_(plan) {
  for (size_t p = 0; p < plan.infos.size(); ++p) any_ |= is_of(p);
}

template <class T>
void Directions<T>::reserve(Workspace<T>& workspace) const {
  if (!any_) return;
  UpdateMemory<T>& memory = workspace.update;
  memory.directions.grow(plan_.arena_size, workspace.memory);
  memory.slots.resize(plan_.optimizer->slots.size());
  for (Buffer<T>& slot : memory.slots) slot.grow(plan_.arena_size, workspace.memory);
  workspace.numbers.grow(1, workspace.memory);
  for (size_t p = 0; plan_.optimizer->muon && p < plan_.infos.size(); ++p)
    if (is_of(p))
      reserve_orthogonalization(memory.orthogonalization, plan_.infos[p].rows(), plan_.infos[p].columns(),
                                workspace.memory);
}

template <class T>
bool Directions<T>::is_of(size_t p) const {
  if (!plan_.infos[p].trainable || !plan_.optimizer) return false;
  return plan_.optimizer->custom || (plan_.optimizer->muon && plan_.infos[p].is_matrix());
}

// The gradient that counts goes where the change will be.
template <class T>
void Directions<T>::find(const Context<T>& context, const StepNumbers& numbers, const Update<T>& common) const {
  for (size_t p = 0; p < plan_.infos.size(); ++p) {
    if (!is_of(p)) continue;
    const ParameterInfo& info = plan_.infos[p];
    Update<T> update = common;
    update.n = info.size;
    update.w += info.offset, update.gradient += info.offset;
    update.l1 = T(plan_.parameters[p].l1), update.l2 = T(plan_.parameters[p].l2);
    context.device.final_gradient(update, context.workspace.update.directions.data() + info.offset);
    if (plan_.optimizer->muon)
      find_muon(context, p, numbers);
    else
      find_custom(context, p, numbers);
  }
}

template <class T>
void Directions<T>::find_muon(const Context<T>& context, size_t p, const StepNumbers& numbers) const {
  const MuonPlan& muon = *plan_.optimizer->muon;
  const ParameterInfo& info = plan_.infos[p];
  const size_t rows = info.rows(), columns = info.columns();
  UpdateMemory<T>& memory = context.workspace.update;
  T* change = memory.directions.data() + info.offset;
  context.device.momentum_direction(context.state.slot(0) + info.offset, T(numbers.momentum), muon.nesterov, info.size,
                                    memory.slots[0].data() + info.offset, change);
  orthogonalize(context.device, change, rows, columns, muon.steps, memory.orthogonalization,
                *context.workspace.numbers.data());
  // Weights lie as (in, out): tall ones, of more outputs than inputs, take longer steps.
  const double rate = double(T(numbers.learning_rate)) * plan_.parameters[p].rate_multiplier;
  context.device.scale(T(-rate * std::sqrt(std::max(1.0, double(columns) / double(rows)))), info.size, change);
}

namespace {
template <class T>
bool has_nonfinite(const Context<T>& context, const T* x, size_t n) {
  Memory& memory = context.workspace.memory;
  bool* const there = context.workspace.gradients.nonfinite_alone();
  bool found = false;
  memory.clear(there, sizeof found);
  context.device.find_nonfinite(x, n, *there);
  memory.download(&found, there, sizeof found);
  return found;
}
}  // namespace

template <class T>
void Directions<T>::find_custom(const Context<T>& context, size_t p, const StepNumbers& numbers) const {
  if (!context.host) throw Error("GRADUS_BAD_DESCRIPTOR", "optimizer: a custom optimizer needs a host");
  const ParameterInfo& info = plan_.infos[p];
  UpdateMemory<T>& memory = context.workspace.update;
  T* change = memory.directions.data() + info.offset;
  memory.host_gradient.grow(info.size, context.workspace.memory);
  context.device.copy(change, info.size, memory.host_gradient.data());
  HostCall call;
  call.kind = HostCall::Kind::update;
  call.number = p;
  call.learning_rate = double(T(numbers.learning_rate)) * plan_.parameters[p].rate_multiplier;
  call.step = numbers.step;
  call.inputs = {{memory.host_gradient.data(), info.size}, {context.state.parameters() + info.offset, info.size}};
  call.outputs = {{change, info.size}};
  for (size_t slot = 0; slot < memory.slots.size(); ++slot) {
    call.inputs.push_back({context.state.slot(slot) + info.offset, info.size});
    call.outputs.push_back({memory.slots[slot].data() + info.offset, info.size});
  }
  ask<T>(*context.host, context.workspace.memory, call);
  if (has_nonfinite(context, change, info.size))
    throw Error("GRADUS_NON_FINITE", "the optimizer changes " + info.name + " by what is not finite");
}

template <class T>
void Directions<T>::commit(const Context<T>& context) const {
  UpdateMemory<T>& memory = context.workspace.update;
  const size_t slots = plan_.optimizer->muon ? 1 : memory.slots.size();
  for (size_t p = 0; p < plan_.infos.size(); ++p) {
    if (!is_of(p)) continue;
    const ParameterInfo& info = plan_.infos[p];
    for (size_t slot = 0; slot < slots; ++slot)
      context.device.copy(memory.slots[slot].data() + info.offset, info.size, context.state.slot(slot) + info.offset);
  }
}

template class Directions<float>;
template class Directions<double>;

}  // namespace gradus
