#include "state.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace gradus {

template <class T>
State<T>::State(const Model<T>& model, const Device<T>& processor, Memory& memory)
    : names_{"parameters"}, memory_(memory) {
  const Plan& plan = model.plan();
  const bool is_short = plan.optimizer && plan.optimizer->bfloat16;
  const auto add = [&](auto& arenas, size_t size) {
    arenas.emplace_back();
    while_taking("the weights, or what the optimizer keeps of them", [&] { arenas.back().grow(size, memory); });
  };
  add(arenas_, plan.arena_size);
  if (plan.optimizer) {
    slot_count_ = plan.optimizer->slots.size();
    averages_ = plan.optimizer->averages;
    names_.insert(names_.end(), plan.optimizer->slots.begin(), plan.optimizer->slots.end());
  }
  for (size_t slot = 0; slot < slot_count_; ++slot) {
    add(arenas_, is_short ? 0 : plan.arena_size);
    if (is_short) add(short_slots_, plan.arena_size);
  }
  if (averages_) {
    names_.push_back("average");
    add(arenas_, plan.arena_size);
  }
  for (size_t op = 0; op < model.op_count(); ++op) {
    if (!model.holds_value(op)) continue;
    const bool is_relu = model.op(op).kind() == "relu";
    watching.last_fired.emplace_back(is_relu ? model.op(op).units() : 0, never_fired);
  }
  if (plan.initializes) initialize(plan, processor);
}

namespace {
// Each column of a group takes the row of its own number in the group, at the middle of the kernel: what it gives is
// its input again. Of an even kernel the middle is the earlier one, as where 'same' pads.
template <class T>
void set_identity(const ParameterInfo& info, size_t groups, T* w) {
  const size_t columns = info.columns(), inputs = info.shape[info.shape.size() - 2], of_group = columns / groups;
  size_t middle = 0;
  for (size_t i = 0; i + 2 < info.shape.size(); ++i) middle = middle * info.shape[i] + (info.shape[i] - 1) / 2;
  T* const of_middle = w + middle * inputs * columns;
  for (size_t column = 0; column < columns; ++column)
    if (column % of_group < inputs) of_middle[column % of_group * columns + column] = 1;
}
}  // namespace

// Drawn on the processor, whatever the memory is of: it is done once.
template <class T>
void State<T>::initialize(const Plan& plan, const Device<T>& processor) {
  Buffer<T> here;
  if (!memory_.is_host()) here.grow(plan.arena_size, host_memory());
  T* const values = memory_.is_host() ? parameters() : here.data();
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    const ParameterPlan& by = plan.parameters[p];
    const Counter counter{plan.seed, streams::initial_values(p), 0};
    const size_t size = plan.infos[p].size;
    T* w = values + plan.infos[p].offset;
    if (by.initializer == "constant")
      processor.fill(T(by.low), size, w);
    else if (by.initializer == "identity")
      processor.fill(T(0), size, w), set_identity(plan.infos[p], by.groups, w);
    else if (by.initializer == "uniform")
      processor.random_uniform(counter, 0, size, T(by.low), T(by.high), w);
    else
      processor.random_normal(counter, 0, size, T(by.low), T(by.high), w);
  }
  if (!memory_.is_host()) memory_.upload(parameters(), values, plan.arena_size * sizeof(T));
  if (averages_) memory_.copy(average(), parameters(), plan.arena_size * sizeof(T));
}

template <class T>
size_t State<T>::number_of(const std::string& name) const {
  return size_t(std::find(names_.begin(), names_.end(), name) - names_.begin());
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
void State<T>::read(const std::string& name, size_t offset, size_t count, T* to) const {
  const size_t number = number_of(name), slot = number - 1;
  if (slot >= short_slots_.size()) return memory_.download(to, arenas_[number].data() + offset, count * sizeof(T));
  std::vector<uint16_t> halves(count);
  memory_.download(halves.data(), short_slots_[slot].data() + offset, count * sizeof(uint16_t));
  std::transform(halves.begin(), halves.end(), to, [](uint16_t half) { return T(widened(half)); });
}

template <class T>
void State<T>::write(const std::string& name, size_t offset, size_t count, const T* from) {
  const size_t number = number_of(name), slot = number - 1;
  if (slot >= short_slots_.size()) return memory_.upload(arenas_[number].data() + offset, from, count * sizeof(T));
  std::vector<uint16_t> halves(count);
  std::transform(from, from + count, halves.begin(), [](T value) { return upper_half(float(value)); });
  memory_.upload(short_slots_[slot].data() + offset, halves.data(), count * sizeof(uint16_t));
}

// Whether the snapshot's arenas are laid out as these.
static void check_layout(const Snapshot& snapshot, const Plan& plan) {
  size_t length = 0;
  for (const ParameterInfo& info : plan.infos) length += info.size;
  if (snapshot.precision != plan.precision || snapshot.length != length)
    throw Error("GRADUS_INVALID_ARGUMENT", "snapshot: expected one of a program with the same parameters");
}

template <class T>
void State<T>::export_to(const Plan& plan, Snapshot& to, const Device<T>* processor) const {
  check_layout(to, plan);
  for (const Snapshot::Arena& arena : to.arenas)
    if (number_of(arena.name) == names_.size())
      throw Error("GRADUS_INVALID_ARGUMENT", "snapshot: expected one of a program with the same optimizer");
  for (Snapshot::Arena& arena : to.arenas) {
    T* at = reinterpret_cast<T*>(arena.memory.data());
    const T* reals = processor ? arenas_[number_of(arena.name)].data() : nullptr;  // null where they are short
    for (const ParameterInfo& info : plan.infos) {
      if (reals)
        processor->copy(reals + info.offset, info.size, at);
      else
        read(arena.name, info.offset, info.size, at);
      at += info.size;
    }
  }
  to.step = step;
  to.momentum_product = momentum_product;
  to.watching = watching.numbers();
}

template <class T>
void State<T>::import_from(const Plan& plan, const Snapshot& from) {
  check_layout(from, plan);
  std::vector<std::string> names;
  for (const Snapshot::Arena& arena : from.arenas) names.push_back(arena.name);
  if (names != names_)
    throw Error("GRADUS_INVALID_ARGUMENT",
                "snapshot: expected one of a program with the same optimizer, of all arenas");
  watching.set_numbers(from.watching);
  for (const Snapshot::Arena& arena : from.arenas) {
    const T* at = reinterpret_cast<const T*>(arena.memory.data());
    for (const ParameterInfo& info : plan.infos) write(arena.name, info.offset, info.size, at), at += info.size;
  }
  step = from.step;
  momentum_product = from.momentum_product;
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
