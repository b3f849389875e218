// Parameters per second of each optimizer's kernel, of a bare loop over the same bytes, and of a plain copy.
// Arguments: threads, log2 of the number of parameters, …. Prints one JSON line a figure. With "small" in place of
// threads: how much longer kernels take on decayed slots and on denormal gradients, and a product on denormal
// activations.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/mman.h>

#include "kernels/kernels.h"

namespace {
using namespace gradus;
using Clock = std::chrono::steady_clock;

constexpr size_t streams = 6;  // gradient, w, three slots, and what is not counted in the bytes: a target of copies
struct Optimizer {
  const char* name;
  void (*Kernels<float>::*kernel)(const Update<float>&, UpdateSums&);
  size_t slots;
  bool all = false;     // clip, decay and running average besides
  bool halves = false;  // two bytes a slot
  // A parameter: read g, w, slots, average; write w, slots, average.
  size_t bytes() const { return 4 * 3 + (halves ? 4 : 8) * moved(); }
  size_t moved() const { return slots + all; }
};
const Optimizer optimizers[] = {{"sgd", &Kernels<float>::sgd, 0},
                                {"momentum", &Kernels<float>::momentum, 1},
                                {"nesterov", &Kernels<float>::nesterov, 1},
                                {"adagrad", &Kernels<float>::adagrad, 1},
                                {"rmsprop", &Kernels<float>::rmsprop, 1},
                                {"rmsprop_momentum", &Kernels<float>::rmsprop_momentum, 2},
                                {"rmsprop_centered", &Kernels<float>::rmsprop_centered, 2},
                                {"rmsprop_centered_momentum", &Kernels<float>::rmsprop_centered_momentum, 3},
                                {"adadelta", &Kernels<float>::adadelta, 2},
                                {"adam", &Kernels<float>::adam, 2},
                                {"amsgrad", &Kernels<float>::amsgrad, 3},
                                {"nadam", &Kernels<float>::nadam, 2},
                                {"lion", &Kernels<float>::lion, 1},
                                {"adam_all", &Kernels<float>::adam, 2, true},
                                {"adam_bfloat16", &Kernels<float>::adam_bfloat16, 2, false, true}};

struct Arena {
  float* at[streams];
  explicit Arena(size_t n) {
    for (size_t s = 0; s < streams; ++s) {
      // A few lines apart modulo a page, so that equal places of the streams do not share a cache set.
      const size_t bytes = n * sizeof(float) + (4 << 20);
      void* memory = std::aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21);
      if (!memory) std::exit(3);
      if (n >= 1 << 20) madvise(memory, bytes, MADV_HUGEPAGE);
      at[s] = static_cast<float*>(memory) + s * 5 * 64;
    }
  }
  ~Arena() {
    for (size_t s = 0; s < streams; ++s) std::free(at[s] - s * 5 * 64);
  }
  Arena(const Arena&) = delete;
};

// The bytes of the optimizer and next to no arithmetic, in the widest vectors that the machine has: which takes more
// than the -O2 of programs.
#if defined(__x86_64__)
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define WIDEST __attribute__((optimize("O3")))
#endif
WIDEST void bare0(const float* __restrict g, float* __restrict w, float*, float*, float*, size_t n) {
  for (size_t i = 0; i < n; ++i) w[i] = w[i] + g[i];
}
WIDEST void bare1(const float* __restrict g, float* __restrict w, float* __restrict a, float*, float*, size_t n) {
  for (size_t i = 0; i < n; ++i) a[i] = a[i] + g[i], w[i] = w[i] + a[i];
}
WIDEST void bare2(const float* __restrict g, float* __restrict w, float* __restrict a, float* __restrict b, float*,
                  size_t n) {
  for (size_t i = 0; i < n; ++i) a[i] = a[i] + g[i], b[i] = b[i] + g[i], w[i] = w[i] + a[i] + b[i];
}

WIDEST void bare3(const float* __restrict g, float* __restrict w, float* __restrict a, float* __restrict b,
                  float* __restrict c, size_t n) {
  for (size_t i = 0; i < n; ++i)
    a[i] = a[i] + g[i], b[i] = b[i] + g[i], c[i] = c[i] + g[i], w[i] = w[i] + a[i] + b[i] + c[i];
}

WIDEST void bare_halves(const float* __restrict g, float* __restrict w, uint16_t* __restrict a, uint16_t* __restrict b,
                        size_t n) {
  for (size_t i = 0; i < n; ++i) ++a[i], ++b[i], w[i] = w[i] + g[i];
}

// Runs work(thread, first, n) on threads that own fixed ranges, `repeats` times each from a common start; seconds.
template <class Work>
double timed(size_t n, size_t threads, size_t repeats, Work work) {
  std::atomic<size_t> ready{0};
  const size_t piece = (n / threads + update_chunk - 1) / update_chunk * update_chunk;
  Clock::time_point starts[8], ends[8];
  const auto body = [&](size_t thread) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(thread, &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    const size_t first = std::min(n, thread * piece), count = std::min(n - first, piece);
    work(thread, first, count);  // warm, and the first touch of the pages
    ++ready;
    while (ready < threads) std::this_thread::yield();
    starts[thread] = Clock::now();
    for (size_t r = 0; r < repeats; ++r) work(thread, first, count);
    ends[thread] = Clock::now();
  };
  std::vector<std::thread> all;
  for (size_t t = 0; t < threads; ++t) all.emplace_back(body, t);
  for (std::thread& t : all) t.join();
  const auto first = *std::min_element(starts, starts + threads), last = *std::max_element(ends, ends + threads);
  return std::chrono::duration<double>(last - first).count();
}

size_t repeats(size_t n) { return std::max<size_t>(1, (size_t(1) << 22) / n); }
int turns(size_t n) { return n > size_t(1) << 24 ? 5 : 11; }

// Streams from `first_stream` on: gradient and w around zero, slots small and positive.
void fill(Arena& arena, size_t first_stream, size_t n) {
  std::minstd_rand random(1);
  for (size_t s = first_stream; s < streams; ++s)
    for (size_t i = 0; i < n; ++i) arena.at[s][i] = float(random() % 2000000) * 1e-6f + (s < 2 ? -1.0f : 1e-3f);
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const Optimizer& optimizer, const Kernels<float>& kernels, const Arena& arena, size_t first, size_t count) {
  Update<float> update;
  UpdateSums sums;
  update.n = count;
  update.gradient = arena.at[0] + first, update.w = arena.at[1] + first;
  for (size_t s = 0; s < optimizer.slots; ++s) update.slots[s] = arena.at[2 + s] + first;
  update.learning_rate = 1e-6f, update.momentum = 0.9f, update.decay_rate = 0.999f, update.epsilon = 1e-8f;
  if (optimizer.all) update.average = arena.at[4] + first, update.average_decay = 0.99f;
  if (optimizer.all) update.gradient_scale = 0.9f, update.clip_value = 0.5f, update.weight_decay = 0.01f;
  update.gradient_share = 0.1f, update.correction1 = 1.5f, update.correction2 = 20.0f;
  if (optimizer.halves)
    for (size_t s = 0; s < 2; ++s) update.short_slots[s] = reinterpret_cast<uint16_t*>(arena.at[2 + s]) + first;
  thread_local size_t updates = 0;
  update.clears_remnants = updates++ % clearing_interval == 0;  // as the engine has it
  (kernels.*optimizer.kernel)(update, sums);
  if (sums.nonfinite) std::exit(4);
}

// Kernel and bare loop take turns; medians of the turns count, for the share the median of each turn's own ratio.
void measure(const Optimizer& optimizer, const Kernels<float>& kernels, Arena& arena, size_t n, size_t threads) {
  constexpr decltype(&bare0) bare_loops[] = {bare0, bare1, bare2, bare3};
  const auto bare = bare_loops[optimizer.moved()];
  std::vector<double> kernel, loop, share;
  for (int turn = 0; turn < turns(n); ++turn) {
    fill(arena, 1, n);  // the bare loops add to all but the gradient, and a root of a negative slot is none
    kernel.push_back(timed(n, threads, repeats(n),
                           [&](size_t, size_t first, size_t count) { run(optimizer, kernels, arena, first, count); }));
    loop.push_back(timed(n, threads, repeats(n), [&](size_t, size_t first, size_t count) {
      if (optimizer.halves)
        return bare_halves(arena.at[0] + first, arena.at[1] + first, reinterpret_cast<uint16_t*>(arena.at[2]) + first,
                           reinterpret_cast<uint16_t*>(arena.at[3]) + first, count);
      bare(arena.at[0] + first, arena.at[1] + first, arena.at[2] + first, arena.at[3] + first, arena.at[4] + first,
           count);
    }));
    share.push_back(loop.back() / kernel.back());
  }
  const double work = double(n) * double(repeats(n));
  std::printf(
      "{\"optimizer\":\"%s\",\"parameters\":%zu,\"threads\":%zu,\"bytes\":%zu,\"rate\":%.6g,\"bare\":%.6g,"
      "\"share\":%.4f}\n",
      optimizer.name, n, threads, optimizer.bytes(), work / middle(kernel), work / middle(loop), middle(share));
  std::fflush(stdout);
}

// What dead units leave: no gradients, and slots that have decayed. Ordinary numbers, those and denormal gradients take
// turns; ratios of times are medians of the turns' own.
void measure_small(const Optimizer& optimizer, const Kernels<float>& kernels, Arena& arena, size_t n) {
  const auto seconds = [&](float gradient, float slot) {
    fill(arena, 0, n);
    for (size_t i = 0; i < n; ++i) {
      if (gradient >= 0) arena.at[0][i] = gradient;
      for (size_t s = 2; slot > 0 && s < streams; ++s) arena.at[s][i] = slot;
    }
    return timed(n, 1, repeats(n),
                 [&](size_t, size_t first, size_t count) { run(optimizer, kernels, arena, first, count); });
  };
  std::vector<double> decayed, gradients;
  for (int turn = 0; turn < turns(n); ++turn) {
    const double ordinary = seconds(-1, 0);
    decayed.push_back(seconds(0, 1e-42f) / ordinary);
    gradients.push_back(seconds(1e-40f, 0) / ordinary);
  }
  std::printf("{\"optimizer\":\"%s\",\"parameters\":%zu,\"decayed_slots\":%.3f,\"denormal_gradients\":%.3f}\n",
              optimizer.name, n, middle(decayed), middle(gradients));
  std::fflush(stdout);
}

// A layer of 256 by 256 at batch 64: one of a hundred inputs denormal, and all of them.
void measure_activations(const Kernels<float>& kernels) {
  constexpr size_t m = 64, k = 256, calls = 100;
  std::vector<float> a(m * k), b(k * k, 0.5f), c(m * k), workspace(matmul_workspace + 16);
  float* const aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64);
  const auto seconds = [&](size_t every) {
    for (size_t i = 0; i < a.size(); ++i) a[i] = every && i % every == 0 ? 1e-40f : 0.5f;
    Matmul<float> task;
    task.m = m, task.n = task.k = k, task.a = a.data(), task.a_row = k;
    task.b = b.data(), task.b_row = k, task.c = c.data(), task.c_row = k;
    return timed(1, 1, calls, [&](size_t, size_t, size_t) { kernels.matmul(task, aligned); });
  };
  std::vector<double> some, all;
  for (int turn = 0; turn < turns(1); ++turn) {
    const double ordinary = seconds(0);
    some.push_back(seconds(100) / ordinary), all.push_back(seconds(1) / ordinary);
  }
  std::printf("{\"product\":\"64x256x256\",\"denormal_hundredth\":%.3f,\"denormal_activations\":%.3f}\n", middle(some),
              middle(all));
}

void measure_copy(Arena& arena, size_t n, size_t threads) {
  std::vector<double> times;
  for (int turn = 0; turn < turns(n); ++turn)
    times.push_back(timed(n, threads, repeats(n), [&](size_t, size_t first, size_t count) {
      std::memcpy(arena.at[5] + first, arena.at[0] + first, count * sizeof(float));
    }));
  std::printf("{\"optimizer\":\"copy\",\"parameters\":%zu,\"threads\":%zu,\"bytes\":8,\"rate\":%.6g}\n", n, threads,
              double(n) * double(repeats(n)) / middle(times));
}
}  // namespace

int main(int count, char** arguments) {
  const Isa* isa = chosen_isa();
  if (count < 3 || !isa) {
    std::fprintf(stderr, "usage: update THREADS|small LOG2_PARAMETERS... (GRADUS_ISA: one of those compiled in)\n");
    return 2;
  }
  if (std::strcmp(arguments[1], "small") == 0) {
    for (int a = 2; a < count; ++a) {
      const size_t n = size_t(1) << std::atoi(arguments[a]);
      Arena arena(n);
      for (const Optimizer& optimizer : optimizers) measure_small(optimizer, isa->float32, arena, n);
    }
    measure_activations(isa->float32);
    return 0;
  }
  const size_t threads = std::min<size_t>(8, size_t(std::atoi(arguments[1])));
  for (int a = 2; a < count; ++a) {
    const size_t n = size_t(1) << std::atoi(arguments[a]);
    Arena arena(n);
    for (const Optimizer& optimizer : optimizers) {
      fill(arena, 0, n);
      measure(optimizer, isa->float32, arena, n, threads);
    }
    measure_copy(arena, n, threads);
  }
}
