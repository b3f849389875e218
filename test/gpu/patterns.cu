#include "patterns.h"

#include "kernels/cuda/machine.h"

namespace gradus::test {
namespace {

constexpr unsigned side = gpu::warp;

struct Apart {
  unsigned per_thread, stride, shift;
  const float* from;
  float* to;
};
GPU_KERNEL void copied_apart(const Apart p) {
  for (unsigned i = 0; i < p.per_thread; ++i) {
    const size_t at = size_t(i * gpu::threads() + gpu::thread()) * p.stride;
    p.to[at] = p.from[at + p.shift];
  }
}
GPU_KERNEL void copied_fours(const Apart p) {
  gpu::store_pack(p.to + 4 * gpu::thread(), gpu::load_pack<4>(p.from + 4 * gpu::thread()));
}

struct Square {
  unsigned row;
  const float* from;
  float* to;
};
struct Floats {
  float at[side * (side + 8)];
};
GPU_KERNEL void square_turned(const Square p) {
  Floats& shared = gpu::shared<Floats>();
  for (unsigned i = 0; i < side; ++i) shared.at[i * p.row + gpu::thread()] = p.from[i * side + gpu::thread()];
  gpu::barrier();
  for (unsigned i = 0; i < side; ++i) p.to[i * side + gpu::thread()] = shared.at[gpu::thread() * p.row + i];
}
GPU_KERNEL void fours_apart(const Square p) {
  Floats& shared = gpu::shared<Floats>();
  float* const mine = shared.at + gpu::thread() * p.row;
  gpu::store_pack(mine, gpu::Pack<float, 4>{{1, 2, 3, 4}});
  gpu::store_pack(p.to + 4 * gpu::thread(), gpu::load_pack<4>(mine));
}

}  // namespace

void copy_apart(unsigned threads, unsigned per_thread, unsigned stride, unsigned shift, const float* from, float* to) {
  gpu::launch(copied_apart, {1, threads}, Apart{per_thread, stride, shift, from, to});
}
void copy_fours(unsigned threads, const float* from, float* to) {
  gpu::launch(copied_fours, {1, threads}, Apart{1, 4, 0, from, to});
}
void turn_square(unsigned row, const float* from, float* to) {
  gpu::launch(square_turned, {1, side, sizeof(Floats)}, Square{row, from, to});
}
void store_fours_apart(unsigned apart, float* to) {
  gpu::launch(fours_apart, {1, side, sizeof(Floats)}, Square{apart, nullptr, to});
}

}  // namespace gradus::test
