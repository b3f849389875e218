#include "crew.h"

#include <iterator>

#include "engine/error.h"
#include "engine/floating_point.h"

namespace gradus::binding {

constexpr size_t most_idle = 4;

void Crew::run(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (ending_) throw Error("GRADUS_DISPOSED", "the environment is closing");
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
  jobs_.push_back(std::move(job));
  if (idle_ >= jobs_.size() || threads_.size() == most_threads_) {
    wake_.notify_one();
    return;
  }
  try {
    start_thread();
  } catch (...) {
    if (!threads_.empty()) return;
    jobs_.pop_back();
    throw;
  }
}

void Crew::start_thread() {
  threads_.emplace_back();
  const auto self = std::prev(threads_.end());
  try {
    *self = std::thread([this, self] { work(self); });
  } catch (...) {
    threads_.erase(self);
    throw;
  }
}

void Crew::work(Threads::iterator self) {
  const FloatingPoint floating_point;
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!jobs_.empty()) {
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
    if (ending_ || idle_ == most_idle) break;
    ++idle_;
    wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    --idle_;
  }
  if (!ending_) ended_.splice(ended_.end(), threads_, self);
}

void Crew::end() {
  Threads all;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    all.splice(all.end(), threads_);
    all.splice(all.end(), ended_);
  }
  wake_.notify_all();
  for (std::thread& thread : all) thread.join();
}

}  // namespace gradus::binding
