// What emulated kernels ask of the emulator; machine.h gives it the names that kernels know.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus::emulator {

// Of the thread that is running.
unsigned thread();
unsigned block();
unsigned threads();
unsigned blocks();
void* shared_memory(size_t bytes);
void barrier();
void sync_lanes(unsigned mask);
// The words of the lanes that `from` names; each lane of the mask names one in it.
uint64_t shuffle(unsigned mask, uint64_t word, unsigned from);
bool any(unsigned mask, bool value);
uint32_t atomic_add(uint32_t* word, uint32_t value);
void raise(bool* flag);
uint32_t arrive(uint32_t* count, uint32_t last);
void move(void* to, const void* from, size_t bytes, bool is_store);  // of an aligned vector

void copy_async(void* to, const void* from, size_t bytes, bool is_there);
void close_group();
void wait_copies(unsigned still);

bool is_planted(int mistake);

using Call = void (*)(void (*kernel)(), const void* params);
// Of the queue that this thread has entered: what its kernels look at first, or null.
const uint32_t* guard();
void* scratch(size_t bytes);
// Queued on that queue; the parameters are copied.
void launch(void (*kernel)(), Call call, unsigned grid, unsigned block, size_t shared, const void* params,
            size_t bytes);

}  // namespace gradus::emulator
