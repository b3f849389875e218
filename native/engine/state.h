// What a model is at one moment of its training: parameters, what the optimizer keeps, the count of updates, and what
// looks at the layers remember.
#pragma once
#include <string>
#include <vector>

#include "model.h"
#include "snapshot.h"

namespace gradus {

// What inspections remember of one another.
constexpr int64_t inspections_to_live = 10;  // a unit that lives has fired in one of so many
constexpr int64_t never_fired = -inspections_to_live;
struct Watching {
  // By layer, of relus: the number of the inspection in which each unit last fired.
  std::vector<std::vector<int64_t>> last_fired;
  int64_t finished = 0;  // inspections

  // `finished`, then the units of all relus, layer by layer.
  std::vector<double> numbers() const;
  // Throws GRADUS_INVALID_ARGUMENT where they are not of as many units.
  void set_numbers(const std::vector<double>& numbers);
};

template <class T>
class State {
 public:
  // Initial values, drawn where the plan says so.
  State(const Model<T>& model, const Device<T>& processor, Memory& memory = host_memory());

  T* parameters() { return arenas_[0].data(); }
  const T* parameters() const { return arenas_[0].data(); }
  // The running average of the parameters, or none.
  T* average() { return averages_ ? arenas_.back().data() : nullptr; }
  // The optimizer's slots: reals, or upper halves of floats in their place.
  size_t slot_count() const { return slot_count_; }
  T* slot(size_t number) { return short_slots_.empty() ? arenas_[1 + number].data() : nullptr; }
  uint16_t* short_slot(size_t number) { return short_slots_.empty() ? nullptr : short_slots_[number].data(); }

  const std::vector<std::string>& names() const { return names_; }  // "parameters", the slots, "average"
  // Elements of one arena, by its name; here they are wide where the arena keeps them short.
  void read(const std::string& name, size_t offset, size_t count, T* to) const;
  void write(const std::string& name, size_t offset, size_t count, const T* from);
  // All of it, or some arenas: copied by the processor where that is given, whose memory they then are. Both throw
  // GRADUS_INVALID_ARGUMENT for what is no snapshot of such a plan's state, and then nothing has changed.
  void export_to(const Plan& plan, Snapshot& to, const Device<T>* processor) const;
  void import_from(const Plan& plan, const Snapshot& from);
  size_t bytes() const;

  uint64_t step = 0;            // accepted updates so far
  double momentum_product = 1;  // Π of their momenta: see Corrections
  Watching watching;

 private:
  size_t number_of(const std::string& name) const;
  void initialize(const Plan& plan, const Device<T>& processor);

  std::vector<std::string> names_;
  Memory& memory_;
  std::vector<Buffer<T>> arenas_;  // by name; empty where slots are short
  std::vector<Buffer<uint16_t>> short_slots_;
  size_t slot_count_ = 0;
  bool averages_ = false;
};

}  // namespace gradus
