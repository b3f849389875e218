// The device of an NVIDIA GPU, as the library hands it over: memory, a stream for each program, and what goes wrong.
// Nothing of CUDA is called before somebody asks for a GPU, and nothing at the process's end.
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <new>

#include "driver.h"
#include "machine.h"
#include "management.h"
#include "steps.h"
#include "table.h"

namespace gradus {

struct Queue final : cuda::Steps {
  Queue(int ordinal, cudaStream_t stream) : ordinal(ordinal), stream(stream) {}
  void call(const cuda::Command& command, const uint64_t* told) override;
  std::unique_ptr<cuda::Graph> graph_of(const cuda::Commands& commands) override;
  using Steps::forget_steps;

  const int ordinal;
  const cudaStream_t stream;
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

uint64_t word_of(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
void* pointer_of(uint64_t word) { return reinterpret_cast<void*>(uintptr_t(word)); }

// Commands as nodes of a graph of CUDA's.
cudaKernelNodeParams kernel_of(const Command& command, void** arguments) {
  cudaKernelNodeParams params = {};
  params.func = const_cast<void*>(command.kernel);
  params.gridDim = dim3(command.shape.grid), params.blockDim = dim3(command.shape.block);
  params.sharedMemBytes = unsigned(command.shape.shared), params.kernelParams = arguments;
  return params;
}
cudaMemsetParams clearing_of(const uint64_t* told) {
  cudaMemsetParams params = {};
  params.dst = pointer_of(told[0]), params.elementSize = 1, params.width = told[1], params.height = 1;
  return params;
}

class StreamGraph final : public Graph {
 public:
  StreamGraph(Queue& queue, const Commands& commands) : queue_(queue), nodes_(commands.size()) {
    const std::vector<std::vector<size_t>> dependencies = dependencies_of(commands);
    is_whole_ = cudaGraphCreate(&graph_, 0) == cudaSuccess;
    for (size_t i = 0; i < commands.size() && is_whole_; ++i) {
      std::vector<cudaGraphNode_t> before;
      for (size_t other : dependencies[i]) before.push_back(nodes_[other]);
      commands_.push_back(commands[i]);
      is_whole_ = add(i, before, commands.told(i)) == cudaSuccess;
    }
    is_whole_ = is_whole_ && cudaGraphInstantiate(&launched_, graph_, 0) == cudaSuccess;
    if (!is_whole_) cudaGetLastError();
  }
  ~StreamGraph() override {
    if (launched_) cudaGraphExecDestroy(launched_);
    if (graph_) cudaGraphDestroy(graph_);
  }
  bool is_whole() const { return is_whole_; }

  bool tell(size_t i, const uint64_t* told) override {
    if (set(i, told) == cudaSuccess) return true;
    cudaGetLastError();
    return false;
  }
  void launch() override { holds(&queue_, cudaGraphLaunch(launched_, queue_.stream)); }

 private:
  cudaError_t add(size_t i, const std::vector<cudaGraphNode_t>& before, const uint64_t* told) {
    void* arguments[] = {const_cast<uint64_t*>(told)};
    const cudaKernelNodeParams kernel = kernel_of(commands_[i], arguments);
    switch (commands_[i].kind) {
      case Command::Kind::kernel:
        return cudaGraphAddKernelNode(&nodes_[i], graph_, before.data(), before.size(), &kernel);
      case Command::Kind::copy:
        return cudaGraphAddMemcpyNode1D(&nodes_[i], graph_, before.data(), before.size(), pointer_of(told[0]),
                                        pointer_of(told[1]), told[2], cudaMemcpyDeviceToDevice);
      default:
        const cudaMemsetParams clearing = clearing_of(told);
        return cudaGraphAddMemsetNode(&nodes_[i], graph_, before.data(), before.size(), &clearing);
    }
  }
  cudaError_t set(size_t i, const uint64_t* told) {
    void* arguments[] = {const_cast<uint64_t*>(told)};
    const cudaKernelNodeParams kernel = kernel_of(commands_[i], arguments);
    switch (commands_[i].kind) {
      case Command::Kind::kernel:
        return cudaGraphExecKernelNodeSetParams(launched_, nodes_[i], &kernel);
      case Command::Kind::copy:
        return cudaGraphExecMemcpyNodeSetParams1D(launched_, nodes_[i], pointer_of(told[0]), pointer_of(told[1]), told[2],
                                                  cudaMemcpyDeviceToDevice);
      default:
        const cudaMemsetParams clearing = clearing_of(told);
        return cudaGraphExecMemsetNodeSetParams(launched_, nodes_[i], &clearing);
    }
  }

  Queue& queue_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t launched_ = nullptr;
  std::vector<cudaGraphNode_t> nodes_;
  std::vector<Command> commands_;
  bool is_whole_ = false;
};

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

const Management& management() {
  static const Management of_driver([](const char* name) {
    static void* const library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : nullptr;
  });
  return of_driver;
}

void describe(int32_t ordinal, DeviceInfo* info) {
  *info = DeviceInfo();
  info->needs_support = needs_support, info->needs_driver = needs_driver;
  std::memcpy(info->least_capability, least_capability, sizeof least_capability);
  int version = 0;
  info->state = driver_state(&version);
  info->driver_supports = version;
  if (version != 0) read_driver_release("/proc/driver/nvidia/version", info->driver);
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
  char bus_id[16];
  if (cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, ordinal) == cudaSuccess)
    info->free = management().free_memory(bus_id, info->memory);
  else
    cudaGetLastError();
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
  *queue = new (std::nothrow) Queue(ordinal, stream);
  return *queue ? DeviceState::ready : DeviceState::out_of_memory;
}
void close(Queue* queue) {
  cudaSetDevice(queue->ordinal);
  queue->interrupt();
  cudaStreamSynchronize(queue->stream);
  queue->forget_steps();
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

// The driver gives pages of two megabytes.
DeviceRoom room(Queue* queue) {
  size_t free = 0, memory = 0;
  if (holds(queue, cudaSetDevice(queue->ordinal))) holds(queue, cudaMemGetInfo(&free, &memory));
  return {memory, free, uint64_t(1) << 21};
}

// From memory that the driver does not know: it has been read when the call returns.
void upload(Queue* queue, void* to, const void* from, size_t bytes) {
  queue->interrupt();
  if (holds(queue, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, queue->stream)))
    holds(queue, cudaStreamSynchronize(queue->stream));
}
void download(Queue* queue, void* to, const void* from, size_t bytes) {
  queue->interrupt();
  if (holds(queue, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, queue->stream)))
    holds(queue, cudaStreamSynchronize(queue->stream));
}
void copy(Queue* queue, void* to, const void* from, size_t bytes) {
  const uint64_t told[] = {word_of(to), word_of(from), bytes};
  queue->take({Command::Kind::copy}, told, sizeof told);
}
void clear(Queue* queue, void* memory, size_t bytes) {
  const uint64_t told[] = {word_of(memory), bytes};
  queue->take({Command::Kind::clear}, told, sizeof told);
}

void begin_step(Queue* queue) { queue->begin_step(); }
StepCalls end_step(Queue* queue) { return queue->end_step(); }
void branch(Queue* queue, uint32_t number) { queue->turn_to(number); }

DeviceState wait(Queue* queue) {
  queue->interrupt();
  holds(queue, cudaStreamSynchronize(queue->stream));
  const DeviceState trouble = queue->trouble;
  if (trouble != DeviceState::lost) queue->trouble = DeviceState::ready;
  return trouble;
}

// Made once, on the first call.
const DeviceTable& table() {
  static const DeviceTable all =
      with_kernels({0, "cuda", count, describe, open, close, allocate, release, room, enter, guard, upload, download, copy, clear,
                    wait, begin_step, end_step, branch, {}, {}, nullptr, nullptr});
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
  // Outside of the step that is the first to need it.
  if (queue->scratch) cuda::holds(queue, cudaMemsetAsync(queue->scratch, 0, bytes, queue->stream));
  return queue->scratch;
}
void queue_kernel(const void* kernel, const Shape& shape, const void* params, size_t bytes) {
  Queue* const queue = cuda::entered;
  constexpr size_t without_asking = 48 * 1024;
  if (shape.shared > without_asking)
    cuda::holds(queue, cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shape.shared)));
  queue->take({cuda::Command::Kind::kernel, kernel, nullptr, shape}, params, bytes);
}
}  // namespace gpu

void Queue::call(const cuda::Command& command, const uint64_t* told) {
  void* arguments[] = {const_cast<uint64_t*>(told)};
  const gpu::Shape& shape = command.shape;
  switch (command.kind) {
    case cuda::Command::Kind::kernel:
      cuda::holds(this, cudaLaunchKernel(command.kernel, dim3(shape.grid), dim3(shape.block), arguments, shape.shared,
                                         stream));
      break;
    case cuda::Command::Kind::copy:
      cuda::holds(this, cudaMemcpyAsync(cuda::pointer_of(told[0]), cuda::pointer_of(told[1]), told[2],
                                        cudaMemcpyDeviceToDevice, stream));
      break;
    case cuda::Command::Kind::clear:
      cuda::holds(this, cudaMemsetAsync(cuda::pointer_of(told[0]), 0, told[1], stream));
  }
}
std::unique_ptr<cuda::Graph> Queue::graph_of(const cuda::Commands& commands) {
  auto graph = std::make_unique<cuda::StreamGraph>(*this, commands);
  return graph->is_whole() ? std::move(graph) : nullptr;
}
}  // namespace gradus

extern "C" __attribute__((visibility("default"))) const gradus::DeviceTable* gradus_device(uint32_t version,
                                                                                           uint32_t* own) {
  return gradus::cuda::if_of_version(version, own, gradus::cuda::table);
}
