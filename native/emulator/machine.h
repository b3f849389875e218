// The functions of kernels/cuda/machine.h as the emulator has them. Included there, by the sources of kernels, which
// are compiled so that each load and store calls the emulator first; what is here only asks it.
#pragma once
#include "calls.h"

#define GPU_KERNEL static
#define GPU_KERNEL_OF(threads, blocks) static
#define GPU_FUNCTION
#define GPU_INLINE inline __attribute__((always_inline))
#define GPU_LAMBDA
#define GPU_UNROLLED
#define GPU_ROLLED

namespace gradus::gpu {

GPU_INLINE unsigned thread() { return emulator::thread(); }
GPU_INLINE unsigned block() { return emulator::block(); }
GPU_INLINE unsigned threads() { return emulator::threads(); }
GPU_INLINE unsigned blocks() { return emulator::blocks(); }

template <class S>
GPU_INLINE S& shared() {
  return *static_cast<S*>(emulator::shared_memory(sizeof(S)));
}
GPU_INLINE void barrier() { emulator::barrier(); }
GPU_INLINE void sync_lanes(unsigned mask) { emulator::sync_lanes(mask); }

template <class T>
GPU_INLINE T shuffle(unsigned mask, T value, int lane) {
  uint64_t word = 0;
  __builtin_memcpy(&word, &value, sizeof value);
  word = emulator::shuffle(mask, word, unsigned(lane));
  __builtin_memcpy(&value, &word, sizeof value);
  return value;
}
template <class T>
GPU_INLINE T shuffle_xor(unsigned mask, T value, int bits) {
  return shuffle(mask, value, int(thread() % warp) ^ bits);
}
GPU_INLINE bool any(unsigned mask, bool value) { return emulator::any(mask, value); }

GPU_INLINE uint32_t atomic_add(uint32_t* word, uint32_t value) { return emulator::atomic_add(word, value); }
GPU_INLINE void raise(bool* flag) { emulator::raise(flag); }
GPU_INLINE uint32_t arrive(uint32_t* count, uint32_t last) { return emulator::arrive(count, last); }

template <unsigned n, class T>
GPU_INLINE Pack<T, n> load_pack(const T* p) {
  Pack<T, n> pack;
  emulator::move(&pack, p, sizeof pack, false);
  return pack;
}
template <unsigned n, class T>
GPU_INLINE void store_pack(T* p, Pack<T, n> pack) {
  emulator::move(p, &pack, sizeof pack, true);
}

template <unsigned bytes>
GPU_INLINE void copy_async(void* shared, const void* from, bool is_there = true) {
  emulator::copy_async(shared, from, bytes, is_there);
}
GPU_INLINE void close_group() { emulator::close_group(); }
template <unsigned still>
GPU_INLINE void wait_copies() {
  emulator::wait_copies(still);
}

GPU_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GPU_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
GPU_INLINE float root(float a) { return __builtin_sqrtf(a); }
GPU_INLINE double root(double a) { return __builtin_sqrt(a); }
template <class B, class T>
GPU_INLINE B same_bits(T a) {
  B b;
  __builtin_memcpy(&b, &a, sizeof b);
  return b;
}
GPU_INLINE uint32_t bits_of(float a) { return same_bits<uint32_t>(a); }
GPU_INLINE uint64_t bits_of(double a) { return same_bits<uint64_t>(a); }
GPU_INLINE float number_of(uint32_t bits) { return same_bits<float>(bits); }
GPU_INLINE double number_of(uint64_t bits) { return same_bits<double>(bits); }

inline const uint32_t* guard() { return emulator::guard(); }
inline void* scratch(size_t bytes) { return emulator::scratch(bytes); }
template <class Params>
void launch(void (*kernel)(Params), Shape shape, const Params& params) {
  const emulator::Call call = [](void (*kernel)(), const void* params) {
    reinterpret_cast<void (*)(Params)>(kernel)(*static_cast<const Params*>(params));
  };
  emulator::launch(reinterpret_cast<void (*)()>(kernel), call, shape.grid, shape.block, shape.shared, &params,
                   sizeof params);
}

}  // namespace gradus::gpu
