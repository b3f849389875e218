// The threads of one program. Workers start with the first work that needs them, spin briefly for more, then sleep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace gradus {

class Pool {
 public:
  ~Pool() { stop(); }

  size_t threads() const { return threads_; }
  // How many threads, the caller's among them, work from now on.
  void set_threads(size_t threads);

  // body(piece, thread) for each piece, in any order, on any of the threads; returns when all are done. Not re-entrant;
  // body must not throw.
  template <class Body>
  void parallel(size_t pieces, const Body& body) {
    if (pieces <= 1 || threads_ <= 1) {
      for (size_t piece = 0; piece < pieces; ++piece) body(piece, size_t(0));
      return;
    }
    run(pieces, &body,
        [](const void* body, size_t piece, size_t thread) { (*static_cast<const Body*>(body))(piece, thread); });
  }

 private:
  using Call = void (*)(const void* body, size_t piece, size_t thread);
  void run(size_t pieces, const void* body, Call call);
  bool take_piece(size_t thread);
  void work(size_t thread);
  void stop();

  size_t threads_ = 1;
  std::vector<std::thread> workers_;
  // Number of the job in the high half, pieces not yet taken in the low half. A job ends only when each piece that was
  // taken is done, so whoever takes one may read the job's fields; a late worker finds nothing to take.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<size_t> pieces_done_{0};
  const void* body_ = nullptr;
  Call call_ = nullptr;
  std::atomic<size_t> sleepers_{0};
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace gradus
