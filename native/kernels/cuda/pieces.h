// A kernel as pieces, each of which a team of threads takes as a thread of a processor would: kernels.def says how it
// may be cut. In teams:: are the kernels written on vectors, whose lanes are threads; in threads:: those that are not,
// where each thread takes a piece alone.
#pragma once
#include "texts.h"

namespace gradus {
namespace {

enum class Unit { element, row, column, block, chunk, all };
struct Extent {
  size_t n;
  Unit unit;
};
inline Extent by_elements(size_t n) { return {n, Unit::element}; }
inline Extent by_rows(size_t rows, size_t) { return {rows, Unit::row}; }
inline Extent by_columns(size_t columns, size_t) { return {columns, Unit::column}; }
inline Extent by_blocks(size_t rows, size_t) { return {rows, Unit::block}; }
inline Extent by_chunks(size_t n) { return {n, Unit::chunk}; }
inline Extent whole() { return {1, Unit::all}; }

// How many of them make a piece for a team of so many threads.
inline size_t piece_of(Unit unit, size_t team) {
  switch (unit) {
    case Unit::element:
    case Unit::column:
      return team;
    case Unit::block:
      return block_rows;
    case Unit::chunk:
      static_assert(update_chunk == moments_chunk);
      return update_chunk;
    case Unit::row:
    case Unit::all:
      return 1;
  }
  return 1;
}

template <class Body>
struct Pieces {
  size_t n, length;
  Body body;  // (first, count)
  const uint32_t* guard;
};

template <unsigned team, class Body>
GPU_KERNEL void run_pieces(const Pieces<Body> pieces) {
  using cuda::Mistake;
  if (is_raised(pieces.guard)) return;
  const size_t teams = size_t(gpu::blocks()) * gpu::threads() / team;
  const size_t step = (cuda::planted(Mistake::pieces_overlap) ? 1 : teams) * pieces.length;
  size_t first = (size_t(gpu::block()) * gpu::threads() + gpu::thread()) / team * pieces.length;
  if (cuda::planted(Mistake::piece_left_out) && first == 0) return;
  for (; first < pieces.n; first += step) {
    const size_t rest = pieces.n - first + cuda::planted(Mistake::piece_too_long);
    pieces.body(first, rest < pieces.length ? rest : pieces.length);
  }
}

constexpr unsigned block_threads = 128;
constexpr size_t most_blocks =
    4096;  // some for each multiprocessor of the largest cards; they take several pieces then

template <unsigned team, class Body>
void launch_pieces(Extent extent, const Body& body) {
  if (extent.n == 0) return;
  const size_t length = piece_of(extent.unit, team), count = (extent.n + length - 1) / length;
  const size_t threads = count * team, blocks = (threads + block_threads - 1) / block_threads;
  gpu::Shape shape;
  shape.grid = unsigned(blocks < most_blocks ? blocks : most_blocks);
  shape.block = threads < block_threads ? unsigned((threads + gpu::warp - 1) / gpu::warp * gpu::warp) : block_threads;
  gpu::launch(run_pieces<team, Body>, shape, Pieces<Body>{extent.n, length, body, gpu::guard()});
}

// The same of patches of so many rows and of as many columns as a team has lanes, those side by side one after the
// other: body(first row, rows, first column, columns).
template <class T, class Body>
void launch_patches(size_t rows, size_t columns, size_t height, const Body& body) {
  constexpr size_t lanes = text::Vec<T>::lanes;
  const size_t across = (columns + lanes - 1) / lanes, down = (rows + height - 1) / height;
  launch_pieces<lanes>(by_rows(across * down, lanes), [=] GPU_LAMBDA(size_t number, size_t) {
    // No card has memory for 2^32 of them, and a division of 64 bits takes as long as a patch.
    const unsigned patch = unsigned(number), beside = unsigned(across);
    const size_t row = patch / beside * height, column = patch % beside * lanes;
    body(row, rows - row < height ? rows - row : height, column, columns - column < lanes ? columns - column : lanes);
  });
}

namespace teams {
#define KERNEL(name, arguments, extent, piece)                                                                  \
  template <class T>                                                                                            \
  void name arguments {                                                                                         \
    launch_pieces<text::Vec<T>::lanes>(                                                                         \
        extent,                                                                                                 \
        [=] GPU_LAMBDA([[maybe_unused]] size_t first, [[maybe_unused]] size_t count) { text::name<T> piece; }); \
  }
#include "../kernels.def"
#undef KERNEL
}  // namespace teams

namespace threads {
#define KERNEL(name, arguments, extent, piece)                                                              \
  template <class T>                                                                                        \
  void name arguments {                                                                                     \
    launch_pieces<1>(extent, [=] GPU_LAMBDA([[maybe_unused]] size_t first, [[maybe_unused]] size_t count) { \
      text::name<T> piece;                                                                                  \
    });                                                                                                     \
  }
#include "../kernels.def"
#undef KERNEL
}  // namespace threads

}  // namespace
}  // namespace gradus

// Of a function that fills a table of kernels.
#define TEAMS(name) table.name = teams::name<T>
#define THREADS(name) table.name = threads::name<T>
