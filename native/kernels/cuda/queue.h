// The queue that kernels go to: of CUDA's streams, in queue.cu.
#pragma once
#include "../kernels.h"

namespace gradus {
struct Queue;
namespace gpu {
struct Shape;

// On the queue that the calling thread has entered.
void queue_kernel(const void* kernel, const Shape& shape, void** arguments);

}  // namespace gpu
}  // namespace gradus
