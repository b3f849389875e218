#include "state.h"

#include <algorithm>
#include <cmath>
#include <sstream>

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
const T* State<T>::arena(const std::string& name) const {
  const size_t number = number_of(name);
  return number < arenas_.size() ? arenas_[number].data() : nullptr;
}

template <class T>
const uint16_t* State<T>::short_arena(const std::string& name) const {
  const size_t slot = number_of(name) - 1;
  return slot < short_slots_.size() ? short_slots_[slot].data() : nullptr;
}

namespace {
float widened(uint16_t half) {
  const uint32_t bits = uint32_t(half) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
// What widened() gave comes back as it was.
uint16_t upper_half(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return uint16_t(bits >> 16);
}
}  // namespace

template <class T>
void State<T>::read(const std::string& name, const ParameterInfo& parameter, T* to) const {
  if (const uint16_t* from = short_arena(name))
    std::transform(from + parameter.offset, from + parameter.offset + parameter.size, to,
                   [](uint16_t half) { return T(widened(half)); });
  else
    std::copy_n(arena(name) + parameter.offset, parameter.size, to);
}

template <class T>
void State<T>::write(const std::string& name, size_t offset, size_t count, const T* from) {
  if (uint16_t* to = short_arena(name))
    std::transform(from, from + count, to + offset, [](T value) { return upper_half(float(value)); });
  else
    std::copy_n(from, count, arena(name) + offset);
}

template <class T>
size_t State<T>::bytes() const {
  size_t bytes = 0;
  for (const auto& arena : arenas_) bytes += arena.bytes();
  for (const auto& slot : short_slots_) bytes += slot.bytes();
  return bytes;
}

std::vector<double> Watching::numbers() const {
  std::vector<double> numbers{double(finished)};
  for (const std::vector<int64_t>& layer : last_fired) numbers.insert(numbers.end(), layer.begin(), layer.end());
  return numbers;
}

// Inspections are numbered from 0 on, and of each unit one that is over is remembered, or that there was none.
static void check_watched(const std::vector<double>& numbers, size_t i) {
  constexpr double most = 9007199254740991;  // 2⁵³ − 1
  const double least = i == 0 ? 0 : double(never_fired), greatest = i == 0 ? most : numbers[0] - 1;
  const double number = numbers[i];
  if (number >= least && number <= greatest && number == std::floor(number)) return;
  std::ostringstream text;
  text.precision(16);
  text << "watching[" << i << "]: expected a whole number from " << least << " to " << greatest << ", received "
       << number;
  throw Error("GRADUS_INVALID_ARGUMENT", text.str());
}

void Watching::set_numbers(const std::vector<double>& numbers) {
  size_t units = 0;
  for (const std::vector<int64_t>& layer : last_fired) units += layer.size();
  if (numbers.size() != 1 + units)
    throw Error("GRADUS_INVALID_ARGUMENT", "watching: expected " + std::to_string(1 + units) + " numbers, received " +
                                               std::to_string(numbers.size()));
  for (size_t i = 0; i < numbers.size(); ++i) check_watched(numbers, i);
  const double* from = numbers.data();
  finished = int64_t(*from++);
  for (std::vector<int64_t>& layer : last_fired)
    for (int64_t& unit : layer) unit = int64_t(*from++);
}

template class State<float>;
template class State<double>;

}  // namespace gradus
