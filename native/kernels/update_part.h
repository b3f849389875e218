// What an update of all arenas is for one block of them.
#pragma once
#include "kernels.h"

namespace gradus {

// Directed blocks, of which the change is known as a whole, take it by a step of gradient descent.
constexpr bool takes_direction(UpdateRule rule, bool is_directed) {
  return is_directed && rule != UpdateRule::gradient_norm;
}

template <class T>
constexpr Update<T> part_of(const Update<T>& common, const UpdateBlock<T>& block, bool takes_direction) {
  Update<T> part = common;
  part.n = block.n;
  part.first = block.offset;
  part.w += block.offset;
  part.gradient += block.offset;
  for (T*& slot : part.slots)
    if (slot) slot += block.offset;
  for (uint16_t*& slot : part.short_slots)
    if (slot) slot += block.offset;
  part.average = common.average && block.averages ? common.average + block.offset : nullptr;
  part.l1 = block.l1, part.l2 = block.l2;
  part.learning_rate *= block.rate_multiplier;
  if (block.weight_decay >= 0) part.weight_decay = block.weight_decay;
  if (!takes_direction) return part;
  part.gradient = common.directions + block.offset;
  part.gradient_scale = -1, part.judged_scale = nullptr, part.clip_value = part.l1 = part.l2 = 0;
  part.weight_decay *= part.learning_rate, part.learning_rate = 1;
  return part;
}

// The kernel of a rule.
template <class T>
auto kernel_of(UpdateRule rule) {
  using Kernel = void (*Kernels<T>::*)(const Update<T>&, UpdateSums&);
  static constexpr Kernel kernels[] = {
#define KERNEL(name, arguments, ...)
#define UPDATE(name) &Kernels<T>::name,
#include "kernels.def"
#undef UPDATE
#undef KERNEL
  };
  return kernels[size_t(rule)];
}

}  // namespace gradus
