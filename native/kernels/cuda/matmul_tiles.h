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

// k by tiles that end where its blocks do. Of no k there is one tile of no rows.
template <class T>
struct Walk {
  text::EvenCut blocks;
  size_t block;
  unsigned left;  // of the block

  GPU_INLINE explicit Walk(size_t k)
      : blocks(k ? k : 1, text::longest_k_block<T>), block(0), left(k ? unsigned(blocks.length(0)) : 0) {}
  GPU_INLINE bool exists() const { return block < blocks.parts; }
  GPU_INLINE unsigned length(unsigned depth) const { return left < depth ? left : depth; }
  GPU_INLINE bool ends_block(unsigned depth) const { return left <= depth; }
  GPU_INLINE void next(unsigned depth) {
    if (left > depth) {
      left -= depth;
    } else if (++block < blocks.parts) {
      left = unsigned(blocks.length(block));
    }
  }
};

// A thread's share of an operand's tiles, one after the other down k. It copies packs that lie side by side along the
// tile, or single elements of which neighbours lie so, or else a sector's down k. Where the first of them comes from is
// known before, the others lie beside and below it by what is known when this is compiled: a tile takes little but the
// copies themselves.
template <class S>
class Operand {
  using T = typename S::T;
  enum class Way { packs, along, down };

 public:
  // Of the rows or columns from `first` on, `count` in all, whose elements are at strides along the tile and down k.
  GPU_INLINE Operand(const T* all, size_t first, size_t count, size_t beside, size_t down)
      : beside_(beside), down_(down), length_(unsigned(count - first < S::side ? count - first : S::side)) {
    const T* const tile = all + first * beside;
    const bool has_packs = is_multiple(tile, 16) && down % S::square == 0 && length_ % S::square == 0;
    way_ = beside != 1 ? Way::down : has_packs ? Way::packs : Way::along;
    const Place at = way_ == Way::down    ? first_down()
                     : way_ == Way::along ? first_along<1>()
                                          : first_along<S::square>();
    from_ = tile + at.i * beside + at.k * down;
    k_ = at.k, i_ = at.i;
  }

  // Of the next tile, of so many rows down k.
  GPU_INLINE void begin_copies(unsigned depth, T (*to)[S::row]) {
    if (way_ == Way::packs) {
      copy_along<S::square>(depth, to);
    } else if (way_ == Way::along) {
      copy_along<1>(depth, to);
    } else {
      copy_down(depth, to);
    }
    from_ += depth * down_;
  }

 private:
  struct Place {
    unsigned k, i;
  };
  static constexpr unsigned bytes = sizeof(T), sector = 32 / bytes;
  template <unsigned width>
  static constexpr unsigned rows_at_once = S::threads / (S::side / width);
  static constexpr unsigned columns_at_once = S::threads / sector;

  template <unsigned width>
  static GPU_INLINE Place first_along() {
    return {gpu::thread() / (S::side / width), gpu::thread() % (S::side / width) * width};
  }
  static GPU_INLINE Place first_down() { return {gpu::thread() % sector, gpu::thread() / sector}; }

  template <unsigned width>
  GPU_INLINE void copy_along(unsigned depth, T (*to)[S::row]) const {
    GPU_UNROLLED
    for (unsigned k = 0; k < S::depth; k += rows_at_once<width>)
      if (k_ + k < depth) gpu::copy_async<width * bytes>(&to[k_ + k][i_], from_ + k * down_, i_ < length_);
  }
  GPU_INLINE void copy_down(unsigned depth, T (*to)[S::row]) const {
    GPU_UNROLLED
    for (unsigned k = 0; k < S::depth; k += sector) GPU_UNROLLED
    for (unsigned i = 0; i < S::side; i += columns_at_once)
      if (k_ + k < depth)
        gpu::copy_async<bytes>(&to[k_ + k][i_ + i], from_ + i * beside_ + k * down_, i_ + i < length_);
  }

  const size_t beside_, down_;
  const unsigned length_;
  Way way_;
  unsigned k_, i_;  // of the thread's first
  const T* from_;   // its place, also where nothing is
};

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
  Operand<S> a(task.a, first_row, task.m, task.a_row, task.a_column);
  Operand<S> b(task.b, first_column, task.n, task.b_column, task.b_row);
  if (task.beta != 0)
    for_elements<S>([&](unsigned i, unsigned j) {
      const bool exists = first_row + i < task.m && first_column + j < task.n;
      tiles.totals[i][j] = exists ? task.beta * task.c[(first_row + i) * task.c_row + first_column + j] : T(0);
    });
  Walk<T> ahead(task.k), here(task.k);
  unsigned to = 0, from = 0;
  const auto begin = [&] {
    if (ahead.exists()) {
      const unsigned depth = ahead.length(S::depth);
      a.begin_copies(depth, tiles.a[to]);
      b.begin_copies(depth, tiles.b[to]);
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
