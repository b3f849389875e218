// The device of an NVIDIA GPU, as the library hands it over: memory, a stream for each program, and what goes wrong.
// Nothing of CUDA is called before somebody asks for a GPU, and nothing at the process's end.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>
#include <new>

#include "machine.h"
#include "table.h"

namespace gradus {

struct Queue {
  int ordinal;
  cudaStream_t stream;
  const uint32_t* guard = nullptr;
  void* scratch = nullptr;
  DeviceState trouble = DeviceState::ready;
};

namespace cuda {
namespace {

constexpr int least_capability[2] = {8, 0};
constexpr int needs_support = 13000, needs_driver = 580;

thread_local Queue* entered = nullptr;

DeviceState state_of(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return DeviceState::ready;
    case cudaErrorMemoryAllocation:
      return DeviceState::out_of_memory;
    case cudaErrorDevicesUnavailable:
    case cudaErrorDeviceAlreadyInUse:
      return DeviceState::busy;
    default:
      return DeviceState::lost;
  }
}
// Keeps the first trouble since the last wait; one that the process can live with is cleared.
bool holds(Queue* queue, cudaError_t error) {
  if (error == cudaSuccess) return true;
  cudaGetLastError();
  if (queue->trouble == DeviceState::ready) queue->trouble = state_of(error);
  return false;
}

// Whether the driver can be used; without one its version is 0, and no call fails.
DeviceState driver_state(int* version) {
  if (cudaDriverGetVersion(version) != cudaSuccess || *version == 0) return DeviceState::no_driver;
  return *version < needs_support ? DeviceState::old_driver : DeviceState::ready;
}

int32_t count() {
  int version = 0, cards = 0;
  if (driver_state(&version) != DeviceState::ready) return 0;
  if (cudaGetDeviceCount(&cards) == cudaSuccess) return cards;
  cudaGetLastError();
  return 0;
}

void describe(int32_t ordinal, DeviceInfo* info) {
  *info = DeviceInfo();
  info->needs_support = needs_support, info->needs_driver = needs_driver;
  std::memcpy(info->least_capability, least_capability, sizeof least_capability);
  int version = 0;
  info->state = driver_state(&version);
  info->driver_supports = version;
  if (info->state != DeviceState::ready) return;
  cudaDeviceProp properties;
  if (ordinal < 0 || ordinal >= count()) {
    info->state = DeviceState::no_such_card;
    return;
  }
  const cudaError_t error = cudaGetDeviceProperties(&properties, ordinal);
  if (error != cudaSuccess) {
    cudaGetLastError();
    info->state = state_of(error);
    return;
  }
  std::snprintf(info->name, sizeof info->name, "%s", properties.name);
  info->capability[0] = properties.major, info->capability[1] = properties.minor;
  info->memory = properties.totalGlobalMem;
  if (properties.major < least_capability[0]) info->state = DeviceState::old_card;
}

DeviceState open(int32_t ordinal, Queue** queue) {
  DeviceInfo info;
  describe(ordinal, &info);
  if (info.state != DeviceState::ready) return info.state;
  cudaStream_t stream = nullptr;
  cudaError_t error = cudaSetDevice(ordinal);
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return state_of(error);
  }
  *queue = new (std::nothrow) Queue{ordinal, stream};
  return *queue ? DeviceState::ready : DeviceState::out_of_memory;
}
void close(Queue* queue) {
  cudaSetDevice(queue->ordinal);
  cudaStreamSynchronize(queue->stream);
  cudaStreamDestroy(queue->stream);
  cudaFree(queue->scratch);
  cudaGetLastError();
  if (entered == queue) entered = nullptr;
  delete queue;
}

// CUDA's current card is the thread's own.
void enter(Queue* queue) {
  entered = queue;
  if (queue) holds(queue, cudaSetDevice(queue->ordinal));
}
void guard(Queue* queue, const uint32_t* flag) { queue->guard = flag; }

void* allocate(Queue* queue, size_t bytes) {
  void* memory = nullptr;
  if (cudaSetDevice(queue->ordinal) == cudaSuccess && cudaMalloc(&memory, bytes ? bytes : 1) == cudaSuccess)
    return memory;
  const cudaError_t error = cudaGetLastError();
  if (error != cudaErrorMemoryAllocation) holds(queue, error);
  return nullptr;
}
void release(Queue* queue, void* memory) {
  cudaSetDevice(queue->ordinal);
  holds(queue, cudaFree(memory));
}

// From memory that the driver does not know: it has been read when the call returns.
void upload(Queue* queue, void* to, const void* from, size_t bytes) {
  if (holds(queue, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, queue->stream)))
    holds(queue, cudaStreamSynchronize(queue->stream));
}
void download(Queue* queue, void* to, const void* from, size_t bytes) {
  if (holds(queue, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, queue->stream)))
    holds(queue, cudaStreamSynchronize(queue->stream));
}
void copy(Queue* queue, void* to, const void* from, size_t bytes) {
  holds(queue, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, queue->stream));
}
void clear(Queue* queue, void* memory, size_t bytes) { holds(queue, cudaMemsetAsync(memory, 0, bytes, queue->stream)); }

DeviceState wait(Queue* queue) {
  holds(queue, cudaStreamSynchronize(queue->stream));
  const DeviceState trouble = queue->trouble;
  if (trouble != DeviceState::lost) queue->trouble = DeviceState::ready;
  return trouble;
}

// Made once, on the first call.
const DeviceTable& table() {
  static const DeviceTable all =
      with_kernels({0, "cuda", count, describe, open, close, allocate, release, enter, guard, upload, download, copy, clear,
                    wait, {}, {}, nullptr, nullptr});
  return all;
}

}  // namespace
}  // namespace cuda

namespace gpu {
const uint32_t* guard() { return cuda::entered->guard; }
void* scratch(size_t bytes) {
  Queue* const queue = cuda::entered;
  if (queue->scratch) return queue->scratch;
  queue->scratch = cuda::allocate(queue, bytes);
  if (queue->scratch) cuda::clear(queue, queue->scratch, bytes);
  return queue->scratch;
}
void queue_kernel(const void* kernel, const Shape& shape, void** arguments) {
  Queue* const queue = cuda::entered;
  constexpr size_t without_asking = 48 * 1024;
  if (shape.shared > without_asking)
    cuda::holds(queue, cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shape.shared)));
  cuda::holds(queue,
              cudaLaunchKernel(kernel, dim3(shape.grid), dim3(shape.block), arguments, shape.shared, queue->stream));
}
}  // namespace gpu
}  // namespace gradus

extern "C" __attribute__((visibility("default"))) const gradus::DeviceTable* gradus_device(uint32_t version,
                                                                                           uint32_t* own) {
  return gradus::cuda::if_of_version(version, own, gradus::cuda::table);
}
