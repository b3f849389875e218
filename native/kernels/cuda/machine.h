// What a kernel for a GPU may use of its machine, and how it is launched. This is the only file with PTX; the emulator
// has the same functions in emulator/machine.h. A kernel is `GPU_KERNEL void f(const Params p)`, Params plain data.
//
// Threads of a block are numbered from 0, 32 of them are a warp, and lanes are numbers within it. Masks have a bit for
// each lane; all lanes of a mask call the same function with the same mask.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus::gpu {

constexpr unsigned warp = 32;

struct Shape {
  unsigned grid = 1, block = 1;  // blocks, and threads of each
  size_t shared = 0;             // bytes of shared memory a block
};
// Numbers that are moved at once: 4, 8 or 16 bytes, which lie at a multiple of that.
template <class T, unsigned n>
struct alignas(n * sizeof(T)) Pack {
  T at[n];
};

}  // namespace gradus::gpu

#if defined(GRADUS_EMULATED)
#include "emulator/machine.h"
#else
#include "queue.h"

#define GPU_KERNEL static __global__
// Of so many threads, of which so many blocks are to have room on a multiprocessor.
#define GPU_KERNEL_OF(threads, blocks) static __global__ __launch_bounds__(threads, blocks)
#define GPU_FUNCTION __device__
#define GPU_INLINE __device__ __forceinline__
#define GPU_LAMBDA __device__
#define GPU_UNROLLED _Pragma("unroll")
#define GPU_ROLLED _Pragma("unroll 1")

namespace gradus::gpu {

GPU_INLINE unsigned thread() { return threadIdx.x; }
GPU_INLINE unsigned block() { return blockIdx.x; }
GPU_INLINE unsigned threads() { return blockDim.x; }
GPU_INLINE unsigned blocks() { return gridDim.x; }

// The block's shared memory, as the struct that the launch has given it the size of.
template <class S>
GPU_INLINE S& shared() {
  extern __shared__ __align__(16) unsigned char memory[];
  return *reinterpret_cast<S*>(memory);
}

// All threads of the block have come here, and see what the others have stored before.
GPU_INLINE void barrier() { __syncthreads(); }
// The same for the lanes of a mask.
GPU_INLINE void sync_lanes(unsigned mask) { __syncwarp(mask); }

// The value of another lane; it says nothing about memory.
template <class T>
GPU_INLINE T shuffle(unsigned mask, T value, int lane) {
  return __shfl_sync(mask, value, lane);
}
template <class T>
GPU_INLINE T shuffle_xor(unsigned mask, T value, int bits) {
  return __shfl_xor_sync(mask, value, bits);
}
GPU_INLINE bool any(unsigned mask, bool value) { return __any_sync(mask, value) != 0; }

// Words that blocks share: nothing is lost, nothing else is ordered.
GPU_INLINE uint32_t atomic_add(uint32_t* word, uint32_t value) { return atomicAdd(word, value); }
GPU_INLINE void raise(bool* flag) { asm volatile("st.relaxed.gpu.u8 [%0], %1;" ::"l"(flag), "r"(1) : "memory"); }
// Counts to `last` and then begins at 0 again, and orders: who gets the last number sees what all others had stored
// before they counted, if each had called it by one thread after a barrier.
GPU_INLINE uint32_t arrive(uint32_t* count, uint32_t last) {
  uint32_t before;
  asm volatile("atom.acq_rel.gpu.inc.u32 %0, [%1], %2;" : "=r"(before) : "l"(count), "r"(last) : "memory");
  return before;
}

template <unsigned bytes>
struct Words;
template <>
struct Words<4> {
  using type = uint32_t;
};
template <>
struct Words<8> {
  using type = uint2;
};
template <>
struct Words<16> {
  using type = uint4;
};
template <unsigned n, class T>
GPU_INLINE Pack<T, n> load_pack(const T* p) {
  const auto words = *reinterpret_cast<const typename Words<n * sizeof(T)>::type*>(p);
  Pack<T, n> pack;
  memcpy(&pack, &words, sizeof pack);
  return pack;
}
template <unsigned n, class T>
GPU_INLINE void store_pack(T* p, Pack<T, n> pack) {
  typename Words<n * sizeof(T)>::type words;
  memcpy(&words, &pack, sizeof pack);
  *reinterpret_cast<decltype(words)*>(p) = words;
}

// Copies to shared memory that go on by themselves, of 4, 8 or 16 bytes at a multiple of that on both sides; zeros
// where there is nothing to copy. What a thread has begun since it closed a group is the next one. After a wait all its
// groups have come but the `still` that it closed last: for itself, and for others after a barrier.
template <unsigned bytes>
GPU_INLINE void copy_async(void* shared, const void* from, bool is_there = true) {
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const unsigned there = is_there ? bytes : 0;
  if constexpr (bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(from), "n"(bytes), "r"(there)
                 : "memory");
  }
}
GPU_INLINE void close_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <unsigned still>
GPU_INLINE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(still) : "memory");
}

GPU_INLINE float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
GPU_INLINE double fused(double a, double b, double c) { return __fma_rn(a, b, c); }
GPU_INLINE float root(float a) { return __fsqrt_rn(a); }
GPU_INLINE double root(double a) { return __dsqrt_rn(a); }
GPU_INLINE uint32_t bits_of(float a) { return __float_as_uint(a); }
GPU_INLINE uint64_t bits_of(double a) { return static_cast<uint64_t>(__double_as_longlong(a)); }
GPU_INLINE float number_of(uint32_t bits) { return __uint_as_float(bits); }
GPU_INLINE double number_of(uint64_t bits) { return __longlong_as_double(static_cast<long long>(bits)); }

// On the queue that this thread has entered.
template <class Params>
void launch(void (*kernel)(Params), Shape shape, const Params& params) {
  queue_kernel(reinterpret_cast<const void*>(kernel), shape, &params, sizeof params);
}

}  // namespace gradus::gpu
#endif
