#include "fiber.h"

#include <sys/mman.h>

#include <new>

// gradus_switch(save, load): pushes what a function must keep, leaves the stack pointer in *save and goes on with the
// stack at `load`. A new fiber's stack holds what gradus_begin takes from it: the function and its argument.
extern "C" void gradus_switch(void** save, void* load);
extern "C" void gradus_begin();

#if defined(__x86_64__)
asm(R"(
.text
.globl gradus_switch
.hidden gradus_switch
gradus_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.globl gradus_begin
.hidden gradus_begin
gradus_begin:
  mov %r13, %rdi
  jmp *%r12
)");
constexpr size_t kept = 6, of_function = 3, of_argument = 2, of_return = 6;
#elif defined(__aarch64__)
asm(R"(
.text
.globl gradus_switch
.hidden gradus_switch
gradus_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.globl gradus_begin
.hidden gradus_begin
gradus_begin:
  mov x0, x20
  br x19
)");
constexpr size_t kept = 20, of_function = 0, of_argument = 1, of_return = 11;
#else
#error "the emulator's fibers know x86-64 and arm64"
#endif

namespace gradus::emulator {

namespace {
constexpr size_t guard = 4096;  // below the stack: whoever needs more memory than there is faults
}

Fiber::Fiber() {
  void* memory = mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, guard, PROT_NONE);
  stack_ = static_cast<uint8_t*>(memory) + guard;
}
Fiber::~Fiber() { munmap(stack_ - guard, guard + stack_size); }

void Fiber::begin(void (*run)(void*), void* argument) {
  // On x86-64 the place of the return address comes after what is kept, and a function begins 8 bytes off from 16.
  void** const top = reinterpret_cast<void**>(stack_ + stack_size) - 4;
  void** const frame = top - kept - (of_return == kept ? 2 : 0);
  frame[of_function] = reinterpret_cast<void*>(run);
  frame[of_argument] = argument;
  frame[of_return] = reinterpret_cast<void*>(&gradus_begin);
  own_ = frame;
}
void Fiber::resume() { gradus_switch(&others_, own_); }
void Fiber::suspend() { gradus_switch(&own_, others_); }

}  // namespace gradus::emulator
