#include "state.h"

#include <algorithm>

namespace gradus {

template <class T>
State<T>::State(const Model<T>& model, const Device<T>& device) : names_{"parameters"} {
  const Plan& plan = model.plan();
  const bool is_short = plan.optimizer && plan.optimizer->bfloat16;
  arenas_.emplace_back(plan.arena_size);
  if (plan.optimizer) {
    slot_count_ = plan.optimizer->slots.size();
    averages_ = plan.optimizer->averages;
    names_.insert(names_.end(), plan.optimizer->slots.begin(), plan.optimizer->slots.end());
  }
  for (size_t slot = 0; slot < slot_count_; ++slot) {
    arenas_.emplace_back(is_short ? 0 : plan.arena_size);
    if (is_short) short_slots_.emplace_back(plan.arena_size);
  }
  if (averages_) {
    names_.push_back("average");
    arenas_.emplace_back(plan.arena_size);
  }
  for (size_t op = 0; op < model.op_count(); ++op) {
    if (!model.holds_value(op)) continue;
    const bool is_relu = model.op(op).kind() == "relu";
    watching.last_fired.emplace_back(is_relu ? model.layout().nodes[model.op(op).node].size : 0, never_fired);
  }
  if (plan.initializes) initialize(plan, device);
}

template <class T>
void State<T>::initialize(const Plan& plan, const Device<T>& device) {
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    const ParameterPlan& by = plan.parameters[p];
    const Counter counter{plan.seed, streams::initial_values(p), 0};
    const size_t size = plan.infos[p].size;
    T* w = parameters() + plan.infos[p].offset;
    if (by.initializer == "constant")
      device.fill(T(by.low), size, w);
    else if (by.initializer == "uniform")
      device.random_uniform(counter, 0, size, T(by.low), T(by.high), w);
    else
      device.random_normal(counter, 0, size, T(by.low), T(by.high), w);
  }
  if (averages_) device.copy(parameters(), plan.arena_size, average());
}

template <class T>
size_t State<T>::number_of(const std::string& name) const {
  return size_t(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

template <class T>
T* State<T>::arena(const std::string& name) {
  const size_t number = number_of(name);
  return number < arenas_.size() ? arenas_[number].data() : nullptr;
}

template <class T>
uint16_t* State<T>::short_arena(const std::string& name) {
  const size_t slot = number_of(name) - 1;
  return slot < short_slots_.size() ? short_slots_[slot].data() : nullptr;
}

template <class T>
size_t State<T>::bytes() const {
  size_t bytes = 0;
  for (const auto& arena : arenas_) bytes += arena.bytes();
  for (const auto& slot : short_slots_) bytes += slot.bytes();
  return bytes;
}

template class State<float>;
template class State<double>;

}  // namespace gradus
