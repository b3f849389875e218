// The texts of the kernels, as code of a GPU: those of cpu/ where each lane is a thread, and what they need besides.
// Only for .cu files; what is here is theirs alone.
#pragma once
#include "../fingerprint.h"
#include "../kernels.h"
#include "../philox.h"
#include "machine.h"
#include "mistakes.h"

#define GRADUS_LANES

namespace gradus {
namespace {

// Of a guard that kernels have been given: see DeviceTable.
GPU_INLINE bool is_raised(const uint32_t* guard) { return guard && *guard != 0; }

// Of an address; null is.
GPU_INLINE bool is_multiple(const void* p, unsigned bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

namespace text {

#include "../cpu/simd.h"

// What is not defined below is not to be called.
#define KERNEL(name, arguments, ...) \
  template <class T>                 \
  FUNCTION void name arguments;
#include "../kernels.def"
#undef KERNEL

#include "../cpu/math-inl.h"
#include "../cpu/activations-inl.h"
#include "../cpu/cuts-inl.h"
#include "../cpu/sums-inl.h"
#include "memory-inl.h"
#include "../cpu/losses-inl.h"
#include "../cpu/norms-inl.h"
#include "../cpu/rows-inl.h"
#include "../cpu/updates-inl.h"
#include "../cpu/statistics-inl.h"
#include "../cpu/moving-inl.h"
#include "../cpu/metrics-inl.h"
#include "../cpu/tangents-inl.h"
#include "philox-inl.h"
#include "../cpu/random-inl.h"
#include "../cpu/bfloat16-inl.h"
#include "../cpu/choices-inl.h"
#include "../cpu/combine-inl.h"
#include "../cpu/judge-inl.h"
#include "../cpu/norm-tangents-inl.h"
#include "../cpu/penalties-inl.h"

}  // namespace text
}  // namespace
}  // namespace gradus
