// What tests set and ask of the emulator.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/device_table.h"

namespace gradus::emulator {

enum class Order { forwards, backwards, shuffled };

enum class Finish { late, early, random };  // of copies that a thread waits for

struct Options {
  Order order = Order::forwards;  // of threads, and of blocks
  uint64_t seed = 1;              // of `shuffled`
  Finish copies = Finish::late;
  size_t memory = size_t(1) << 30, others = 0;  // that other processes have taken of it
  uint64_t fail_at = 0;                         // the number of the call that fails, from 1; 0: none
  DeviceState fail_with = DeviceState::lost;
  int planted = 0;      // a Mistake of kernels/cuda/mistakes.h
  bool counts = false;  // sectors and bank conflicts, which takes time
};
Options& options();

// What kernels have moved since the last call, of what lies at this address.
struct Moved {
  uint64_t read = 0, written = 0;  // bytes
  // Where options().counts: of what the lanes of a warp reach for at once, its sectors of 32 bytes, and those of which
  // no byte is left out. A compiler for cards may do some of it at once, or not at all.
  uint64_t requests = 0, sectors = 0, whole_sectors = 0;
};
Moved take_moved(const void* memory);

// Of the kernels since the last call.
struct Effort {
  uint64_t launches = 0, barriers = 0;               // a barrier once for each block
  uint64_t shared_requests = 0, bank_conflicts = 0;  // where options().counts: how often more than once for nothing
};
Effort take_effort();
Effort& effort();

}  // namespace gradus::emulator
