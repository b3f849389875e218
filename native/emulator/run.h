// A kernel that runs: its blocks one after the other, each a set of fibers that go on from one meeting to the next.
#pragma once
#include <memory>
#include <random>
#include <vector>

#include "fiber.h"
#include "calls.h"
#include "memory.h"
#include "report.h"
#include "traffic.h"

namespace gradus::emulator {

constexpr unsigned warp_lanes = 32;

struct Launch {
  void (*kernel)();
  Call call;
  unsigned grid, block;
  size_t shared;
  std::vector<uint64_t> params;  // a copy, aligned
  size_t param_bytes;
};

// A write that is no race if it leaves what was there: lanes of a vector may store one value at one place.
struct Pending {
  uintptr_t address = 0;
  unsigned bytes = 0;
  uint8_t before[16];
  const void* at = nullptr;
};

// To shared memory; `from` is not there: zeros.
struct Copy {
  uintptr_t to, from;
  unsigned bytes;
  bool is_there;
  unsigned group = 0;
  bool is_done = false;
};

enum class Meeting { none, barrier, sync, shuffle, vote };

struct Thread {
  unsigned index = 0;  // in its block
  Fiber fiber;
  bool done = false;
  // What it waits for, and what it brings along.
  Meeting meeting = Meeting::none;
  unsigned mask = 0, from = 0;
  uint64_t word = 0;
  const void* at = nullptr;
  Moment seen[warp_lanes];  // what the lanes of its warp did before these moments lies before what it does now
  Pending pending;
  std::vector<Copy> copies;  // that have not been waited for
  unsigned groups = 0;       // of copies, that are closed
};

// What a block knows of another: all that the block did before `all`, and what its thread did before `own`. The thread
// that was told knows it at once, everyone after the next barrier.
constexpr unsigned everyone = UINT32_MAX;
struct Acquired {
  unsigned by;
  unsigned block, thread;
  Moment all, own;
};

// From the first moment on to before the second.
struct Interval {
  Moment begin = 0, end = 0;
};

class Run {
 public:
  // `beside`: when kernels ran that nothing puts in order with this one; null: none did.
  explicit Run(const Launch& launch, const std::vector<Interval>* beside = nullptr);
  void run();

  // What a thread asks, by the functions of machine.h.
  void meet(Meeting meeting, unsigned mask, uint64_t word, unsigned from, const void* at);
  void arrive(uint32_t* count);
  void access(uintptr_t address, size_t bytes, bool is_store, bool is_atomic, const void* at);
  void begin_copy(Copy copy, const void* at);
  void close_group() { ++thread->groups; }
  void wait_copies(unsigned still);
  void* shared_memory(size_t bytes, const void* at);
  void settle_pending();
  void tell_misaligned(size_t bytes, const void* at);

  const Launch& launch;
  Thread* thread = nullptr;  // the one that runs
  unsigned block = 0;

 private:
  void run_block();
  static void run_thread(void* run);
  void shuffle_order();
  [[noreturn]] void abandon(Trouble trouble, const std::string& text, const void* at);
  bool pass_barrier();  // whether all have come
  void try_collective();
  void tell_stuck();
  std::string who(const Thread& of) const;
  std::string name_of(uintptr_t address) const;
  void tell_here(Trouble trouble, const std::string& text, const void* at);

  // Races
  bool is_before(uint32_t other, Moment when) const;
  bool is_beside(Moment when) const;
  bool readers_are_before(const Cell& cell) const;
  bool are_of_this_warp(const Cell& cell, bool of_readers) const;
  void check_cell(Cell& cell, uintptr_t address, size_t bytes, bool is_store, bool is_atomic, const void* at);
  uint32_t id() const { return block * launch.block + thread->index; }
  uint32_t warp_id() const { return block * warps_ + thread->index / warp_lanes; }

  const std::vector<Interval>* const beside_;
  Moment began_, barrier_ = 0;
  unsigned warps_;
  bool abandoned_ = false;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<unsigned> order_;
  std::mt19937_64 random_;
  std::vector<uint8_t> shared_bytes_;
  std::unique_ptr<Region> shared_;
  Traffic traffic_;
  std::vector<Acquired> acquired_;
  struct Released {
    const uint32_t* word;
    Acquired what;
  };
  std::vector<Released> released_;
};

// Of the kernel that this thread of the process runs.
extern thread_local Run* running;

}  // namespace gradus::emulator
