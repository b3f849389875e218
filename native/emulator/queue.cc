// The emulated device as a library hands it over. Its queues are lazy: nothing runs before somebody waits, downloads,
// or has queued very much; a host that reads too early reads what was there.
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "emulator.h"
#include "kernels/cuda/table.h"
#include "report.h"
#include "run.h"

namespace gradus {

struct Queue {
  struct Command {
    std::function<void()> run;
    const emulator::Launch* launch = nullptr;  // of kernels
  };
  std::deque<Command> commands;
  const uint32_t* guard = nullptr;
  void* scratch = nullptr;
  DeviceState trouble = DeviceState::ready;
};

namespace emulator {

namespace {
constexpr size_t most_commands = 4096;

std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;
thread_local Queue* entered = nullptr;
uint64_t calls = 0;
bool is_lost = false;

// Whether this call is the one that is to fail.
bool fails(Queue* queue) {
  if (is_lost) queue->trouble = DeviceState::lost;
  if (options().fail_at == 0 || ++calls != options().fail_at) return is_lost;
  calls = 0, options().fail_at = 0;
  queue->trouble = options().fail_with;
  is_lost = is_lost || options().fail_with == DeviceState::lost;
  return true;
}

void run_all(Queue* queue) {
  const Opened opened;
  while (!queue->commands.empty()) {
    const Queue::Command command = std::move(queue->commands.front());
    queue->commands.pop_front();
    if (!is_lost) command.run();
  }
}

void put(Queue* queue, Queue::Command command) {
  if (fails(queue)) return;
  queue->commands.push_back(std::move(command));
  if (queue->commands.size() >= most_commands) run_all(queue);
}

int32_t count() { return 1; }

void describe(int32_t ordinal, DeviceInfo* info) {
  *info = DeviceInfo();
  if (ordinal != 0) {
    info->state = DeviceState::no_such_card;
    return;
  }
  info->state = DeviceState::ready;
  std::strcpy(info->name, "Emulated");
  info->memory = options().memory, info->free = options().memory - allocated();
}

DeviceState open(int32_t ordinal, Queue** queue) {
  if (ordinal != 0) return DeviceState::no_such_card;
  if (is_lost) return DeviceState::lost;
  *queue = new Queue;
  return DeviceState::ready;
}
void close(Queue* queue) {
  const Lock lock(mutex);
  run_all(queue);
  if (queue->scratch) release(queue->scratch);
  if (entered == queue) entered = nullptr;
  delete queue;
}

void* take(Queue* queue, size_t bytes) {
  const Lock lock(mutex);
  return fails(queue) ? nullptr : allocate(bytes);
}
void give_back(Queue* queue, void* memory) {
  const Lock lock(mutex);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const Region* const region = region_of(begin);
  for (const Queue::Command& command : queue->commands)
    for (uint64_t word : command.launch ? command.launch->params : std::vector<uint64_t>())
      if (region && region->has(uintptr_t(word), 1))
        tell(Trouble::in_use, "a queued kernel was given it", reinterpret_cast<const void*>(command.launch->kernel),
             nullptr);
  release(memory);
}

void enter(Queue* queue) { entered = queue; }
void guard(Queue* queue, const uint32_t* flag) { queue->guard = flag; }

void moved_by_host(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  if (Region* region = region_of(reinterpret_cast<uintptr_t>(to)))
    region->mark_written(reinterpret_cast<uintptr_t>(to), bytes);
}
// What has no room is told, and not moved.
bool has_room(const void* memory, size_t bytes, const char* what) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(memory);
  const Region* const region = region_of(at);
  if (bytes == 0 || (region && region->has(at, bytes))) return true;
  tell(Trouble::outside, std::string(what) + " " + std::to_string(bytes) + " bytes", nullptr, nullptr);
  return false;
}

void upload(Queue* queue, void* to, const void* from, size_t bytes) {
  const Lock lock(mutex);
  if (!has_room(to, bytes, "an upload of")) return;
  const uint8_t* const first = static_cast<const uint8_t*>(from);
  put(queue,
      {[to, copy = std::vector<uint8_t>(first, first + bytes)] { moved_by_host(to, copy.data(), copy.size()); }});
}
void download(Queue* queue, void* to, const void* from, size_t bytes) {
  const Lock lock(mutex);
  run_all(queue);
  if (!has_room(from, bytes, "a download of")) return;
  if (fails(queue)) return;
  const Opened opened;
  std::memcpy(to, from, bytes);
}
void copy(Queue* queue, void* to, const void* from, size_t bytes) {
  const Lock lock(mutex);
  if (!has_room(to, bytes, "a copy to") || !has_room(from, bytes, "a copy from")) return;
  put(queue, {[=] { moved_by_host(to, from, bytes); }});
}
void clear(Queue* queue, void* memory, size_t bytes) {
  const Lock lock(mutex);
  if (!has_room(memory, bytes, "clearing")) return;
  put(queue, {[=] {
        const std::vector<uint8_t> zeros(bytes);
        moved_by_host(memory, zeros.data(), bytes);
      }});
}
DeviceState wait(Queue* queue) {
  const Lock lock(mutex);
  fails(queue);
  run_all(queue);
  return std::exchange(queue->trouble, is_lost ? DeviceState::lost : DeviceState::ready);
}
}  // namespace

const uint32_t* guard() { return entered ? entered->guard : nullptr; }
void* scratch(size_t bytes) {
  if (!entered || entered->scratch) return entered ? entered->scratch : nullptr;
  entered->scratch = take(entered, bytes);
  if (entered->scratch) clear(entered, entered->scratch, bytes);
  return entered->scratch;
}

void launch(void (*kernel)(), Call call, unsigned grid, unsigned block, size_t shared, const void* params,
            size_t bytes) {
  const Lock lock(mutex);
  if (!entered)
    return tell(Trouble::host_memory, "a kernel is called on no queue", reinterpret_cast<void*>(kernel), nullptr);
  auto launched = std::make_shared<Launch>();
  *launched = {kernel, call, grid, block, shared, std::vector<uint64_t>((bytes + 7) / 8), bytes};
  std::memcpy(launched->params.data(), params, bytes);
  put(entered, {[launched] { Run(*launched).run(); }, launched.get()});
}

Options& options() {
  static Options all;
  return all;
}

Moved take_moved(const void* memory) {
  const Lock lock(mutex);
  Region* const region = region_of(reinterpret_cast<uintptr_t>(memory));
  if (!region) return {};
  return std::exchange(region->moved, {});
}

Effort& effort() {
  static Effort all;
  return all;
}
Effort take_effort() {
  const Lock lock(mutex);
  return std::exchange(effort(), {});
}

const DeviceTable& table() {
  static const DeviceTable all = cuda::with_kernels({0,
                                                     "emulated",
                                                     count,
                                                     describe,
                                                     open,
                                                     close,
                                                     take,
                                                     give_back,
                                                     enter,
                                                     guard,
                                                     upload,
                                                     download,
                                                     copy,
                                                     clear,
                                                     wait,
                                                     {},
                                                     {},
                                                     nullptr,
                                                     nullptr});
  return all;
}

}  // namespace emulator
}  // namespace gradus

extern "C" __attribute__((visibility("default"))) const gradus::DeviceTable* gradus_device(uint32_t version,
                                                                                           uint32_t* own) {
  return gradus::cuda::if_of_version(version, own, gradus::emulator::table);
}
