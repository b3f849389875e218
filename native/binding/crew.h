// The threads of one environment's calls.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "engine/pool.h"

namespace gradus::binding {

struct Job {
  std::function<void()> work;
  std::function<void()> announce;  // tells that the work is done, or none: whoever hears of it finds the thread free
};

// A job takes a thread that has nothing to do, or a new one. Where the system gives no more, it waits for one of those
// there are. A few stay when their job is done; the others end.
class Crew {
 public:
  explicit Crew(size_t most_threads = SIZE_MAX) : most_threads_(most_threads) {}
  ~Crew() { end(); }
  // Throws, and drops the job, where there is no thread at all and the system gives none.
  void run(Job job);
  // Returns when all jobs are done and all threads gone. Nothing may be run afterwards.
  void end();

 private:
  using Threads = std::list<std::thread>;
  void start_thread();
  void loop(Threads::iterator self);
  void linger(std::unique_lock<std::mutex>& lock);
  void do_first(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  Threads threads_, ended_;  // the ended ones are joined by the next job, or at the end
  const size_t most_threads_;
  size_t free_ = 0;                    // threads without work
  std::atomic<bool> has_jobs_{false};  // as jobs_ says, for who looks without the lock
  const bool has_cores_ = usable_cores() > 1;
  bool lingering_ = false;
  bool ending_ = false;
};

}  // namespace gradus::binding
