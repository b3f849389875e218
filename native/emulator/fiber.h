// Fibers: threads that run until they switch to another. One switch takes some nanoseconds.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus::emulator {

class Fiber {
 public:
  static constexpr size_t stack_size = 64 * 1024;

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next resume() begins it anew; what it was doing before is forgotten. It must not return.
  void begin(void (*run)(void*), void* argument);
  // Runs it until it calls suspend().
  void resume();
  void suspend();
  // Whether this is on its stack.
  bool has(uintptr_t address) const { return address - reinterpret_cast<uintptr_t>(stack_) < stack_size; }

 private:
  uint8_t* stack_;
  void* own_ = nullptr;     // its stack pointer while it is suspended
  void* others_ = nullptr;  // that of whoever has resumed it
};

}  // namespace gradus::emulator
