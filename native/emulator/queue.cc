// The emulated device as a library hands it over. Its queues are lazy: nothing runs before somebody waits, downloads,
// or has queued very much; a host that reads too early reads what was there. Branches of a step that is replayed run in
// the order of the options.
#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "emulator.h"
#include "kernels/cuda/steps.h"
#include "kernels/cuda/table.h"
#include "report.h"
#include "run.h"

namespace gradus {

struct Queue final : cuda::Steps {
  struct Waiting {
    std::function<void()> run;
    const emulator::Launch* launch = nullptr;  // of kernels
  };
  void call(const cuda::Command& command, const uint64_t* told) override;
  std::unique_ptr<cuda::Graph> graph_of(const cuda::Commands& commands) override;

  std::deque<Waiting> waiting;
  const uint32_t* guard = nullptr;
  void* scratch = nullptr;
  DeviceState trouble = DeviceState::ready;
};

namespace emulator {

namespace {
constexpr size_t most_waiting = 4096;

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
  while (!queue->waiting.empty()) {
    const Queue::Waiting next = std::move(queue->waiting.front());
    queue->waiting.pop_front();
    if (!is_lost) next.run();
  }
}

void put(Queue* queue, Queue::Waiting waiting) {
  if (fails(queue)) return;
  queue->waiting.push_back(std::move(waiting));
  if (queue->waiting.size() >= most_waiting) run_all(queue);
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
  info->memory = options().memory, info->free = options().memory - options().others - allocated();
}

DeviceState open(int32_t ordinal, Queue** queue) {
  if (ordinal != 0) return DeviceState::no_such_card;
  if (is_lost) return DeviceState::lost;
  *queue = new Queue;
  return DeviceState::ready;
}
void close(Queue* queue) {
  const Lock lock(mutex);
  queue->interrupt();
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
  for (const Queue::Waiting& of : queue->waiting)
    for (uint64_t word : of.launch ? of.launch->params : std::vector<uint64_t>())
      if (region && region->has(uintptr_t(word), 1))
        tell(Trouble::in_use, "a queued kernel was given it", reinterpret_cast<const void*>(of.launch->kernel),
             nullptr);
  release(memory);
}

DeviceRoom room(Queue*) {
  const Lock lock(mutex);
  return {options().memory, options().memory - options().others - allocated(), 1};
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
  queue->interrupt();
  if (!has_room(to, bytes, "an upload of")) return;
  const uint8_t* const first = static_cast<const uint8_t*>(from);
  put(queue,
      {[to, copy = std::vector<uint8_t>(first, first + bytes)] { moved_by_host(to, copy.data(), copy.size()); }});
}
void download(Queue* queue, void* to, const void* from, size_t bytes) {
  const Lock lock(mutex);
  queue->interrupt();
  run_all(queue);
  if (!has_room(from, bytes, "a download of")) return;
  if (fails(queue)) return;
  const Opened opened;
  std::memcpy(to, from, bytes);
}
void copy(Queue* queue, void* to, const void* from, size_t bytes) {
  const Lock lock(mutex);
  if (!has_room(to, bytes, "a copy to") || !has_room(from, bytes, "a copy from")) return;
  const uint64_t told[] = {reinterpret_cast<uintptr_t>(to), reinterpret_cast<uintptr_t>(from), bytes};
  queue->take({cuda::Command::Kind::copy}, told, sizeof told);
}
void clear(Queue* queue, void* memory, size_t bytes) {
  const Lock lock(mutex);
  if (!has_room(memory, bytes, "clearing")) return;
  const uint64_t told[] = {reinterpret_cast<uintptr_t>(memory), bytes};
  queue->take({cuda::Command::Kind::clear}, told, sizeof told);
}
DeviceState wait(Queue* queue) {
  const Lock lock(mutex);
  queue->interrupt();
  fails(queue);
  run_all(queue);
  return std::exchange(queue->trouble, is_lost ? DeviceState::lost : DeviceState::ready);
}
void begin_step(Queue* queue) {
  const Lock lock(mutex);
  queue->begin_step();
}
StepCalls end_step(Queue* queue) {
  const Lock lock(mutex);
  return queue->end_step();
}
void branch(Queue* queue, uint32_t number) {
  const Lock lock(mutex);
  queue->turn_to(number);
}

// What a command does when its turn has come; `beside`: when the commands ran that it must not meet.
Queue::Waiting waiting_of(const cuda::Command& command, const uint64_t* told, const std::vector<Interval>* beside) {
  using Kind = cuda::Command::Kind;
  if (command.kind == Kind::kernel) {
    const auto kernel = reinterpret_cast<void (*)()>(const_cast<void*>(command.kernel));
    const auto caller = reinterpret_cast<Call>(const_cast<void*>(command.caller));
    const gpu::Shape& shape = command.shape;
    const auto launched = std::make_shared<Launch>(Launch{kernel, caller, shape.grid, shape.block, shape.shared,
                                                          std::vector<uint64_t>(told, told + command.words),
                                                          command.words * sizeof(uint64_t)});
    return {[launched, beside] { Run(*launched, beside).run(); }, launched.get()};
  }
  void* const to = reinterpret_cast<void*>(told[0]);
  if (command.kind == Kind::clear)
    return {[to, bytes = told[1]] {
      const std::vector<uint8_t> zeros(bytes);
      moved_by_host(to, zeros.data(), bytes);
    }};
  return {[to, from = told[1], bytes = told[2]] { moved_by_host(to, reinterpret_cast<void*>(from), bytes); }};
}

// Keeps what its commands were told by itself: what is not told anew stays as it was.
class StepGraph final : public cuda::Graph {
 public:
  StepGraph(Queue& queue, const cuda::Commands& commands)
      : queue_(queue), dependencies_(cuda::dependencies_of(commands)), after_(all_before(dependencies_)) {
    for (size_t i = 0; i < commands.size(); ++i) {
      commands_.push_back(commands[i]);
      told_.emplace_back(commands.told(i), commands.told(i) + commands[i].words);
    }
  }
  bool tell(size_t i, const uint64_t* told) override {
    std::copy(told, told + told_[i].size(), told_[i].begin());
    return true;
  }
  void launch() override {
    struct Times {
      std::vector<Interval> of_all;
      std::vector<std::vector<Interval>> beside;
    };
    const auto times = std::make_shared<Times>();
    times->of_all.resize(commands_.size()), times->beside.resize(commands_.size());
    for (size_t i : order()) {
      const Queue::Waiting waiting = waiting_of(commands_[i], told_[i].data(), &times->beside[i]);
      const auto run = [run = waiting.run, times, i, after = after_] {
        for (size_t j = 0; j < after->size(); ++j)
          if (times->of_all[j].end && !(*after)[i][j]) times->beside[i].push_back(times->of_all[j]);
        times->of_all[i].begin = next_moment();
        run();
        times->of_all[i].end = next_moment();
      };
      put(&queue_, {run, waiting.launch});
    }
  }

 private:
  // [i][j]: command i runs after command j.
  using After = std::vector<std::vector<bool>>;
  static std::shared_ptr<const After> all_before(const std::vector<std::vector<size_t>>& dependencies) {
    After after(dependencies.size(), std::vector<bool>(dependencies.size()));
    for (size_t i = 0; i < after.size(); ++i)
      for (size_t before : dependencies[i]) {
        after[i][before] = true;
        for (size_t j = 0; j < before; ++j)
          if (after[before][j]) after[i][j] = true;
      }
    return std::make_shared<const After>(std::move(after));
  }
  // An order that the dependencies allow.
  std::vector<size_t> order() {
    std::vector<size_t> left(commands_.size()), order;
    for (size_t& i : left) i = size_t(&i - left.data());
    std::vector<bool> is_done(left.size());
    while (!left.empty()) {
      std::vector<size_t> ready;
      for (size_t i : left)
        if (std::all_of(dependencies_[i].begin(), dependencies_[i].end(), [&](size_t j) { return is_done[j]; }))
          ready.push_back(i);
      size_t next = ready[0];
      if (options().order == Order::backwards) next = ready.back();
      if (options().order == Order::shuffled) next = ready[random_() % ready.size()];
      order.push_back(next), is_done[next] = true;
      left.erase(std::find(left.begin(), left.end(), next));
    }
    return order;
  }

  Queue& queue_;
  std::vector<cuda::Command> commands_;
  std::vector<std::vector<uint64_t>> told_;
  const std::vector<std::vector<size_t>> dependencies_;
  const std::shared_ptr<const After> after_;
  std::mt19937_64 random_{options().seed};
};
}  // namespace

const uint32_t* guard() { return entered ? entered->guard : nullptr; }
void* scratch(size_t bytes) {
  if (!entered || entered->scratch) return entered ? entered->scratch : nullptr;
  entered->scratch = take(entered, bytes);
  if (!entered->scratch) return nullptr;
  const uint64_t told[] = {reinterpret_cast<uintptr_t>(entered->scratch), bytes};
  entered->call({cuda::Command::Kind::clear}, told);  // outside of the step that is the first to need it
  return entered->scratch;
}

void launch(void (*kernel)(), Call call, unsigned grid, unsigned block, size_t shared, const void* params,
            size_t bytes) {
  const Lock lock(mutex);
  if (!entered)
    return tell(Trouble::host_memory, "a kernel is called on no queue", reinterpret_cast<void*>(kernel), nullptr);
  entered->take({cuda::Command::Kind::kernel,
                 reinterpret_cast<const void*>(kernel),
                 reinterpret_cast<const void*>(call),
                 {grid, block, shared}},
                params, bytes);
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
  static const DeviceTable all = cuda::with_kernels(
      {0,        "emulated", count, describe, open,       close,    take,   give_back, room, enter,   guard,  upload,
       download, copy,       clear, wait,     begin_step, end_step, branch, {},        {},   nullptr, nullptr});
  return all;
}

}  // namespace emulator

void Queue::call(const cuda::Command& command, const uint64_t* told) {
  emulator::put(this, emulator::waiting_of(command, told, nullptr));
}
std::unique_ptr<cuda::Graph> Queue::graph_of(const cuda::Commands& commands) {
  return std::make_unique<emulator::StepGraph>(*this, commands);
}

}  // namespace gradus

extern "C" __attribute__((visibility("default"))) const gradus::DeviceTable* gradus_device(uint32_t version,
                                                                                           uint32_t* own) {
  return gradus::cuda::if_of_version(version, own, gradus::emulator::table);
}
