// The device's memory and each block's shared memory, with what is known of each byte: who wrote and who read it last.
// Moments are numbers that grow with all that puts threads in order: launches, barriers, warps in step.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "emulator.h"

namespace gradus::emulator {

using Moment = uint32_t;
Moment this_moment();
Moment next_moment();

constexpr uint32_t several = UINT32_MAX;  // of blocks, in Cell::readers

constexpr int poison = 0xcb;  // what lies where nobody has written

struct Cell {
  uint32_t writer = 0;   // a thread of the launch
  Moment written = 0;    // 0: never
  uint32_t readers = 0;  // the warp of the launch that the lanes are of; without lanes a block, or several
  uint32_t lanes = 0;
  Moment read = 0;  // 0: not since it was written
  bool by_atomic = false, read_by_several = false;
  bool is_under_way = false;  // a copy that was begun will write it
};

struct Free {
  void operator()(Cell* cells) const;
};

// Some bytes with a cell each.
class Region {
 public:
  Region(uintptr_t begin, size_t size);
  uintptr_t begin() const { return begin_; }
  size_t size() const { return size_; }
  bool has(uintptr_t address, size_t bytes) const { return address >= begin_ && address + bytes <= begin_ + size_; }
  Cell& cell(uintptr_t address) { return cells_[address - begin_]; }
  void mark_written(uintptr_t address, size_t bytes);  // by the host
  void forget();

  Moved moved;  // by kernels

 private:
  uintptr_t begin_;
  size_t size_;
  std::unique_ptr<Cell[], Free> cells_;
};

// ---- The device's
constexpr size_t whole_memory = size_t(1) << 32;  // addresses; what may be allocated is in the options
// Poisoned, at a multiple of 256, with room that is nobody's around it; null: no more than the limit is left.
void* allocate(size_t bytes);
bool release(void* memory);
size_t allocated();
Region* region_of(uintptr_t address);
bool is_device_memory(uintptr_t address);
std::string describe(uintptr_t address);  // "byte 20 of 16 bytes"
void tell_leaks();

// The host can reach the device's memory only while one of these is there. They may be nested.
class Opened {
 public:
  Opened();
  ~Opened();
};

}  // namespace gradus::emulator
