// The threads that all programs of an environment share. They start with the first work that needs them, spin briefly
// for more, then sleep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace gradus {

// Those that this thread may run on: fewer than the machine has under taskset, or in a container's set of them.
size_t usable_cores();

class Pool {
 public:
  // most_threads: so many work at once at most, callers among them; more on a core slow each other down.
  explicit Pool(size_t most_threads = usable_cores()) : most_threads_(most_threads) {}
  Pool(const Pool&) = delete;
  ~Pool();
  size_t most_threads() const { return most_threads_; }

  // What a call asks for while it runs: threads to help its own, as far as the pool has them.
  class Share {
   public:
    Share(Pool& pool, size_t threads);
    Share(const Share&) = delete;
    ~Share();
    size_t threads() const { return threads_; }

    // body(piece) for each piece, in any order, on at most threads() threads, the caller's among them; returns when all
    // are done. Shares of one pool work at the same time. The first that body throws is thrown when all are done. The
    // caller begins with the last piece and helpers with the first: of two threads each finds in its caches what it
    // worked on in the call before.
    template <class Body>
    void parallel(size_t pieces, const Body& body) const {
      if (pieces <= 1 || threads_ <= 1) {
        for (size_t piece = 0; piece < pieces; ++piece) body(piece);
        return;
      }
      std::atomic<bool> has_failed{false};
      std::exception_ptr failure;
      const auto guarded = [&](size_t piece) {
        try {
          body(piece);
        } catch (...) {
          if (!has_failed.exchange(true)) failure = std::current_exception();
        }
      };
      pool_.run(pieces, threads_ - 1, &guarded,
                [](const void* body, size_t piece) { (*static_cast<const decltype(guarded)*>(body))(piece); });
      if (failure) std::rethrow_exception(failure);
    }

   private:
    Pool& pool_;
    size_t threads_;
  };

 private:
  using Body = void (*)(const void* body, size_t piece);

  // A piece of work that is shared. The ticket holds the number of the work, how many helpers may still come, and which
  // pieces nobody has taken: whoever takes one exchanges the ticket, and may read the rest until the piece is
  // done. The work ends only when each piece that was taken is done; a late helper finds nothing to take.
  struct alignas(64) Work {
    std::atomic<uint64_t> ticket{0};
    std::atomic<size_t> pieces_done{0};
    const void* body = nullptr;
    Body call = nullptr;
  };
  static constexpr size_t places = 64;

  void run(size_t pieces, size_t helpers, const void* body, Body call);
  Work* take_place();
  void wake(size_t helpers);
  bool help();
  bool has_seat() const;
  void start_threads();  // the mutex is held
  void loop();

  Work works_[places];
  std::atomic<uint64_t> taken_{0};  // a bit for each place that is in use
  std::atomic<uint64_t> open_{0};   // a bit for each that may have pieces to take
  std::atomic<size_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  const size_t most_threads_;
  size_t wanted_ = 0;  // helpers that the shares ask for
  bool stopping_ = false;
};

}  // namespace gradus
