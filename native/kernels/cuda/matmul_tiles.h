// The product of matrices: a block of threads has a tile of C, a warp a part of it, a thread squares in registers, of
// as many columns as are moved at once, and tiles of A and B come through stages of shared memory. Each element is
// summed as on a processor: by fma in the order of k, in blocks of k whose sums are added in order.
#pragma once
#include "texts.h"

namespace gradus::cuda {

namespace {

// Rows of shared memory are longer by four, so that what a warp touches at once lies in different banks.
constexpr unsigned padding = 4, stages = 3, lane_rows = 8, lane_columns = 4;

// `down` by `across` squares a thread; `blocks` of them are to fit on a multiprocessor.
template <class Number, unsigned side_, unsigned depth_, unsigned threads_, unsigned squares, unsigned blocks_>
struct TileShape {
  using T = Number;
  static constexpr unsigned side = side_, depth = depth_, threads = threads_, blocks = blocks_, square = 16 / sizeof(T);
  static constexpr unsigned down = squares, across = squares, row = side + padding;
  static constexpr unsigned warp_rows = lane_rows * square * down, warp_columns = lane_columns * square * across;
  static_assert(side / warp_rows * (side / warp_columns) * gpu::warp == threads);
};
using LargeTile = TileShape<float, 128, 8, 256, 2, 2>;
template <class T>
using MiddleTile = TileShape<T, 64, 64 / sizeof(T), 256, sizeof(T) / 4, 2>;
template <class T>
using SmallTile = TileShape<T, 32, 64 / sizeof(T), 64, sizeof(T) / 4, 8>;

template <class S>
struct Tiles {
  using T = typename S::T;
  T a[stages][S::depth][S::row], b[stages][S::depth][S::row];
  T totals[S::side][S::row];
};

// k by tiles that end where its blocks do.
template <class T>
struct Walk {
  text::EvenCut blocks;
  size_t block, at, end;

  GPU_INLINE explicit Walk(size_t k)
      : blocks(k ? k : 1, text::longest_k_block<T>), block(0), at(0), end(k ? blocks.length(0) : 0) {}
  GPU_INLINE bool exists() const { return block < blocks.parts; }
  GPU_INLINE unsigned length(unsigned depth) const { return end - at < depth ? unsigned(end - at) : depth; }
  GPU_INLINE bool ends_block(unsigned depth) const { return at + depth >= end; }
  GPU_INLINE void next(unsigned depth) {
    at += depth;
    if (at < end || ++block == blocks.parts) return;
    at = end, end += blocks.length(block);
  }
};

// A or B: `length` elements side by side of each row or column of the tile exist, at strides along the tile and down k.
template <class S>
struct Operand {
  using T = typename S::T;
  const T* from;
  size_t beside, down, length;
  bool is_along, by_packs;  // neighbours along the tile are so in memory; a square's columns at once

  GPU_INLINE Operand(const T* all, size_t first, size_t count, size_t beside, size_t down)
      : from(all + first * beside),
        beside(beside),
        down(down),
        length(count - first < S::side ? count - first : S::side),
        is_along(beside == 1),
        by_packs(is_along && is_multiple(from, 16) && down % S::square == 0 && length % S::square == 0) {}
};

template <class S>
GPU_INLINE void begin_copies(const Operand<S>& of, size_t at, unsigned depth, typename S::T (*to)[S::row]) {
  constexpr unsigned bytes = sizeof(typename S::T);
  if (of.by_packs) {
    constexpr unsigned packs = S::side / S::square;
    for (unsigned e = gpu::thread(); e < packs * S::depth; e += S::threads) {
      const unsigned k = e / packs, i = e % packs * S::square;
      const bool is_there = i < of.length;
      if (k < depth) gpu::copy_async<16>(&to[k][i], of.from + (is_there ? i + (at + k) * of.down : 0), is_there);
    }
    return;
  }
  constexpr unsigned sector = 32 / bytes;  // elements that are read together where neighbours lie down k
  for (unsigned e = gpu::thread(); e < S::side * S::depth; e += S::threads) {
    const unsigned k = of.is_along ? e / S::side : e % sector + e / (sector * S::side) * sector;
    const unsigned i = of.is_along ? e % S::side : e / sector % S::side;
    const bool is_there = i < of.length;
    if (k < depth)
      gpu::copy_async<bytes>(&to[k][i], of.from + (is_there ? i * of.beside + (at + k) * of.down : 0), is_there);
  }
}

// What a thread has in registers.
template <class S>
struct Sums {
  using T = typename S::T;
  static constexpr unsigned square = S::square;
  T of[S::down][S::across][square][square];
  unsigned row, column;  // of its first square in the tile; the next ones are a warp's squares further

  GPU_INLINE Sums() {
    const unsigned warp = gpu::thread() / gpu::warp, lane = gpu::thread() % gpu::warp;
    constexpr unsigned warps = S::side / S::warp_columns;
    row = warp / warps * S::warp_rows + lane / lane_columns * square;
    column = warp % warps * S::warp_columns + lane % lane_columns * square;
    clear();
  }
  template <class F>
  GPU_INLINE void for_rows(F body) {  // (down, across, row of the square)
    GPU_UNROLLED
    for (unsigned d = 0; d < S::down; ++d) GPU_UNROLLED
    for (unsigned c = 0; c < S::across; ++c) GPU_UNROLLED
    for (unsigned i = 0; i < square; ++i) body(d, c, i);
  }
  GPU_INLINE void clear() {
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      GPU_UNROLLED
      for (unsigned j = 0; j < square; ++j) of[d][c][i][j] = 0;
    });
  }
  // One k, whose row of the tile of A turned and row of the tile of B these are.
  GPU_INLINE void add(const T* a_row, const T* b_row) {
    gpu::Pack<T, square> a[S::down], b[S::across];
    GPU_UNROLLED
    for (unsigned d = 0; d < S::down; ++d) a[d] = gpu::load_pack<square>(a_row + row + d * lane_rows * square);
    GPU_UNROLLED
    for (unsigned c = 0; c < S::across; ++c) b[c] = gpu::load_pack<square>(b_row + column + c * lane_columns * square);
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      GPU_UNROLLED
      for (unsigned j = 0; j < square; ++j) of[d][c][i][j] = gpu::fused(a[d].at[i], b[c].at[j], of[d][c][i][j]);
    });
  }
  // The end of a block of k: what the totals are then.
  GPU_INLINE void fold(const Matmul<T>& task, bool is_first, T (*totals)[S::row]) {
    const bool adds = !is_first || task.beta != 0;
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      T* const to = &totals[row + d * lane_rows * square + i][column + c * lane_columns * square];
      gpu::Pack<T, square> total;
      if (adds) total = gpu::load_pack<square>(to);
      GPU_UNROLLED
      for (unsigned j = 0; j < square; ++j) {
        const T sum = of[d][c][i][j];
        total.at[j] = adds ? gpu::fused(task.alpha, sum, total.at[j]) : task.alpha != 1 ? task.alpha * sum : sum;
      }
      gpu::store_pack(to, total);
    });
  }
};

// body(row of the tile, column of it) for what a thread has of a tile before and after the sums.
template <class S, class F>
GPU_INLINE void for_elements(F body) {
  GPU_ROLLED
  for (unsigned e = gpu::thread(); e < S::side * S::side; e += S::threads) body(e / S::side, e % S::side);
}

// What follows the sums: see cpu/matmul/finish-inl.h.
template <class T>
GPU_INLINE T finished(const Matmul<T>& task, size_t i, size_t j, T sum) {
  using V = text::Vec<T>;
  if (task.bias) sum = sum + task.bias[j];
  V value = text::activate(task.activation, task.activation_parameter, V(sum));
  if (task.gate && task.gate_kind != Activation::identity)
    value = value * text::activation_slope_from_output(task.gate_kind, task.gate_parameter,
                                                       V(task.gate[i * task.gate_row + j]));
  if (task.nonfinite && !text::is_finite(value.r.value)) gpu::raise(task.nonfinite);
  return value.r.value;
}

template <class T>
struct MatmulParams {
  Matmul<T> task;
  size_t across;  // tiles in a row of C
  const uint32_t* guard;
};

template <class S>
GPU_KERNEL_OF(S::threads, S::blocks)
void multiply_tiles(const MatmulParams<typename S::T> params) {
  using T = typename S::T;
  if (is_raised(params.guard)) return;
  const Matmul<T>& task = params.task;
  Tiles<S>& tiles = gpu::shared<Tiles<S>>();
  const size_t first_row = gpu::block() / params.across * S::side,
               first_column = gpu::block() % params.across * S::side;
  const Operand<S> a(task.a, first_row, task.m, task.a_row, task.a_column);
  const Operand<S> b(task.b, first_column, task.n, task.b_column, task.b_row);
  if (task.beta != 0)
    for_elements<S>([&](unsigned i, unsigned j) {
      const bool exists = first_row + i < task.m && first_column + j < task.n;
      tiles.totals[i][j] = exists ? task.beta * task.c[(first_row + i) * task.c_row + first_column + j] : T(0);
    });
  Walk<T> ahead(task.k), here(task.k);
  unsigned to = 0, from = 0;
  const auto begin = [&] {
    if (ahead.exists()) {
      begin_copies<S>(a, ahead.at, ahead.length(S::depth), tiles.a[to]);
      begin_copies<S>(b, ahead.at, ahead.length(S::depth), tiles.b[to]);
      ahead.next(S::depth);
    }
    gpu::close_group();
    to = to + 1 == stages ? 0 : to + 1;
  };
  for (unsigned i = 0; i + 1 < stages; ++i) begin();
  Sums<S> sums;
  for (; here.exists(); here.next(S::depth)) {
    if (!planted(Mistake::no_wait_for_copies)) gpu::wait_copies<stages - 2>();
    if (planted(Mistake::stage_freed_early)) begin();
    if (!planted(Mistake::no_barrier_after_loading)) gpu::barrier();
    if (!planted(Mistake::stage_freed_early)) begin();
    const unsigned length = here.length(S::depth) + (planted(Mistake::tail_too_long) ? 1 : 0);
    if (length == S::depth) {
      GPU_UNROLLED
      for (unsigned k = 0; k < S::depth; ++k) sums.add(tiles.a[from][k], tiles.b[from][k]);
    } else {
      GPU_ROLLED
      for (unsigned k = 0; k < length; ++k) sums.add(tiles.a[from][k], tiles.b[from][k]);
    }
    from = from + 1 == stages ? 0 : from + 1;
    if (here.ends_block(S::depth)) {
      sums.fold(task, here.block == 0, tiles.totals);
      sums.clear();
    }
  }
  if (!planted(Mistake::no_barrier_before_ending)) gpu::barrier();
  for_elements<S>([&](unsigned i, unsigned j) {
    const size_t row = first_row + i, column = first_column + j;
    if (row < task.m && column < task.n)
      task.c[row * task.c_row + column] = finished(task, row, column, tiles.totals[i][j]);
  });
}

template <class S>
void launch_tiles(const Matmul<typename S::T>& task) {
  const size_t across = (task.n + S::side - 1) / S::side, down = (task.m + S::side - 1) / S::side;
  gpu::launch(multiply_tiles<S>, {unsigned(across * down), S::threads, sizeof(Tiles<S>)},
              MatmulParams<typename S::T>{task, across, gpu::guard()});
}

// The largest tiles of which there are enough for all multiprocessors of a large card; not measured. Of double the
// largest would not fit into the shared memory of every card.
constexpr size_t enough_tiles = 128;
template <class T>
unsigned side_of_tiles(size_t m, size_t n) {
  for (const unsigned side : {128u, 64u})
    if ((side == 64 || sizeof(T) == 4) && ((m + side - 1) / side) * ((n + side - 1) / side) >= enough_tiles)
      return side;
  return 32;
}

}  // namespace
}  // namespace gradus::cuda
