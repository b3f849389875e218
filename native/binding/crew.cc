#include "crew.h"

#include <chrono>
#include <iterator>

#include "engine/error.h"
#include "engine/floating_point.h"
#include "engine/scheduling.h"

namespace gradus::binding {

constexpr size_t most_idle = 4;
constexpr std::chrono::microseconds a_little_while(50);

void Crew::run(Job job) {
  std::unique_lock lock(mutex_);
  if (ending_) throw Error("GRADUS_DISPOSED", "the environment is closing");
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
  jobs_.push_back(std::move(job));
  has_jobs_ = true;
  if (free_ >= jobs_.size() || threads_.size() == most_threads_) {
    const bool is_seen = lingering_ && jobs_.size() == 1;
    lock.unlock();  // who wakes would wait for it
    if (!is_seen) wake_.notify_one();
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
    *self = std::thread([this, self] { loop(self); });
  } catch (...) {
    threads_.erase(self);
    throw;
  }
  ++free_;
}

void Crew::loop(Threads::iterator self) {
  const FloatingPoint floating_point;
  ask_for_long_turns();
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!jobs_.empty()) do_first(lock);
    if (ending_ || free_ > most_idle) break;
    linger(lock);
    wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
  }
  --free_;
  if (!ending_) ended_.splice(ended_.end(), threads_, self);
}

// Whoever awaits one short call after the other has the next job soon. To sleep and to be woken for it takes longer
// than the work of a small network, on both sides; one thread looks out for it a little while.
void Crew::linger(std::unique_lock<std::mutex>& lock) {
  if (ending_ || lingering_ || !has_cores_) return;
  lingering_ = true;
  lock.unlock();
  const auto end = std::chrono::steady_clock::now() + a_little_while;
  while (!has_jobs_ && std::chrono::steady_clock::now() < end) {
  }
  lock.lock();
  lingering_ = false;
}

// The thread is free before the job's end is announced: the next job then takes it, and no new one.
void Crew::do_first(std::unique_lock<std::mutex>& lock) {
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  has_jobs_ = !jobs_.empty();
  --free_;
  lock.unlock();
  job.work();
  lock.lock();
  ++free_;
  lock.unlock();
  if (job.announce) job.announce();
  lock.lock();
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
