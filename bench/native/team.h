// Threads for a bench: as hot as the engine's pool is within a step.
#pragma once
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace bench {

// The calling thread is the first; the others spin for the next call, as the engine's pool does while it is hot.
class Team {
 public:
  explicit Team(size_t threads) : waiting(threads - 1) {
    for (size_t index = 1; index < threads; ++index)
      members.emplace_back([this, index] {
        for (size_t seen = 0; !stop;) {
          if (call.load(std::memory_order_acquire) == seen) continue;
          ++seen;
          if (!stop) work(index);
          done.fetch_add(1, std::memory_order_release);
        }
      });
  }
  ~Team() {
    stop = true;
    call.fetch_add(1);
    for (std::thread& member : members) member.join();
  }
  void run(const std::function<void(size_t)>& body) {
    work = body;
    done.store(0);
    call.fetch_add(1, std::memory_order_release);
    work(0);
    while (done.load(std::memory_order_acquire) != waiting) continue;
  }

 private:
  const size_t waiting;
  std::atomic<bool> stop{false};
  std::atomic<size_t> call{0}, done{0};
  std::function<void(size_t)> work;
  std::vector<std::thread> members;
};

}  // namespace bench
