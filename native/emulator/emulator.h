// What tests set and ask of the emulator.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/device_table.h"

namespace gradus::emulator {

enum class Order { forwards, backwards, shuffled };

struct Options {
  Order order = Order::forwards;  // of threads, and of blocks
  uint64_t seed = 1;              // of `shuffled`
  size_t memory = size_t(1) << 30;
  uint64_t fail_at = 0;  // the number of the call that fails, from 1; 0: none
  DeviceState fail_with = DeviceState::lost;
  int planted = 0;  // a Mistake of kernels/cuda/mistakes.h
};
Options& options();

// What kernels have moved since the last call, of what lies at this address.
struct Moved {
  uint64_t read = 0, written = 0;
};
Moved take_moved(const void* memory);

}  // namespace gradus::emulator
