#include "run.h"

#include <algorithm>
#include <cstring>

#include "emulator.h"

namespace gradus::emulator {

thread_local Run* running = nullptr;

namespace {
// Fibers are kept: their stacks are mapped once.
std::vector<std::unique_ptr<Thread>>& idle = *new std::vector<std::unique_ptr<Thread>>;

std::unique_ptr<Thread> take_thread() {
  if (idle.empty()) return std::make_unique<Thread>();
  std::unique_ptr<Thread> thread = std::move(idle.back());
  idle.pop_back();
  return thread;
}
}  // namespace

Run::Run(const Launch& launch, const std::vector<Interval>* beside)
    : launch(launch),
      beside_(beside),
      began_(next_moment()),
      warps_((launch.block + warp_lanes - 1) / warp_lanes),
      random_(options().seed + began_),
      shared_bytes_(launch.shared + bank_row),
      traffic_(launch.block) {
  ++effort().launches;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(shared_bytes_.data()) + bank_row - 1) / bank_row * bank_row;
  shared_ = std::make_unique<Region>(begin, launch.shared);
  for (unsigned i = 0; i < launch.block; ++i) threads_.push_back(take_thread());
}

void Run::run() {
  running = this;
  std::vector<unsigned> blocks(launch.grid);
  for (unsigned i = 0; i < launch.grid; ++i) blocks[i] = i;
  if (options().order == Order::backwards) std::reverse(blocks.begin(), blocks.end());
  if (options().order == Order::shuffled) std::shuffle(blocks.begin(), blocks.end(), random_);
  for (size_t i = 0; i < blocks.size() && !abandoned_; ++i) {
    block = blocks[i];
    run_block();
    traffic_.settle();
  }
  running = nullptr;
  for (std::unique_ptr<Thread>& thread : threads_) idle.push_back(std::move(thread));
}

void Run::run_thread(void* run) {
  Run& self = *static_cast<Run*>(run);
  self.launch.call(self.launch.kernel, self.launch.params.data());
  self.settle_pending();
  self.thread->done = true;
  self.thread->fiber.suspend();
}

void Run::shuffle_order() {
  order_.resize(launch.block);
  for (unsigned i = 0; i < launch.block; ++i) order_[i] = i;
  if (options().order == Order::backwards) std::reverse(order_.begin(), order_.end());
  if (options().order == Order::shuffled) std::shuffle(order_.begin(), order_.end(), random_);
}

// Each thread in turn runs until it waits or ends; when none can go on, they meet at the barrier or are stuck.
void Run::run_block() {
  shared_->forget();
  std::memset(shared_bytes_.data(), poison, shared_bytes_.size());
  acquired_.clear();
  barrier_ = 0;
  for (unsigned i = 0; i < launch.block; ++i) {
    Thread& of = *threads_[i];
    of.index = i, of.done = false, of.meeting = Meeting::none, of.pending.bytes = 0;
    of.copies.clear(), of.groups = 0;
    std::fill(std::begin(of.seen), std::end(of.seen), 0);
    of.fiber.begin(run_thread, this);
  }
  for (;;) {
    shuffle_order();
    bool moved = false;
    for (unsigned i : order_) {
      thread = threads_[i].get();
      if (thread->done || thread->meeting != Meeting::none) continue;
      moved = true;
      thread->fiber.resume();
      if (abandoned_) return;
    }
    if (moved) continue;
    if (std::all_of(threads_.begin(), threads_.end(), [](const auto& of) { return of->done; })) return;
    if (!pass_barrier()) return tell_stuck();
  }
}

bool Run::pass_barrier() {
  for (const std::unique_ptr<Thread>& of : threads_)
    if (of->done || of->meeting != Meeting::barrier) return false;
  for (std::unique_ptr<Thread>& of : threads_) of->meeting = Meeting::none;
  barrier_ = next_moment();
  ++effort().barriers;
  traffic_.settle();
  for (Acquired& of : acquired_) of.by = everyone;
  return true;
}

void Run::tell_stuck() {
  abandoned_ = true;
  unsigned ended = 0, at_barrier = 0;
  const Thread *waiting = nullptr, *elsewhere = nullptr;
  for (const std::unique_ptr<Thread>& of : threads_) {
    ended += of->done;
    if (of->meeting == Meeting::barrier) ++at_barrier, waiting = of.get();
    if (!of->done && of->meeting != Meeting::barrier) elsewhere = of.get();
  }
  if (elsewhere) {
    char mask[16];
    std::snprintf(mask, sizeof mask, "%#x", elsewhere->mask);
    tell(Trouble::collective, who(*elsewhere) + " waits for the lanes of " + mask + ", which do not come",
         reinterpret_cast<const void*>(launch.kernel), elsewhere->at);
  } else {
    tell(Trouble::barrier,
         who(*waiting) + " waits there with " + std::to_string(at_barrier - 1) + " others, while " +
             std::to_string(ended) + " have ended",
         reinterpret_cast<const void*>(launch.kernel), waiting->at);
  }
}

std::string Run::who(const Thread& of) const {
  return "thread " + std::to_string(of.index) + " of block " + std::to_string(block);
}

void Run::tell_here(Trouble trouble, const std::string& text, const void* at) {
  tell(trouble, who(*thread) + " " + text, reinterpret_cast<const void*>(launch.kernel), at);
}

void Run::abandon(Trouble trouble, const std::string& text, const void* at) {
  tell_here(trouble, text, at);
  abandoned_ = true;
  thread->fiber.suspend();
  __builtin_unreachable();
}

void Run::tell_misaligned(size_t bytes, const void* at) {
  tell_here(Trouble::misaligned, "moves " + std::to_string(bytes) + " bytes at no multiple of it", at);
}

// ---- Meetings
void Run::meet(Meeting meeting, unsigned mask, uint64_t word, unsigned from, const void* at) {
  settle_pending();
  Thread& self = *thread;
  self.at = at;
  if (meeting != Meeting::barrier) {
    const unsigned lane = self.index % warp_lanes;
    if (!(mask >> lane & 1)) abandon(Trouble::collective, "is not in the mask that it names", at);
    if (meeting == Meeting::shuffle && (from >= warp_lanes || !(mask >> from & 1)))
      abandon(Trouble::collective, "asks for the word of lane " + std::to_string(from) + ", which is not in the mask",
              at);
  }
  self.meeting = meeting, self.mask = mask, self.word = word, self.from = from;
  if (meeting != Meeting::barrier) try_collective();
  if (self.meeting != Meeting::none) self.fiber.suspend();
}

// When the last lane of the mask has come, all have their answers.
void Run::try_collective() {
  const Thread& self = *thread;
  const unsigned first = self.index / warp_lanes * warp_lanes;
  uint64_t words[warp_lanes] = {}, all = 0;
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    if (!(self.mask >> lane & 1)) continue;
    if (first + lane >= launch.block) return;
    const Thread& other = *threads_[first + lane];
    if (other.done || other.meeting != self.meeting || other.mask != self.mask) return;
    words[lane] = other.word, all |= other.word;
  }
  const Meeting meeting = self.meeting;
  const unsigned mask = self.mask;
  Moment seen[warp_lanes] = {};
  if (meeting == Meeting::sync) {
    const Moment now = next_moment();
    for (unsigned lane = 0; lane < warp_lanes; ++lane)
      if (mask >> lane & 1)
        for (unsigned other = 0; other < warp_lanes; ++other)
          seen[other] = std::max(seen[other], threads_[first + lane]->seen[other]);
    for (unsigned lane = 0; lane < warp_lanes; ++lane)
      if (mask >> lane & 1) seen[lane] = now;
  }
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    if (!(mask >> lane & 1)) continue;
    Thread& other = *threads_[first + lane];
    other.meeting = Meeting::none;
    if (meeting == Meeting::shuffle) other.word = words[other.from];
    if (meeting == Meeting::vote) other.word = all;
    if (meeting == Meeting::sync) std::copy(std::begin(seen), std::end(seen), other.seen);
  }
}

// Whoever counts later sees what those before had seen and stored.
void Run::arrive(uint32_t* count) {
  for (const Released& of : released_)
    if (of.word == count) acquired_.push_back(of.what), acquired_.back().by = thread->index;
  released_.push_back({count, {thread->index, block, id(), barrier_, next_moment()}});
}

void* Run::shared_memory(size_t bytes, const void* at) {
  if (bytes > shared_->size())
    abandon(
        Trouble::outside,
        "wants " + std::to_string(bytes) + " bytes of shared memory, launched with " + std::to_string(shared_->size()),
        at);
  return reinterpret_cast<void*>(shared_->begin());
}

}  // namespace gradus::emulator
