// The queue that kernels go to: of CUDA's streams, in queue.cu.
#pragma once
#include "../kernels.h"

namespace gradus {
struct Queue;
namespace gpu {
struct Shape;

// Both of the queue that the calling thread has entered. Each kernel is given the flag, and does nothing where it is
// raised; null: there is none.
const uint32_t* guard();
// Memory of that queue, for kernels that leave something to each other: zeros at first. As many bytes each time; null:
// there are none left.
void* scratch(size_t bytes);
void queue_kernel(const void* kernel, const Shape& shape, const void* params, size_t bytes);

}  // namespace gpu
}  // namespace gradus
