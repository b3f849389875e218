#include "far_device.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "kernels/update_part.h"

namespace gradus {
struct Queue {
  const uint32_t* guard = nullptr;
  bool is_in_step = false;
};
}  // namespace gradus

namespace gradus::test {
namespace {

constexpr size_t page = size_t(1) << 12, reserved = size_t(1) << 34;

struct Far {
  uint8_t* base = nullptr;
  size_t used = 0, left = reserved;
  std::map<uint8_t*, size_t> sizes;
  std::vector<std::function<void()>> calls;
  const char* complaint = nullptr;
  DeviceState state = DeviceState::ready;
  Queue queue;
  FarCalls noted;
  std::recursive_mutex mutex;

  Far() {
    void* memory = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    base = memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
  }
  // A kernel, which looks at the guard when it runs.
  template <class Body>
  void put(const Body& body) {
    calls.push_back([guard = queue.guard, body = Body(body)]() mutable {
      if (!guard || *guard == 0) body();
    });
  }
  // The guard is part of what a recording keeps.
  template <class... A>
  void note(const char* name, const A&... told) {
    noted.note(name, static_cast<const void*>(queue.guard), told...);
  }
  bool holds(const void* at) const { return at >= base && at < base + used; }
  // Runs all that is queued, and then the body, with the memory open.
  template <class Body>
  void open(const Body& body) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (used > 0) mprotect(base, used, PROT_READ | PROT_WRITE);
    for (const auto& call : calls) call();
    calls.clear();
    body();
    if (used > 0) mprotect(base, used, PROT_NONE);
  }
};
Far& far() {
  static Far far;
  return far;
}

void complain(const void* at, const char* what) {
  if (at && !far().holds(at) && !far().complaint) far().complaint = what;
}

// What a kernel is told may point to memory of the device only.
template <class A>
void look(const A&) {}
template <class A>
void look(A* const& pointer) {
  complain(pointer, "an array of the host");
}
template <class T>
void look(const Matmul<T>& of) {
  for (const void* at : {(const void*)of.a, (const void*)of.b, (const void*)of.c, (const void*)of.bias,
                         (const void*)of.gate, (const void*)of.nonfinite})
    complain(at, "matmul");
}
template <class T>
void look(const Loss<T>& of) {
  for (const void* at : {(const void*)of.scores, (const void*)of.labels, (const void*)of.targets,
                         (const void*)of.weights, (const void*)of.losses, (const void*)of.gradient})
    complain(at, "a loss");
}
template <class T>
void look(const Metric<T>& of) {
  for (const void* at : {(const void*)of.scores, (const void*)of.labels, (const void*)of.targets,
                         (const void*)of.weights, (const void*)of.sums, (const void*)of.changed})
    complain(at, "a metric");
}
template <class T>
void look(const Norm<T>& of) {
  for (const void* at : {(const void*)of.x, (const void*)of.gain, (const void*)of.bias, (const void*)of.mean,
                         (const void*)of.inverse_deviation, (const void*)of.y, (const void*)of.dy, (const void*)of.dx,
                         (const void*)of.dgain, (const void*)of.dbias, (const void*)of.dz})
    complain(at, "a norm");
}
template <class T>
void look(const Convolution<T>& of) {
  for (const void* at : {(const void*)of.weights, (const void*)of.packed, (const void*)of.input, (const void*)of.output,
                         (const void*)of.bias, (const void*)of.gate, (const void*)of.nonfinite, (const void*)of.means,
                         (const void*)of.squares})
    complain(at, "a convolution");
}
template <class T>
void look(const ConvolutionWeights<T>& of) {
  for (const void* at : {(const void*)of.x, (const void*)of.dy, (const void*)of.sums}) complain(at, "a convolution");
}
template <class T>
void look(const Pooling<T>& of) {
  for (const void* at : {(const void*)of.input, (const void*)of.output, (const void*)of.winners, (const void*)of.gate})
    complain(at, "a pool");
}
template <class T>
void look(const Framing<T>& of) {
  for (const void* at : {(const void*)of.x, (const void*)of.y}) complain(at, "a frame");
}
template <class T>
void look(const Upsampling<T>& of) {
  for (const void* at : {(const void*)of.input, (const void*)of.output}) complain(at, "upsampling");
}
template <class T>
void look(const GroupNorm<T>& of) {
  for (const void* at : {(const void*)of.x, (const void*)of.gain, (const void*)of.bias, (const void*)of.mean,
                         (const void*)of.inverse_deviation, (const void*)of.y, (const void*)of.dy, (const void*)of.dx,
                         (const void*)of.dgain, (const void*)of.dbias, (const void*)of.mean_dy, (const void*)of.along})
    complain(at, "a norm of groups");
}
template <class T>
void look(const Update<T>& of) {
  for (const void* at : {(const void*)of.gradient, (const void*)of.w, (const void*)of.slots[0],
                         (const void*)of.slots[1], (const void*)of.average, (const void*)of.directions,
                         (const void*)of.short_slots[0], (const void*)of.judged_scale})
    complain(at, "an update");
}
template <class T>
void look(const Combination<T>& of) {
  for (const void* at : {(const void*)of.scores, (const void*)of.weights, (const void*)of.norms,
                         (const void*)of.combined, (const void*)of.spread})
    complain(at, "an ensemble");
}
inline void look(const Evidence& of) {
  for (const void* at :
       {(const void*)of.nonfinite, (const void*)of.losses, (const void*)of.sums, (const void*)of.parameters})
    complain(at, "what an update is judged by");
}
inline void look(const Examples& of) {
  for (const void* at : {(const void*)of.data, (const void*)of.order, (const void*)of.view}) complain(at, "a dataset");
}
// Numbers, flags and sums that a kernel takes by reference, to write to them, lie there too.
template <class A>
constexpr bool is_written = std::is_lvalue_reference_v<A> && !std::is_const_v<std::remove_reference_t<A>>;
template <class A>
void look_at(std::remove_reference_t<A>& argument) {
  if constexpr (is_written<A>)
    complain(&argument, "a number of the host");
  else
    look(argument);
}

// Structs are copied when a kernel is called, references stay what they are.
template <class A>
using Kept = std::conditional_t<is_written<A>, A, std::decay_t<A>>;

// As calls are noted: what is written is known by where it lies.
template <class A>
auto told(std::remove_reference_t<A>& argument) {
  if constexpr (is_written<A>)
    return static_cast<const void*>(&argument);
  else
    return argument;
}
template <auto member>
constexpr const char* name_of = nullptr;
#define KERNEL(name, arguments, ...)                            \
  template <>                                                   \
  constexpr const char* name_of<&Kernels<float>::name> = #name; \
  template <>                                                   \
  constexpr const char* name_of<&Kernels<double>::name> = #name;
#include "kernels/kernels.def"
#undef KERNEL

template <auto member>
struct Late;
template <class T, class... A, void (*Kernels<T>::*member)(A...)>
struct Late<member> {
  static void call(A... arguments) {
    const std::lock_guard<std::recursive_mutex> lock(far().mutex);
    (look_at<A>(arguments), ...);
    far().note(name_of<member>, told<A>(arguments)...);
    far().put([kept = std::tuple<Kept<A>...>(arguments...)]() mutable {
      std::apply(kernels_of<T>(*available_isas()[0]).*member, kept);
    });
  }
};
// The device brings the workspace, for all calls the same.
template <auto member>
struct LateOnWorkspace;
template <class T, class Task, void (*Kernels<T>::*member)(const Task&, T*)>
struct LateOnWorkspace<member> {
  template <size_t (*size)(const Task&)>
  static void call(const Task& task, T*) {
    const std::lock_guard<std::recursive_mutex> lock(far().mutex);
    look(task);
    far().note(name_of<member>, task);
    far().put([task] {
      static std::vector<T> workspace;
      workspace.resize(std::max(workspace.size(), size(task) + 64 / sizeof(T)));
      T* aligned = reinterpret_cast<T*>(round_up(reinterpret_cast<size_t>(workspace.data()), 64));
      (kernels_of<T>(*available_isas()[0]).*member)(task, aligned);
    });
  }
};
template <class T>
size_t workspace_of(const Matmul<T>&) {
  return matmul_workspace;
}
template <class Task>
size_t workspace_of(const Task& task) {
  return convolution_workspace(task.shape);
}

const char* name_of_rule(UpdateRule rule) {
  static constexpr const char* names[] = {
#define KERNEL(name, arguments, ...)
#define UPDATE(name) #name,
#include "kernels/kernels.def"
#undef UPDATE
#undef KERNEL
  };
  return names[size_t(rule)];
}
template <class T>
void late_update(UpdateRule rule, const Update<T>& common, const UpdateBlock<T>* blocks, size_t count, unsigned kinds,
                 UpdateSums* sums) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  look(common), complain(blocks, "blocks of the host"), complain(sums, "sums of the host");
  far().note(name_of_rule(rule), common, blocks, count, kinds, sums);
  far().put([=] {
    for (size_t i = 0; i < count; ++i) {
      if (!(kinds >> blocks[i].kind() & 1)) far().complaint = "a block of another kind";
      const bool directs = takes_direction(rule, blocks[i].is_directed);
      const auto kernel = kernel_of<T>(directs ? UpdateRule::sgd : rule);
      sums[i] = UpdateSums();
      (kernels_of<T>(*available_isas()[0]).*kernel)(part_of(common, blocks[i], directs), sums[i]);
    }
  });
}

template <class T>
Kernels<T> late_kernels() {
  Kernels<T> table = {
#define KERNEL(name, arguments, ...) Late<&Kernels<T>::name>::call,
#include "kernels/kernels.def"
#undef KERNEL
  };
#define ON_WORKSPACE(name, Task) table.name = LateOnWorkspace<&Kernels<T>::name>::template call<workspace_of<Task<T>>>;
  ON_WORKSPACE(convolution, Convolution)
  ON_WORKSPACE(convolution_weights, ConvolutionWeights)
#undef ON_WORKSPACE
  table.matmul = LateOnWorkspace<&Kernels<T>::matmul>::template call<workspace_of<T>>;
  return table;
}

int32_t count() { return 1; }
void describe(int32_t ordinal, DeviceInfo* info) {
  *info = DeviceInfo();
  info->state = ordinal == 0 ? DeviceState::ready : DeviceState::no_such_card;
  std::snprintf(info->name, sizeof info->name, "far card");
  info->memory = reserved, info->free = far().left;
}
DeviceState open_queue(int32_t, Queue** queue) {
  *queue = &far().queue;
  return DeviceState::ready;
}
void close_queue(Queue*) {}
// Whoever waited or took memory would keep a device from having the step as one of those before.
void look_for_step(const char* what) {
  if (far().queue.is_in_step && !far().complaint) far().complaint = what;
}
// Memory is never taken twice: what is released has no rights ever again.
void* allocate(Queue*, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  far().noted.note("allocate", bytes), look_for_step("an allocation within a step");
  const size_t taken = round_up(bytes, page);
  if (taken > far().left || far().used + taken > reserved) return nullptr;
  uint8_t* memory = far().base + far().used;
  far().used += taken, far().left -= taken;
  far().sizes[memory] = taken;
  return memory;
}
void release(Queue*, void* memory) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  if (!far().calls.empty()) far().complaint = "memory released while something is queued";
  const size_t taken = far().sizes[static_cast<uint8_t*>(memory)];
  madvise(memory, taken, MADV_DONTNEED);
  far().left += taken;
}
DeviceRoom room(Queue*) { return {reserved, far().left, page}; }
void enter(Queue*) {}
void guard(Queue* queue, const uint32_t* flag) {
  complain(flag, "a guard of the host");
  queue->guard = flag;
}
void upload(Queue*, void* to, const void* from, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  complain(to, "an upload to the host"), look_for_step("an upload within a step");
  far().noted.note("upload", to, bytes);
  const uint8_t* begin = static_cast<const uint8_t*>(from);
  far().calls.push_back(
      [to, data = std::vector<uint8_t>(begin, begin + bytes)] { std::memcpy(to, data.data(), data.size()); });
}
void download(Queue*, void* to, const void* from, size_t bytes) {
  complain(from, "a download from the host"), look_for_step("a download within a step");
  far().noted.note("download", from, bytes);
  far().open([=] { std::memcpy(to, from, bytes); });
}
void copy(Queue*, void* to, const void* from, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  complain(to, "a copy to the host"), complain(from, "a copy from the host");
  far().noted.note("copy on the device", to, from, bytes);
  far().calls.push_back([=] { std::memmove(to, from, bytes); });
}
void clear(Queue*, void* at, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(far().mutex);
  complain(at, "memory of the host cleared");
  far().noted.note("clear", at, bytes);
  far().calls.push_back([=] { std::memset(at, 0, bytes); });
}
void begin_step(Queue* queue) { queue->is_in_step = true; }
StepCalls end_step(Queue* queue) {
  queue->is_in_step = false;
  return {};
}
void branch(Queue*, uint32_t) {}
DeviceState wait(Queue*) {
  look_for_step("a wait within a step");
  far().open([] {});
  return far().state;
}

}  // namespace

const DeviceTable& far_device() {
  static const DeviceTable table = {device_version,
                                    "far",
                                    count,
                                    describe,
                                    open_queue,
                                    close_queue,
                                    allocate,
                                    release,
                                    room,
                                    enter,
                                    guard,
                                    upload,
                                    download,
                                    copy,
                                    clear,
                                    wait,
                                    begin_step,
                                    end_step,
                                    branch,
                                    late_kernels<float>(),
                                    late_kernels<double>(),
                                    late_update<float>,
                                    late_update<double>};
  return table;
}
const char* far_complaint() { return far().complaint ? far().complaint : ""; }
FarCalls& far_calls() { return far().noted; }
void leave_far_memory(size_t bytes) { far().left = bytes; }
void break_far_device(DeviceState state) { far().state = state; }

}  // namespace gradus::test
