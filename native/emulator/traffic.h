// What the lanes of a warp reach for at once. Fibers run one after the other, so that the lanes of one access come at
// different times: the n-th time that each lane is at an instruction, since the last barrier, is taken for one.
#pragma once
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "memory.h"

namespace gradus::emulator {

constexpr uintptr_t bank_row = 128;  // bytes of all banks of shared memory, which begins at a multiple of it

struct Access {
  uintptr_t address;
  uint32_t bytes;
  Region* region;  // null: shared memory
  const void* at;  // the instruction
};

// Sectors by array in the regions, bank conflicts in effort().
class Traffic {
 public:
  explicit Traffic(unsigned threads) : threads_(threads) {}
  void add(unsigned thread, const Access& access);
  void settle();  // lanes that have not come by now do not: at a barrier, and at the block's end

 private:
  struct Request {
    Access access;
    std::vector<uintptr_t> addresses;  // by lane; 0: not there
    unsigned lanes = 0;
  };
  struct Instruction {
    std::vector<uint32_t> times;               // by thread
    std::vector<std::deque<Request>> waiting;  // by warp
    std::vector<uint32_t> first;               // by warp, the time of the first that waits
  };
  static void count(const Request& request);
  static void count_sectors(const Request& request);
  static void count_conflicts(const Request& request);

  unsigned threads_;
  std::unordered_map<uintptr_t, Instruction> instructions_;  // a copy is two
};

}  // namespace gradus::emulator
