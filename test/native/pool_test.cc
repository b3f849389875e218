// The pool under load: every piece once, one body at a time on each thread, and what bodies wrote is there at the end.
// Under ThreadSanitizer the plain reads and writes below are what it watches.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "engine/pool.h"
#include "engine/scheduling.h"
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
// not at all or after its call's end shows in the values; more threads at once than the share has, in the count.
struct Load {
  std::vector<uint64_t> values = std::vector<uint64_t>(41), expected = values;
  std::atomic<size_t> at_once{0}, most_at_once{0};
  bool keeps_to_its_share = true;

  void run(Pool& pool, size_t threads, size_t rounds) {
    const Pool::Share share(pool, threads);
    for (size_t round = 0; round < rounds; ++round) {
      const size_t pieces = round * 7 % values.size();
      share.parallel(pieces, [&](size_t piece) {
        const size_t others = at_once++;
        for (size_t most = most_at_once; others + 1 > most;)
          if (most_at_once.compare_exchange_weak(most, others + 1)) break;
        values[piece] = mixed(values[piece]);
        --at_once;
      });
      for (size_t piece = 0; piece < pieces; ++piece) expected[piece] = mixed(expected[piece]);
    }
    keeps_to_its_share = keeps_to_its_share && most_at_once <= threads;
    most_at_once = 0;
  }

  void check() const {
    CHECK(values == expected);
    CHECK(keeps_to_its_share);
  }
};

}  // namespace

TEST("what a piece throws on any thread is thrown where the work was asked for, when all pieces are done") {
  Pool pool(3);
  const Pool::Share share(pool, 3);
  for (size_t round = 0; round < 20; ++round) {
    std::vector<size_t> done(64);
    std::atomic<size_t> helped{0};
    const std::thread::id caller = std::this_thread::get_id();
    std::string caught;
    try {
      share.parallel(done.size(), [&](size_t piece) {
        ++done[piece];
        if (std::this_thread::get_id() == caller)
          while (helped == 0) std::this_thread::yield();  // until a helper has thrown
        else if (helped++ == 0)
          throw std::runtime_error("no room");
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    CHECK_EQ(caught, std::string("no room"));
    CHECK(std::all_of(done.begin(), done.end(), [](size_t times) { return times == 1; }));
  }
}

TEST("the pool does each piece once, whatever the numbers of pieces and threads") {
  Pool pool(9);
  for (size_t threads : {1, 2, 3, 4, 9, 2}) {
    Scope scope(std::to_string(threads) + " threads");
    Load load;
    load.run(pool, threads, rounds);
    load.check();
  }
}

TEST("what the bodies of one call wrote, those of the next call read") {
  Pool pool(9);
  const Pool::Share share(pool, 3);
  constexpr size_t pieces = 17;
  std::vector<uint64_t> from(pieces), to(pieces);
  uint64_t expected = 0;
  for (size_t round = 0; round < rounds; ++round) {
    share.parallel(pieces, [&](size_t piece) { to[piece] = mixed(from[(piece + 5) % pieces] + round); });
    from.swap(to);
    expected = mixed(expected + round);
  }
  CHECK(std::all_of(from.begin(), from.end(), [&](uint64_t x) { return x == expected; }));
}

TEST("several threads share one pool, each with no more helpers than it asked for") {
  constexpr size_t users = 5;
  Pool pool(9);
  Load loads[users];
  std::vector<std::thread> threads;
  for (size_t user = 0; user < users; ++user)
    threads.emplace_back([&, user] {
      for (size_t i = 0; i < 4; ++i) loads[user].run(pool, 1 + (user + i) % 4, rounds / 8);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Load& load : loads) load.check();
}

TEST("more calls at once than there are places do their work alone") {
  constexpr size_t users = 80;
  Pool pool(9);
  std::vector<uint64_t> sums(users);
  std::vector<std::thread> threads;
  for (size_t user = 0; user < users; ++user)
    threads.emplace_back([&, user] {
      const Pool::Share share(pool, 2);
      uint64_t values[7] = {};
      for (size_t round = 0; round < 20; ++round)
        share.parallel(7, [&](size_t piece) { values[piece] = mixed(values[piece] + piece); });
      for (uint64_t value : values) sums[user] += value;
    });
  for (std::thread& thread : threads) thread.join();
  for (uint64_t sum : sums) CHECK_EQ(sum, sums[0]);
}

// Workers that spin, that have gone to sleep, and that have not begun yet: none is lost, none keeps the pool.
TEST("a pool may rest, go on and end at any moment") {
  Load load;
  for (size_t round = 0; round < 40; ++round) {
    Pool pool(9);
    load.run(pool, 2 + round % 3, round % 5);
    if (round % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    load.run(pool, 2 + round % 3, 2);
  }
  load.check();
}

TEST("a share has no more threads than its pool lets work at once") {
  Pool pool(2);
  const Pool::Share share(pool, 5), alone(pool, 1);
  CHECK_EQ(share.threads(), size_t(2));
  CHECK_EQ(alone.threads(), size_t(1));
}

#if defined(__linux__)
TEST("only cores count that the thread may run on") {
  size_t usable = 0;
  std::thread([&] {
    cpu_set_t cores, one;
    sched_getaffinity(0, sizeof cores, &cores);
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
      if (CPU_ISSET(core, &cores)) CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
    usable = usable_cores();
  }).join();
  CHECK_EQ(usable, size_t(1));
}

// Systems that know of no turns say 0.
TEST("threads that compute ask for longer turns, and stay as nice as they were") {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t turn, deadline, period;
  } before{}, after{};
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 7);
    syscall(SYS_sched_getattr, 0, &before, sizeof before, 0);
    ask_for_long_turns();
    syscall(SYS_sched_getattr, 0, &after, sizeof after, 0);
  }).join();
  CHECK_EQ(after.nice, 7);
  if (before.turn > 0) CHECK_EQ(after.turn, uint64_t(20'000'000));
}
#endif
