#include "pool.h"

#include <algorithm>
#include <system_error>

#include "floating_point.h"
#include "scheduling.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace gradus {

namespace {
constexpr int spins_before_sleep = 4000;  // some tens of microseconds
constexpr int spins_before_yield = 20000;

// A ticket from the high bits down: the number of the work, seats, the end of the pieces that nobody has taken and the
// first of them.
constexpr int end_at = 18, seats_at = 36, number_at = 44;
constexpr uint64_t one_piece = 1, one_end = uint64_t(1) << end_at, one_seat = uint64_t(1) << seats_at;
constexpr uint64_t most_pieces = one_end - 1, most_seats = (uint64_t(1) << (number_at - seats_at)) - 1;
uint64_t first_of(uint64_t ticket) { return ticket & most_pieces; }
uint64_t end_of(uint64_t ticket) { return ticket >> end_at & most_pieces; }
bool has_pieces(uint64_t ticket) { return first_of(ticket) != end_of(ticket); }
uint64_t seats_of(uint64_t ticket) { return ticket >> seats_at & most_seats; }
uint64_t number_of(uint64_t ticket) { return ticket >> number_at; }

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
}  // namespace

size_t usable_cores() {
#if defined(__linux__)
  cpu_set_t cores;  // of the standard library only some versions look at it
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return size_t(CPU_COUNT(&cores));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

Pool::Share::Share(Pool& pool, size_t threads) : pool_(pool), threads_(std::min(threads, pool.most_threads_)) {
  if (threads_ <= 1) return;
  std::lock_guard<std::mutex> lock(pool_.mutex_);
  pool_.wanted_ += threads_ - 1;
  pool_.start_threads();
}

Pool::Share::~Share() {
  if (threads_ <= 1) return;
  std::lock_guard<std::mutex> lock(pool_.mutex_);
  pool_.wanted_ -= threads_ - 1;
}

// As many as are wanted, but no more than can work at once. Where the system gives no more threads the work is done by
// those there are.
void Pool::start_threads() {
  const size_t most = std::min(wanted_, most_threads_ - 1);
  try {
    while (threads_.size() < most) threads_.emplace_back([this] { loop(); });
  } catch (const std::system_error&) {
  }
}

Pool::Work* Pool::take_place() {
  uint64_t taken = taken_.load(std::memory_order_relaxed);
  while (~taken) {
    const uint64_t bit = ~taken & (taken + 1);
    if (taken_.compare_exchange_weak(taken, taken | bit, std::memory_order_acquire))
      return &works_[__builtin_ctzll(bit)];
  }
  return nullptr;
}

void Pool::run(size_t pieces, size_t helpers, const void* body, Body call) {
  Work* work = pieces <= most_pieces ? take_place() : nullptr;
  if (!work) {
    for (size_t piece = 0; piece < pieces; ++piece) call(body, piece);
    return;
  }
  const uint64_t bit = uint64_t(1) << (work - works_);
  work->body = body;
  work->call = call;
  work->pieces_done.store(0, std::memory_order_relaxed);
  helpers = std::min<size_t>({helpers, pieces - 1, most_seats});
  const uint64_t number = number_of(work->ticket.load(std::memory_order_relaxed)) + 1;
  work->ticket.store(number << number_at | helpers << seats_at | pieces << end_at);
  open_.fetch_or(bit);
  wake(helpers);
  uint64_t ticket = work->ticket.load(std::memory_order_relaxed);
  while (has_pieces(ticket)) {
    if (!work->ticket.compare_exchange_weak(ticket, ticket - one_end, std::memory_order_acq_rel)) continue;
    call(body, end_of(ticket) - 1);
    work->pieces_done.fetch_add(1, std::memory_order_relaxed);
    ticket = work->ticket.load(std::memory_order_relaxed);
  }
  open_.fetch_and(~bit);
  for (int spins = 0; work->pieces_done.load(std::memory_order_acquire) < pieces; ++spins)
    spins < spins_before_yield ? pause() : std::this_thread::yield();
  taken_.fetch_and(~bit, std::memory_order_release);
}

void Pool::wake(size_t helpers) {
  const size_t sleepers = sleepers_.load();
  if (sleepers == 0) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (helpers >= sleepers) {
    wake_.notify_all();
  } else {
    for (; helpers > 0; --helpers) wake_.notify_one();
  }
}

// Takes a seat at one of the works that are open, and its pieces until there are none. False where there was no seat.
bool Pool::help() {
  for (uint64_t open = open_.load(std::memory_order_acquire); open; open &= open - 1) {
    Work& work = works_[__builtin_ctzll(open)];
    uint64_t ticket = work.ticket.load(std::memory_order_relaxed);
    while (has_pieces(ticket) && seats_of(ticket)) {
      const uint64_t number = number_of(ticket);
      if (!work.ticket.compare_exchange_weak(ticket, ticket + one_piece - one_seat, std::memory_order_acq_rel))
        continue;
      for (;;) {
        work.call(work.body, first_of(ticket));
        work.pieces_done.fetch_add(1, std::memory_order_release);
        ticket = work.ticket.load(std::memory_order_relaxed);
        do {
          if (number_of(ticket) != number || !has_pieces(ticket)) return true;
        } while (!work.ticket.compare_exchange_weak(ticket, ticket + one_piece, std::memory_order_acq_rel));
      }
    }
  }
  return false;
}

bool Pool::has_seat() const {
  for (uint64_t open = open_.load(); open; open &= open - 1) {
    const uint64_t ticket = works_[__builtin_ctzll(open)].ticket.load();
    if (has_pieces(ticket) && seats_of(ticket)) return true;
  }
  return false;
}

void Pool::loop() {
  const FloatingPoint floating_point;
  ask_for_long_turns();
  for (int spins = 0;;) {
    if (help()) {
      spins = 0;
    } else if (++spins < spins_before_sleep) {
      pause();
    } else {
      std::unique_lock<std::mutex> lock(mutex_);
      ++sleepers_;
      wake_.wait(lock, [this] { return stopping_ || has_seat(); });
      --sleepers_;
      if (stopping_) return;
      spins = 0;
    }
  }
}

Pool::~Pool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace gradus
