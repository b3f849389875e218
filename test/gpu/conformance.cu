#include "conformance.h"

#include "kernels/cuda/machine.h"
#include "kernels/cuda/mistakes.h"

namespace gradus::test {
namespace {

constexpr unsigned most_threads = 256;

struct Indices {
  uint32_t* out;
};
GPU_KERNEL void indices(const Indices p) {
  uint32_t* const of = p.out + 4 * (gpu::block() * gpu::threads() + gpu::thread());
  of[0] = gpu::thread(), of[1] = gpu::block(), of[2] = gpu::threads(), of[3] = gpu::blocks();
}

GPU_INLINE unsigned lane() { return gpu::thread() % gpu::warp; }
GPU_INLINE unsigned mask_of(unsigned lanes) {
  return lanes == gpu::warp ? ~0u : ((1u << lanes) - 1) << (lane() / lanes * lanes);
}

struct Words {
  unsigned lanes;
  int by;
  const double* from;
  double* to;
};
GPU_KERNEL void shuffled(const Words p) {
  const unsigned mask = mask_of(p.lanes), first = lane() / p.lanes * p.lanes;
  const double mine = p.from[gpu::thread()];
  const int other = int(first + (lane() - first + unsigned(p.by)) % p.lanes);
  p.to[2 * gpu::thread()] = gpu::shuffle(mask, mine, other);
  p.to[2 * gpu::thread() + 1] = gpu::shuffle_xor(mask, mine, p.by);
}

struct Votes {
  unsigned lanes;
  const uint32_t* flags;
  uint32_t* to;
};
GPU_KERNEL void voted(const Votes p) { p.to[gpu::thread()] = gpu::any(mask_of(p.lanes), p.flags[gpu::thread()] != 0); }

struct Turned {
  unsigned lanes;
  const float* from;
  float* to;
};
struct Floats {
  float at[most_threads];
};
GPU_KERNEL void block_turned(const Turned p) {
  Floats& shared = gpu::shared<Floats>();
  shared.at[gpu::thread()] = p.from[gpu::thread()];
  gpu::barrier();
  p.to[gpu::thread()] = shared.at[gpu::threads() - 1 - gpu::thread()];
}
GPU_KERNEL void lanes_turned(const Turned p) {
  Floats& shared = gpu::shared<Floats>();
  const unsigned first = gpu::thread() / p.lanes * p.lanes;
  shared.at[gpu::thread()] = p.from[gpu::thread()];
  gpu::sync_lanes(mask_of(p.lanes));
  p.to[gpu::thread()] = shared.at[first + p.lanes - 1 - (gpu::thread() - first)];
}

struct Counted {
  uint32_t* count;
  bool* flag;
};
GPU_KERNEL void counted(const Counted p) {
  const uint32_t number = gpu::block() * gpu::threads() + gpu::thread();
  gpu::atomic_add(p.count, number);
  if (number % 7 == 0) gpu::raise(p.flag);
}

struct Last {
  uint32_t *arrived, *of_blocks, *total;
};
struct IsLast {
  uint32_t is_last;
};
GPU_KERNEL void summed_by_last(const Last p) {
  IsLast& shared = gpu::shared<IsLast>();
  if (gpu::thread() == 1) p.of_blocks[gpu::block()] = gpu::block() + 10;
  gpu::barrier();
  if (gpu::thread() == 0) shared.is_last = gpu::arrive(p.arrived, gpu::blocks() - 1) == gpu::blocks() - 1;
  gpu::barrier();
  if (!shared.is_last || gpu::thread() != 2) return;
  uint32_t total = 0;
  for (unsigned i = 0; i < gpu::blocks(); ++i) total += p.of_blocks[i];
  *p.total = total;
}

template <unsigned n, class T>
GPU_INLINE void turn_pack(const T* from, T* to) {
  const gpu::Pack<T, n> pack = gpu::load_pack<n>(from + n * gpu::thread());
  gpu::Pack<T, n> turned;
  for (unsigned i = 0; i < n; ++i) turned.at[i] = pack.at[n - 1 - i];
  gpu::store_pack(to + n * gpu::thread(), turned);
}
struct Packs {
  const uint8_t* from;
  uint8_t* to;
};
// Each takes the same bytes, as another type.
GPU_KERNEL void packs_turned(const Packs p) {
  const unsigned bytes = 16 * gpu::threads();
  turn_pack<4>(reinterpret_cast<const float*>(p.from), reinterpret_cast<float*>(p.to));
  turn_pack<2>(reinterpret_cast<const double*>(p.from), reinterpret_cast<double*>(p.to + bytes));
  turn_pack<4>(reinterpret_cast<const uint16_t*>(p.from), reinterpret_cast<uint16_t*>(p.to + 2 * bytes));
  turn_pack<2>(reinterpret_cast<const uint16_t*>(p.from), reinterpret_cast<uint16_t*>(p.to + 3 * bytes));
}
struct Copied {
  unsigned chunks, n;
  const float* from;
  float* to;
};
constexpr unsigned stages = 3;
struct Stages {
  float at[stages][4 * most_threads];
};
template <unsigned floats>
GPU_KERNEL void copied_through_stages(const Copied p) {
  using cuda::Mistake, cuda::planted;
  Stages& shared = gpu::shared<Stages>();
  const unsigned mine = gpu::thread() * floats, others = (gpu::threads() - 1 - gpu::thread()) * floats;
  const unsigned length = gpu::threads() * floats;
  const auto begin = [&](unsigned chunk) {
    const unsigned at = chunk * length + mine;
    if (chunk < p.chunks)
      gpu::copy_async<floats * sizeof(float)>(&shared.at[chunk % stages][mine], p.from + at, at < p.n);
    gpu::close_group();
  };
  for (unsigned chunk = 0; chunk + 1 < stages; ++chunk) begin(chunk);
  for (unsigned chunk = 0; chunk < p.chunks; ++chunk) {
    if (!planted(Mistake::no_wait_for_copies)) gpu::wait_copies<stages - 2>();
    if (planted(Mistake::stage_freed_early)) begin(chunk + stages - 1);
    gpu::barrier();
    if (!planted(Mistake::stage_freed_early)) begin(chunk + stages - 1);
    for (unsigned e = 0; e < floats; ++e) p.to[chunk * length + mine + e] = shared.at[chunk % stages][others + e];
  }
}

template <class T>
struct Numbers {
  unsigned n;
  const T *a, *b, *c;
  T* to;
};
template <class T>
GPU_KERNEL void calculated(const Numbers<T> p) {
  const unsigned i = gpu::block() * gpu::threads() + gpu::thread();
  if (i >= p.n) return;
  const T a = p.a[i], b = p.b[i], c = p.c[i];
  T* const to = p.to + 6 * i;
  to[0] = gpu::fused(a, b, c), to[1] = gpu::root(a), to[2] = a / b, to[3] = a + b, to[4] = a * b;
  const auto bits = gpu::bits_of(a);
  to[5] = gpu::number_of(bits ^ (decltype(bits)(1) << (8 * sizeof bits - 1)));
}

}  // namespace

void tell_indices(unsigned grid, unsigned block, uint32_t* out) { gpu::launch(indices, {grid, block}, Indices{out}); }
void shuffle_words(unsigned block, unsigned lanes, int by, const double* from, double* to) {
  gpu::launch(shuffled, {1, block}, Words{lanes, by, from, to});
}
void vote(unsigned block, unsigned lanes, const uint32_t* flags, uint32_t* to) {
  gpu::launch(voted, {1, block}, Votes{lanes, flags, to});
}
void turn_block(unsigned block, const float* from, float* to) {
  gpu::launch(block_turned, {1, block, sizeof(Floats)}, Turned{0, from, to});
}
void turn_lanes(unsigned block, unsigned lanes, const float* from, float* to) {
  gpu::launch(lanes_turned, {1, block, sizeof(Floats)}, Turned{lanes, from, to});
}
void count(unsigned grid, unsigned block, uint32_t* count, bool* flag) {
  gpu::launch(counted, {grid, block}, Counted{count, flag});
}
void sum_by_last(unsigned grid, unsigned block, uint32_t* arrived, uint32_t* of_blocks, uint32_t* total) {
  gpu::launch(summed_by_last, {grid, block, sizeof(IsLast)}, Last{arrived, of_blocks, total});
}
void turn_packs(unsigned threads, const uint8_t* from, uint8_t* to) {
  gpu::launch(packs_turned, {1, threads}, Packs{from, to});
}
void copy_through_stages(unsigned threads, unsigned chunks, unsigned floats, unsigned n, const float* from, float* to) {
  const auto kernel = floats == 1   ? copied_through_stages<1>
                      : floats == 2 ? copied_through_stages<2>
                                    : copied_through_stages<4>;
  gpu::launch(kernel, {1, threads, sizeof(Stages)}, Copied{chunks, n, from, to});
}
template <class T>
void calculate(unsigned n, const T* a, const T* b, const T* c, T* to) {
  gpu::launch(calculated<T>, {(n + 63) / 64, 64}, Numbers<T>{n, a, b, c, to});
}
template void calculate(unsigned, const float*, const float*, const float*, float*);
template void calculate(unsigned, const double*, const double*, const double*, double*);

}  // namespace gradus::test
