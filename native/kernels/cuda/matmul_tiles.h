// The product of matrices: a block of threads has a tile of C, a warp a part of it, a thread squares in registers, of
// as many columns as are moved at once, and tiles of A and B come through stages of shared memory. Each element is
// summed as on a processor: by fma in the order of k, in blocks of k whose sums are added in order.
#pragma once
#include "texts.h"

namespace gradus::cuda {

namespace {

// Rows of shared memory are longer by four, so that what a warp touches at once lies in different banks.
constexpr unsigned padding = 4, stages = 3, lane_rows = 8, lane_columns = 4;

// `down` by `across` squares a thread, of `square_rows` rows and as many columns as are moved at once; `blocks` blocks
// of threads are to fit on a multiprocessor.
template <class Number, unsigned rows_, unsigned columns_, unsigned depth_, unsigned threads_, unsigned square_rows_,
          unsigned down_, unsigned across_, unsigned blocks_>
struct TileShape {
  using T = Number;
  static constexpr unsigned rows = rows_, columns = columns_, depth = depth_, threads = threads_, blocks = blocks_;
  static constexpr unsigned pack = 16 / sizeof(T), square_rows = square_rows_, square_columns = pack;
  static constexpr unsigned down = down_, across = across_, total_row = columns + 64 / (sizeof(T) * square_rows);
  static constexpr unsigned warp_rows = lane_rows * square_rows * down;
  static constexpr unsigned warp_columns = lane_columns * square_columns * across;
  static_assert(rows / warp_rows * (columns / warp_columns) * gpu::warp == threads);
};
template <class T>
constexpr unsigned squares = sizeof(T) / 4;
template <class T>
constexpr unsigned packed = 16 / sizeof(T);
template <class T>
constexpr unsigned deep = 64 / sizeof(T);
using LargeTile = TileShape<float, 128, 128, 8, 256, 4, 2, 2, 2>;
template <class T>
using MiddleTile = TileShape<T, 64, 64, deep<T>, 256, packed<T>, squares<T>, squares<T>, 2>;
template <class T>
using SmallTile = TileShape<T, 32, 32, deep<T>, 64, packed<T>, squares<T>, squares<T>, 8>;
template <class T>
using NarrowTile = TileShape<T, 32, 16, deep<T>, 64, 2, 1, squares<T>, 8>;

template <class S>
struct Tiles {
  using T = typename S::T;
  T a[stages][S::depth][S::rows + padding], b[stages][S::depth][S::columns + padding];
  T totals[S::rows][S::total_row];
};

// k by tiles that end where its blocks do. Of no k there is one tile of no rows. In words of 32 bits: no card has
// memory for 2^32 blocks.
template <class T>
struct Walk {
  unsigned blocks, shorter, longer_blocks;  // see text::EvenCut
  unsigned block = 0, left;                 // rows of the block that are left

  GPU_INLINE explicit Walk(size_t k) {
    const text::EvenCut cut(k ? k : 1, text::longest_k_block<T>);
    blocks = unsigned(cut.parts), shorter = unsigned(cut.shorter), longer_blocks = unsigned(cut.longer_parts);
    left = k ? length_of_block() : 0;
  }
  GPU_INLINE bool exists() const { return block < blocks; }
  GPU_INLINE unsigned length(unsigned depth) const { return left < depth ? left : depth; }
  GPU_INLINE bool ends_block(unsigned depth) const { return left <= depth; }
  GPU_INLINE void next(unsigned depth) {
    if (left > depth) {
      left -= depth;
    } else {
      ++block, left = length_of_block();
    }
  }

 private:
  GPU_INLINE unsigned length_of_block() const { return shorter + (block < longer_blocks); }
};

// A thread's share of an operand's tiles, one after the other down k. It copies packs that lie side by side along the
// tile, or single elements of which neighbours lie so, or else a sector's down k. Where the first of them comes from is
// known before, the others lie beside and below it by what is known when this is compiled: a tile takes little but the
// copies themselves.
template <class S, unsigned side>
class Operand {
  using T = typename S::T;
  static constexpr unsigned row = side + padding;
  enum class Way { packs, along, down };

 public:
  // Of the rows or columns from `first` on, `count` in all, whose elements are at strides along the tile and down k.
  GPU_INLINE Operand(const T* all, size_t first, size_t count, size_t beside, size_t down)
      : beside_(beside), down_(down), length_(unsigned(count - first < side ? count - first : side)) {
    const T* const tile = all + first * beside;
    const bool has_packs = is_multiple(tile, 16) && down % S::pack == 0 && length_ % S::pack == 0;
    way_ = beside != 1 ? Way::down : has_packs ? Way::packs : Way::along;
    const Place at = way_ == Way::down ? first_down() : way_ == Way::along ? first_along<1>() : first_along<S::pack>();
    from_ = tile + at.i * beside + at.k * down;
    k_ = at.k, i_ = at.i;
  }

  // Of the next tile, of so many rows down k.
  GPU_INLINE void begin_copies(unsigned depth, T (*to)[row]) {
    if (way_ == Way::packs) {
      copy_along<S::pack>(depth, to);
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
  static constexpr unsigned rows_at_once = S::threads / (side / width);
  static constexpr unsigned columns_at_once = S::threads / sector;

  template <unsigned width>
  static GPU_INLINE Place first_along() {
    constexpr unsigned across = side / width;
    static_assert(across != 4 || rows_at_once<width> == S::depth);
    const unsigned row = gpu::thread() / across, i = gpu::thread() % across * width;
    // Of rows that fill half of the banks two are written at once: four rows apart, in different halves.
    if constexpr (across == 4) return {row / 8 * 8 + row % 2 * 4 + row / 2 % 4, i};
    return {row, i};
  }
  static GPU_INLINE Place first_down() { return {gpu::thread() % sector, gpu::thread() / sector}; }

  template <unsigned width>
  GPU_INLINE void copy_along(unsigned depth, T (*to)[row]) const {
    GPU_UNROLLED
    for (unsigned k = 0; k < S::depth; k += rows_at_once<width>)
      if (k_ + k < depth) gpu::copy_async<width * bytes>(&to[k_ + k][i_], from_ + k * down_, i_ < length_);
  }
  GPU_INLINE void copy_down(unsigned depth, T (*to)[row]) const {
    GPU_UNROLLED
    for (unsigned k = 0; k < S::depth; k += sector) GPU_UNROLLED
    for (unsigned i = 0; i < side; i += columns_at_once)
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
  static constexpr unsigned high = S::square_rows, wide = S::square_columns;
  T of[S::down][S::across][high][wide];
  unsigned row, column;  // of its first square in the tile; the next ones are a warp's squares further

  GPU_INLINE Sums() {
    const unsigned warp = gpu::thread() / gpu::warp, lane = gpu::thread() % gpu::warp;
    constexpr unsigned warps = S::columns / S::warp_columns;
    row = warp / warps * S::warp_rows + lane / lane_columns * high;
    column = warp % warps * S::warp_columns + lane % lane_columns * wide;
    clear();
  }
  template <class F>
  GPU_INLINE void for_rows(F body) {  // (down, across, row of the square)
    GPU_UNROLLED
    for (unsigned d = 0; d < S::down; ++d) GPU_UNROLLED
    for (unsigned c = 0; c < S::across; ++c) GPU_UNROLLED
    for (unsigned i = 0; i < high; ++i) body(d, c, i);
  }
  GPU_INLINE void clear() {
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      GPU_UNROLLED
      for (unsigned j = 0; j < wide; ++j) of[d][c][i][j] = 0;
    });
  }
  // One k, whose row of the tile of A turned and row of the tile of B these are.
  GPU_INLINE void add(const T* a_row, const T* b_row) {
    gpu::Pack<T, high> a[S::down];
    gpu::Pack<T, wide> b[S::across];
    GPU_UNROLLED
    for (unsigned d = 0; d < S::down; ++d) a[d] = gpu::load_pack<high>(a_row + row + d * lane_rows * high);
    GPU_UNROLLED
    for (unsigned c = 0; c < S::across; ++c) b[c] = gpu::load_pack<wide>(b_row + column + c * lane_columns * wide);
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      GPU_UNROLLED
      for (unsigned j = 0; j < wide; ++j) of[d][c][i][j] = gpu::fused(a[d].at[i], b[c].at[j], of[d][c][i][j]);
    });
  }
  // The end of a block of k: what the totals are then.
  GPU_INLINE void fold(const Matmul<T>& task, bool is_first, T (*totals)[S::total_row]) {
    const bool adds = !is_first || task.beta != 0;
    for_rows([&](unsigned d, unsigned c, unsigned i) {
      T* const to = &totals[row + d * lane_rows * high + i][column + c * lane_columns * wide];
      gpu::Pack<T, wide> total;
      if (adds) total = gpu::load_pack<wide>(to);
      GPU_UNROLLED
      for (unsigned j = 0; j < wide; ++j) {
        const T sum = of[d][c][i][j];
        total.at[j] = adds ? gpu::fused(task.alpha, sum, total.at[j]) : task.alpha != 1 ? task.alpha * sum : sum;
      }
      gpu::store_pack(to, total);
    });
  }
};

// read(number, row of the tile, column of it) and then use(the same) for what a thread has of a tile before and after
// the sums, by groups: all that is read of one is under way before any of it is used.
constexpr unsigned elements_at_once = 8;
template <class S, class R, class U>
GPU_INLINE void for_elements(R read, U use) {
  static_assert(S::rows * S::columns % (elements_at_once * S::threads) == 0);
  GPU_ROLLED
  for (unsigned e = gpu::thread(); e < S::rows * S::columns; e += elements_at_once * S::threads) {
    const auto for_group = [&](auto body) {
      GPU_UNROLLED
      for (unsigned i = 0; i < elements_at_once; ++i)
        body(i, (e + i * S::threads) / S::columns, (e + i * S::threads) % S::columns);
    };
    for_group(read), for_group(use);
  }
}

// What follows the sums: see cpu/matmul/finish-inl.h.
template <class T>
GPU_INLINE T finished(const Matmul<T>& task, size_t j, T gate, T sum) {
  using V = text::Vec<T>;
  if (task.bias) sum = sum + task.bias[j];
  V value = text::activate(task.activation, task.activation_parameter, V(sum));
  if (task.gate && task.gate_kind != Activation::identity)
    value = value * text::activation_slope_from_output(task.gate_kind, task.gate_parameter, V(gate));
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
  const size_t first_row = gpu::block() / params.across * S::rows,
               first_column = gpu::block() % params.across * S::columns;
  const auto exists = [&](unsigned i, unsigned j) { return first_row + i < task.m && first_column + j < task.n; };
  Operand<S, S::rows> a(task.a, first_row, task.m, task.a_row, task.a_column);
  Operand<S, S::columns> b(task.b, first_column, task.n, task.b_column, task.b_row);
  T beside[elements_at_once];
  if (task.beta != 0)
    for_elements<S>(
        [&](unsigned e, unsigned i, unsigned j) {
          beside[e] = exists(i, j) ? task.c[(first_row + i) * task.c_row + first_column + j] : T(0);
        },
        [&](unsigned e, unsigned i, unsigned j) { tiles.totals[i][j] = task.beta * beside[e]; });
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
  for_elements<S>(
      [&](unsigned e, unsigned i, unsigned j) {
        beside[e] = task.gate && exists(i, j) ? task.gate[(first_row + i) * task.gate_row + first_column + j] : T(0);
      },
      [&](unsigned e, unsigned i, unsigned j) {
        if (!exists(i, j)) return;
        T* const to = task.c + (first_row + i) * task.c_row + first_column + j;
        *to = finished(task, first_column + j, beside[e], tiles.totals[i][j]);
      });
}

template <class S>
void launch_tiles(const Matmul<typename S::T>& task) {
  const size_t across = (task.n + S::columns - 1) / S::columns, down = (task.m + S::rows - 1) / S::rows;
  gpu::launch(multiply_tiles<S>, {unsigned(across * down), S::threads, sizeof(Tiles<S>)},
              MatmulParams<typename S::T>{task, across, gpu::guard()});
}

}  // namespace
}  // namespace gradus::cuda
