// Steps that come again and again. What a queue is called for from a step's beginning to its end is listed, and called
// at the end; where the same calls come once more they become a graph, which is launched as one, and from then on only
// what a call is told anew is said. For CUDA's queues and for the emulator's.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "../device_table.h"
#include "machine.h"
#include "mistakes.h"

namespace gradus::cuda {

struct Command {
  enum class Kind : uint8_t {
    kernel,  // is told its parameters
    copy,    // to, from, bytes
    clear    // at, bytes
  };
  Kind kind = Kind::kernel;
  const void* kernel = nullptr;
  const void* caller = nullptr;  // of the kernel, where it takes one to call it
  gpu::Shape shape = {};
  unsigned fork = 0, branch = 0;  // branches of one fork need nothing of each other
  size_t first = 0, words = 0;    // of what it is told
};

inline bool are_alike(const Command& a, const Command& b) {
  return a.kind == b.kind && a.kernel == b.kernel && a.shape.grid == b.shape.grid && a.shape.block == b.shape.block &&
         a.shape.shared == b.shape.shared && a.fork == b.fork && a.branch == b.branch && a.words == b.words;
}

class Commands {
 public:
  void add(Command command, const void* told, size_t bytes) {
    command.first = told_.size(), command.words = (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    told_.resize(told_.size() + command.words);
    std::memcpy(told_.data() + command.first, told, bytes);
    all_.push_back(command);
  }
  void clear() { all_.clear(), told_.clear(); }
  size_t size() const { return all_.size(); }
  const Command& operator[](size_t i) const { return all_[i]; }
  const uint64_t* told(size_t i) const { return told_.data() + all_[i].first; }
  // The same calls, whatever they are told.
  bool repeat(const Commands& others) const {
    return std::equal(all_.begin(), all_.end(), others.all_.begin(), others.all_.end(), are_alike);
  }
  bool is_told_as(const Commands& others, size_t i) const {
    return std::memcmp(told(i), others.told(i), all_[i].words * sizeof(uint64_t)) == 0;
  }

 private:
  std::vector<Command> all_;
  std::vector<uint64_t> told_;
};

// What each command comes after: the one before it on its branch, the first of a branch all tips of the fork before.
inline std::vector<std::vector<size_t>> dependencies_of(const Commands& commands) {
  std::vector<std::vector<size_t>> all(commands.size());
  std::vector<size_t> before;
  std::map<unsigned, size_t> tips;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (i > 0 && commands[i].fork != commands[i - 1].fork) {
      before.clear();
      for (const auto& [branch, tip] : tips) before.push_back(tip);
      if (planted_in_host(Mistake::branches_not_joined)) before.resize(1);
      tips.clear();
    }
    const auto tip = tips.find(commands[i].branch);
    all[i] = tip == tips.end() ? before : std::vector<size_t>{tip->second};
    tips[commands[i].branch] = i;
  }
  return all;
}

class Graph {
 public:
  virtual ~Graph() = default;
  virtual bool tell(size_t command, const uint64_t* told) = 0;  // false: it cannot be told
  virtual void launch() = 0;                                    // what was told before counts
};

class Steps {
 public:
  virtual ~Steps() = default;

  // Calls it, or lists it for the step's end.
  void take(Command command, const void* told, size_t bytes) {
    command.fork = fork_, command.branch = branch_;
    if (is_listing_) return listed_.add(command, told, bytes);
    single_.clear();
    single_.add(command, told, bytes);
    call(single_[0], single_.told(0));
  }
  void begin_step() {
    interrupt();
    listed_.clear();
    fork_ = branch_ = 0;
    is_listing_ = is_wanted_;
  }
  void turn_to(unsigned branch) {
    if (branch == 0 || branch_ == 0) ++fork_;
    branch_ = branch;
  }
  StepCalls end_step();
  // Somebody waits for what was called: it is called now, and so is the rest of the step.
  void interrupt() {
    if (!is_listing_) return;
    is_listing_ = false;
    call_all();
  }

 protected:
  virtual void call(const Command& command, const uint64_t* told) = 0;
  virtual std::unique_ptr<Graph> graph_of(const Commands& commands) = 0;  // null: there is none of these
  void forget_steps() { kept_.clear(); }

 private:
  struct Kept {
    Commands commands;  // as they were told last
    std::unique_ptr<Graph> graph;
    bool has_come_again = false;
  };
  static constexpr size_t most_kept = 8;  // by their calls: an epoch's last batch is another one

  static bool is_wanted() {
    const char* const wanted = std::getenv("GRADUS_CUDA_GRAPHS");
    return !wanted || std::strcmp(wanted, "0") != 0;
  }
  void call_all() {
    for (size_t i = 0; i < listed_.size(); ++i) call(listed_[i], listed_.told(i));
  }
  bool tell_anew(Kept& kept, StepCalls& calls);

  const bool is_wanted_ = is_wanted();
  bool is_listing_ = false;
  unsigned fork_ = 0, branch_ = 0;
  Commands listed_, single_;
  std::list<Kept> kept_;  // the one that came last is the first
};

// False: what is listed cannot be a graph.
inline bool Steps::tell_anew(Kept& kept, StepCalls& calls) {
  if (!kept.has_come_again) {
    kept.has_come_again = true;
    kept.graph = graph_of(listed_);
  } else if (kept.graph) {
    calls.is_replayed = true;
    for (size_t i = 0; i < listed_.size() && kept.graph; ++i) {
      if (listed_.is_told_as(kept.commands, i)) continue;
      if (planted_in_host(Mistake::told_nothing_anew)) continue;
      ++calls.told;
      if (!kept.graph->tell(i, listed_.told(i))) kept.graph = nullptr;
    }
  }
  std::swap(kept.commands, listed_);
  return kept.graph != nullptr;
}

inline StepCalls Steps::end_step() {
  StepCalls calls;
  if (!is_listing_) return calls;
  is_listing_ = false;
  calls.called = uint32_t(listed_.size());
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.commands.repeat(listed_); });
  if (found == kept_.end()) {
    call_all();
    if (kept_.size() == most_kept) kept_.pop_back();
    kept_.emplace_front();
    std::swap(kept_.front().commands, listed_);
    return calls;
  }
  kept_.splice(kept_.begin(), kept_, found);
  if (tell_anew(*found, calls)) {
    found->graph->launch();
  } else {
    calls.is_replayed = false;
    for (size_t i = 0; i < found->commands.size(); ++i) call(found->commands[i], found->commands.told(i));
  }
  return calls;
}

}  // namespace gradus::cuda
