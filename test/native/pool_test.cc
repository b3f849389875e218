// The pool under load: every piece once, one body at a time on each thread, and what bodies wrote is there at the end.
// Under ThreadSanitizer the plain reads and writes below are what it watches.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/pool.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

const size_t rounds = is_quick() ? 300 : 2000;

// Takes long enough for other threads to find pieces left.
uint64_t mixed(uint64_t x) {
  for (int i = 0; i < 100; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  return x;
}

// Calls of 0 to 40 pieces. Each piece goes on from what it left the last time, without atomics: one that is done twice,
// not at all or after its call's end shows in the values; two bodies at a time with one thread number, in the counts.
struct Load {
  std::vector<uint64_t> values = std::vector<uint64_t>(41), expected = values;
  std::vector<size_t> of_threads;
  size_t pieces_done = 0;
  std::atomic<bool> threads_are_known{true};

  void run(Pool& pool, size_t threads, size_t rounds) {
    pool.set_threads(threads);
    of_threads.resize(std::max(of_threads.size(), threads));
    for (size_t round = 0; round < rounds; ++round) {
      const size_t pieces = round * 7 % values.size();
      pool.parallel(pieces, [&](size_t piece, size_t thread) {
        values[piece] = mixed(values[piece]);
        if (thread < threads)
          ++of_threads[thread];
        else
          threads_are_known = false;
      });
      for (size_t piece = 0; piece < pieces; ++piece) expected[piece] = mixed(expected[piece]);
      pieces_done += pieces;
    }
  }

  void check() const {
    CHECK(values == expected);
    CHECK(threads_are_known);
    size_t sum = 0;
    for (size_t of_thread : of_threads) sum += of_thread;
    CHECK_EQ(sum, pieces_done);
  }
};

}  // namespace

TEST("the pool does each piece once, whatever the numbers of pieces and threads") {
  Pool pool;
  for (size_t threads : {1, 2, 3, 4, 9, 2}) {
    Scope scope(std::to_string(threads) + " threads");
    Load load;
    load.run(pool, threads, rounds);
    load.check();
    CHECK_EQ(pool.threads(), threads);
  }
}

TEST("what the bodies of one call wrote, those of the next call read") {
  Pool pool;
  pool.set_threads(3);
  constexpr size_t pieces = 17;
  std::vector<uint64_t> from(pieces), to(pieces);
  uint64_t expected = 0;
  for (size_t round = 0; round < rounds; ++round) {
    pool.parallel(pieces, [&](size_t piece, size_t) { to[piece] = mixed(from[(piece + 5) % pieces] + round); });
    from.swap(to);
    expected = mixed(expected + round);
  }
  CHECK(std::all_of(from.begin(), from.end(), [&](uint64_t x) { return x == expected; }));
}

TEST("several threads use pools of their own side by side") {
  constexpr size_t users = 3;
  Load loads[users];
  std::vector<std::thread> threads;
  for (size_t user = 0; user < users; ++user)
    threads.emplace_back([&, user] {
      Pool pool;
      loads[user].run(pool, 1 + user, rounds / 2);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Load& load : loads) load.check();
}

// Workers that spin, that have gone to sleep, and that have not begun yet: none is lost, none keeps the pool.
TEST("a pool may rest, go on and end at any moment") {
  Load load;
  for (size_t round = 0; round < 40; ++round) {
    Pool pool;
    load.run(pool, 2 + round % 3, round % 5);
    if (round % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    load.run(pool, 2 + round % 3, 2);
  }
  load.check();
}
