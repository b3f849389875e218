// What the compiler calls before each load and store of a kernel: the names are those of ThreadSanitizer's library, in
// whose place this is linked. Then the functions of calls.h.
#include <cstring>

#include "emulator.h"
#include "run.h"

namespace gradus::emulator {

namespace {
inline void access(void* address, size_t bytes, bool is_store, const void* at) {
  if (running) running->access(reinterpret_cast<uintptr_t>(address), bytes, is_store, false, at);
}
inline void unaligned(void* address, size_t bytes, bool is_store, const void* at) {
  if (running && reinterpret_cast<uintptr_t>(address) % bytes) running->tell_misaligned(bytes, at);
  access(address, bytes, is_store, at);
}
}  // namespace

unsigned thread() { return running->thread->index; }
unsigned block() { return running->block; }
unsigned threads() { return running->launch.block; }
unsigned blocks() { return running->launch.grid; }

#define HERE __builtin_return_address(0)
void* shared_memory(size_t bytes) { return running->shared_memory(bytes, HERE); }
void barrier() { running->meet(Meeting::barrier, 0, 0, 0, HERE); }
void sync_lanes(unsigned mask) { running->meet(Meeting::sync, mask, 0, 0, HERE); }
uint64_t shuffle(unsigned mask, uint64_t word, unsigned from) {
  running->meet(Meeting::shuffle, mask, word, from, HERE);
  return running->thread->word;
}
bool any(unsigned mask, bool value) {
  running->meet(Meeting::vote, mask, value, 0, HERE);
  return running->thread->word != 0;
}

uint32_t atomic_add(uint32_t* word, uint32_t value) {
  running->access(reinterpret_cast<uintptr_t>(word), sizeof *word, true, true, HERE);
  const uint32_t before = *word;
  *word += value;
  return before;
}
void raise(bool* flag) {
  running->access(reinterpret_cast<uintptr_t>(flag), sizeof *flag, true, true, HERE);
  *flag = true;
}
uint32_t arrive(uint32_t* count, uint32_t last) {
  running->arrive(count);
  running->access(reinterpret_cast<uintptr_t>(count), sizeof *count, true, true, HERE);
  const uint32_t before = *count;
  *count = before >= last ? 0 : before + 1;
  return before;
}
void move(void* to, const void* from, size_t bytes, bool is_store) {
  void* const memory = is_store ? to : const_cast<void*>(from);
  if (reinterpret_cast<uintptr_t>(memory) % bytes) running->tell_misaligned(bytes, HERE);
  running->access(reinterpret_cast<uintptr_t>(memory), bytes, is_store, false, HERE);
  std::memcpy(to, from, bytes);
}

void copy_async(void* to, const void* from, size_t bytes, bool is_there) {
  const Copy copy{reinterpret_cast<uintptr_t>(to), reinterpret_cast<uintptr_t>(from), unsigned(bytes), is_there};
  running->begin_copy(copy, HERE);
}
void close_group() { running->close_group(); }
void wait_copies(unsigned still) { running->wait_copies(still); }

bool is_planted(int mistake) { return options().planted == mistake; }

}  // namespace gradus::emulator

using gradus::emulator::access;
using gradus::emulator::unaligned;

#define HOOK void
extern "C" {
HOOK __tsan_init() {}
#define SIZE(n)                                                                                               \
  HOOK __tsan_read##n(void* address) { access(address, n, false, __builtin_return_address(0)); }              \
  HOOK __tsan_write##n(void* address) { access(address, n, true, __builtin_return_address(0)); }              \
  HOOK __tsan_unaligned_read##n(void* address) { unaligned(address, n, false, __builtin_return_address(0)); } \
  HOOK __tsan_unaligned_write##n(void* address) { unaligned(address, n, true, __builtin_return_address(0)); }
SIZE(1)
SIZE(2)
SIZE(4)
SIZE(8)
SIZE(16)
#undef SIZE
HOOK __tsan_read_range(void* address, size_t bytes) { access(address, bytes, false, __builtin_return_address(0)); }
HOOK __tsan_write_range(void* address, size_t bytes) { access(address, bytes, true, __builtin_return_address(0)); }
}
