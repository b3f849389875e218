#include "pool.h"

#include "floating_point.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace gradus {

namespace {
constexpr uint64_t untaken = 0xffffffff;
constexpr int spins_before_sleep = 4000;  // some tens of microseconds
constexpr int spins_before_yield = 20000;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
}  // namespace

void Pool::set_threads(size_t threads) {
  if (threads == threads_) return;
  stop();
  threads_ = threads;
}

void Pool::run(size_t pieces, const void* body, Call call) {
  while (workers_.size() + 1 < threads_) {
    const size_t thread = workers_.size() + 1;
    workers_.emplace_back([this, thread] { work(thread); });
  }
  body_ = body;
  call_ = call;
  pieces_done_.store(0, std::memory_order_relaxed);
  const uint64_t job = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
  ticket_.store(job << 32 | pieces);
  if (sleepers_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  while (take_piece(0)) {
  }
  for (int spins = 0; pieces_done_.load(std::memory_order_acquire) < pieces; ++spins)
    spins < spins_before_yield ? pause() : std::this_thread::yield();
}

bool Pool::take_piece(size_t thread) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (ticket & untaken) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel)) continue;
    call_(body_, (ticket & untaken) - 1, thread);
    pieces_done_.fetch_add(1, std::memory_order_release);
    return true;
  }
  return false;
}

void Pool::work(size_t thread) {
  const FloatingPoint floating_point;
  for (int spins = 0;;) {
    if (take_piece(thread)) {
      spins = 0;
    } else if (++spins < spins_before_sleep) {
      pause();
    } else {
      std::unique_lock<std::mutex> lock(mutex_);
      ++sleepers_;
      wake_.wait(lock, [this] { return stopping_ || (ticket_.load() & untaken); });
      --sleepers_;
      if (stopping_) return;
      spins = 0;
    }
  }
}

void Pool::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  stopping_ = false;
}

}  // namespace gradus
