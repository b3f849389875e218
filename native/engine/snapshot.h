// What a run is at one moment, in memory of its own: to be saved, copied and gone on from.
#pragma once
#include <string>
#include <vector>

#include "memory.h"
#include "plan.h"

namespace gradus {

struct Snapshot {
  struct Arena {
    std::string name;
    Buffer<uint8_t> memory;  // `length` elements
  };
  // Of arenas of so many elements each.
  Snapshot(Precision precision, size_t length, const std::vector<std::string>& names)
      : precision(precision), length(length) {
    for (const std::string& name : names)
      arenas.push_back({name, Buffer<uint8_t>(product(length, element_size()), host_memory())});
  }
  size_t element_size() const { return precision == Precision::float64 ? sizeof(double) : sizeof(float); }
  size_t bytes() const { return arenas.size() * length * element_size(); }

  const Precision precision;
  const size_t length;        // elements of all parameters, one after the other; slots that are kept short are widened
  std::vector<Arena> arenas;  // all but the gradients, or some of them
  uint64_t step = 0;
  double momentum_product = 1;
  std::vector<double> watching;  // see Watching::numbers
};

}  // namespace gradus
