// C = activation(alpha · A · B + beta · C + bias) ⊙ gate': five loops around a register tile. Columns of B in blocks
// that stay in the last cache, k in blocks, rows of A in blocks that stay in the second cache, panels of B that stay in
// the first, and tiles. Each element runs the same operations in the same order whatever the blocks, the instruction
// set and the packing: only the blocks of k show in the bits, and their size depends on k alone.
#pragma once
#include "activations-inl.h"
#include "cuts-inl.h"
#include "matmul/ahead-inl.h"
#include "matmul/pack-inl.h"
#include "matmul/tile-inl.h"
#include "matmul/finish-inl.h"
#include "matmul/run-inl.h"

template <class T>
struct Blocking {
  static constexpr size_t lanes = Vec<T>::lanes, panel = tile_vectors * lanes;
  static constexpr size_t k = longest_k_block<T>;
  // Rows of tiles in a block of A: a third of the second cache, if that is more than the least.
  static constexpr size_t least_tiles = is_tall ? 12 : 24, bytes_of_tile = tile_rows * k * sizeof(T);
  static constexpr size_t most_tiles = largest_second_cache / 3 / bytes_of_tile;
  static size_t tiles() {
    const size_t tiles = second_cache() / 3 / bytes_of_tile;
    return tiles < least_tiles ? least_tiles : tiles < most_tiles ? tiles : most_tiles;
  }
  // Rows of the copy of A; an odd number of vectors keeps them off each other's cache sets.
  static constexpr size_t a_row(size_t k) { return ((k + lanes - 1) / lanes | 1) * lanes; }
  static constexpr size_t a_size = most_tiles * tile_rows * (k + 2 * lanes) + panel;
  static constexpr size_t columns = (matmul_workspace - a_size) / k / panel * panel;
};

// One block of the loops: rows [i, i + rows) × columns [j, j + columns) × k [p, p + k), and where its copies lie.
template <class T>
struct MatmulBlock {
  const Matmul<T>& task;
  EvenCut tiles;  // of all rows
  bool pack_a, pack_b;
  T* a_copy;
  T* b_copy;
  size_t p = 0, k = 0, j = 0, columns = 0;
  bool last = false;  // of the blocks of k
};

template <class T>
INLINE size_t panel_width(const MatmulBlock<T>& block, size_t j) {
  const size_t left = block.columns - j;
  return left < Blocking<T>::panel ? left : Blocking<T>::panel;
}
// Without packing only a panel that does not end at a whole vector is copied, into the place of the first.
template <class T>
INLINE bool is_copied(const MatmulBlock<T>& block, size_t width) {
  return block.pack_b || width % Vec<T>::lanes != 0;
}

template <class T>
static void copy_panel(const MatmulBlock<T>& block, size_t j, T* to) {
  const Matmul<T>& task = block.task;
  const size_t width = panel_width(block, j);
  const T* from = task.b + block.p * task.b_row + (block.j + j) * task.b_column;
  if (task.b_column == 1) {
    copy_rows(from, task.b_row, block.k, width, to, Blocking<T>::panel);
  } else {
    copy_transposed(from, task.b_column, width, block.k, to, Blocking<T>::panel);
  }
}

// What copy_panel will read.
template <class T>
INLINE Ahead panel_ahead(const MatmulBlock<T>& block, size_t j) {
  const Matmul<T>& task = block.task;
  const size_t width = j < block.columns ? panel_width(block, j) : 0;
  if (width == 0 || !is_copied(block, width)) return {};
  const T* from = task.b + block.p * task.b_row + (block.j + j) * task.b_column;
  return task.b_column == 1 ? ahead_of(from, task.b_row, block.k, width)
                            : ahead_of(from, task.b_column, width, block.k);
}

// Rows of A as they lie when they run along k, else panels of a tile's height.
template <class T>
static void copy_a(const MatmulBlock<T>& block, size_t first_tile, size_t end_tile) {
  const Matmul<T>& task = block.task;
  const size_t first = block.tiles.first(first_tile);
  const T* from = task.a + first * task.a_row + block.p * task.a_column;
  if (task.a_column == 1) {
    return copy_rows(from, task.a_row, block.tiles.first(end_tile) - first, block.k, block.a_copy,
                     Blocking<T>::a_row(block.k));
  }
  T* to = block.a_copy;
  for (size_t tile = first_tile; tile < end_tile; ++tile, to += block.k * tile_rows) {
    const T* panel = from + (block.tiles.first(tile) - first) * task.a_row;
    copy_rows(panel, task.a_column, block.k, block.tiles.length(tile), to, size_t(tile_rows));
  }
}

// What copy_a will read.
template <class T>
INLINE Ahead rows_ahead(const MatmulBlock<T>& block, size_t first_tile, size_t end_tile) {
  const Matmul<T>& task = block.task;
  if (!block.pack_a || first_tile == end_tile) return {};
  const size_t first = block.tiles.first(first_tile), rows = block.tiles.first(end_tile) - first;
  const T* from = task.a + first * task.a_row + block.p * task.a_column;
  return task.a_column == 1 ? ahead_of(from, task.a_row, rows, block.k) : ahead_of(from, task.a_column, block.k, rows);
}

template <class T>
INLINE void place_a(const MatmulBlock<T>& block, size_t first_tile, size_t index, Tile<T>& tile) {
  const Matmul<T>& task = block.task;
  const size_t i = block.tiles.first(index);
  if (!block.pack_a) {
    tile.a = task.a + i * task.a_row + block.p * task.a_column;
    tile.a_row = task.a_row, tile.a_column = task.a_column;
  } else if (task.a_column == 1) {
    tile.a_row = Blocking<T>::a_row(block.k), tile.a_column = 1;
    tile.a = block.a_copy + (i - block.tiles.first(first_tile)) * tile.a_row;
  } else {
    tile.a_row = 1, tile.a_column = tile_rows;
    tile.a = block.a_copy + (index - first_tile) * block.k * tile_rows;
  }
}

// What the tiles of one panel have in common.
template <class T>
INLINE Tile<T> tile_of(const MatmulBlock<T>& block, size_t column, size_t width) {
  const Matmul<T>& task = block.task;
  Tile<T> tile;
  tile.k = block.k, tile.columns = static_cast<int>(width);
  tile.c_row = task.c_row, tile.alpha = task.alpha, tile.beta = block.p == 0 ? task.beta : T(1);
  if (!block.last) return tile;
  tile.bias = task.bias ? task.bias + column : nullptr;
  if (!finishes_in_registers(task)) return tile;
  tile.rectifies = task.activation == Activation::relu;
  tile.gate_row = task.gate_row;
  tile.nonfinite = task.nonfinite;
  return tile;
}

// The tiles from `first_tile` to below `end_tile`, by panels of B. The first rows copy them, as whole panels that lie
// by rows on the way of the first tile, others just before their use. The rows of the tiles up to `next_end` come
// after.
template <class T>
static void multiply_block(const MatmulBlock<T>& block, size_t first_tile, size_t end_tile, size_t next_end) {
  const Matmul<T>& task = block.task;
  const bool in_registers = finishes_in_registers(task);
  const bool gates = block.last && in_registers && task.gate && task.gate_kind == Activation::relu;
  const size_t tiles = end_tile - first_tile;
  const size_t panels = (block.columns + Blocking<T>::panel - 1) / Blocking<T>::panel;
  Ahead next_rows = rows_ahead(block, end_tile, next_end), next_panel;
  const size_t rows_share = next_rows.total / (panels * tiles) + 1;
  // Where the rows are one block nobody reads a panel again, and the next one is copied over it, into the same lines.
  const bool keeps_panels = tiles < block.tiles.parts;
  T* copy = block.b_copy;
  for (size_t j = 0; j < block.columns; j += Blocking<T>::panel) {
    const size_t width = panel_width(block, j), column = block.j + j;
    const bool copied = is_copied(block, width);
    Tile<T> tile = tile_of(block, column, width);
    Lies lies = copied ? in_panel : as_given;
    if (first_tile == 0 && copied) {
      if (task.b_column == 1 && width == Blocking<T>::panel)
        lies = as_given_to_copy;
      else
        copy_panel(block, j, copy);
    }
    if (first_tile == 0) next_panel = panel_ahead(block, j + Blocking<T>::panel);
    const size_t panel_share = next_panel.total / tiles + 1;
    tile.b = lies == in_panel ? copy : task.b + block.p * task.b_row + column;
    tile.b_row = lies == in_panel ? Blocking<T>::panel : task.b_row;
    tile.copy = copy;
    for (size_t index = first_tile; index < end_tile; ++index) {
      const size_t i = block.tiles.first(index), rows = block.tiles.length(index);
      place_a(block, first_tile, index, tile);
      tile.c = task.c + i * task.c_row + column;
      if (gates) tile.gate = task.gate + i * task.gate_row + column;
      next_panel.fetch(panel_share);
      next_rows.fetch(rows_share);
      tile_table<T>.run[lies][(width - 1) / Vec<T>::lanes][rows - 1](tile);
      if (block.last && !in_registers) finish_tile(task, i, column, rows, tile.columns);
      if (lies == as_given_to_copy) lies = in_panel, tile.b = copy, tile.b_row = Blocking<T>::panel;
    }
    if (copied && keeps_panels) copy += block.k * Blocking<T>::panel;
  }
}

// Copies pay when they are read often enough, or where the operand as it lies is slow to read.
template <class T>
INLINE bool worth_packing_a(const Matmul<T>& task) {
  return task.n > 4 * Blocking<T>::panel && task.m * task.k > 16384;
}
template <class T>
INLINE bool worth_packing_b(const Matmul<T>& task) {
  constexpr size_t few_tiles = is_tall ? 8 : 12;
  return task.b_column != 1 || (task.m > few_tiles * tile_rows && task.n * task.k > 16384);
}

// One row of C, where B lies by rows: nothing is copied.
template <class T>
static void multiply_row(const Matmul<T>& task) {
  constexpr size_t most = row_vectors * Vec<T>::lanes;
  MatmulBlock<T> block{task, EvenCut(1, 1), false, false, nullptr, nullptr};
  const bool in_registers = finishes_in_registers(task);
  const EvenCut k_blocks(task.k ? task.k : 1, Blocking<T>::k);
  for (size_t pc = 0; pc < k_blocks.parts; ++pc) {
    block.p = k_blocks.first(pc);
    block.k = task.k ? k_blocks.length(pc) : 0;
    block.last = pc + 1 == k_blocks.parts;
    for (size_t j = 0; j < task.n; j += most) {
      const size_t width = task.n - j < most ? task.n - j : most;
      Tile<T> tile = tile_of(block, j, width);
      tile.a = task.a + block.p * task.a_column, tile.a_column = task.a_column;
      tile.b = task.b + block.p * task.b_row + j, tile.b_row = task.b_row;
      tile.c = task.c + j;
      if (block.last && in_registers && task.gate && task.gate_kind == Activation::relu) tile.gate = task.gate + j;
      row_table<T>.run[(width - 1) / Vec<T>::lanes](tile);
      if (block.last && !in_registers) finish_tile(task, 0, j, 1, tile.columns);
    }
  }
}

template <class T>
static void matmul(const Matmul<T>& task, T* workspace) {
  if (task.m == 0 || task.n == 0) return;
  if (task.m == 1 && task.b_column == 1) return multiply_row(task);
  MatmulBlock<T> block{task,      EvenCut(task.m, tile_rows),     worth_packing_a(task), worth_packing_b(task),
                       workspace, workspace + Blocking<T>::a_size};
  const EvenCut column_blocks((task.n + Blocking<T>::panel - 1) / Blocking<T>::panel,
                              Blocking<T>::columns / Blocking<T>::panel);
  const EvenCut k_blocks(task.k ? task.k : 1, Blocking<T>::k);
  const EvenCut row_blocks(block.tiles.parts, block.pack_a ? Blocking<T>::tiles() : block.tiles.parts);
  for (size_t jc = 0; jc < column_blocks.parts; ++jc) {
    block.j = column_blocks.first(jc) * Blocking<T>::panel;
    const size_t end = block.j + column_blocks.length(jc) * Blocking<T>::panel;
    block.columns = (end < task.n ? end : task.n) - block.j;
    for (size_t pc = 0; pc < k_blocks.parts; ++pc) {
      block.p = k_blocks.first(pc);
      block.k = task.k ? k_blocks.length(pc) : 0;
      block.last = pc + 1 == k_blocks.parts;
      for (size_t ic = 0; ic < row_blocks.parts; ++ic) {
        const size_t first = row_blocks.first(ic), past = row_blocks.first(ic + 1);
        if (block.pack_a) copy_a(block, first, past);
        multiply_block(block, first, past, ic + 1 < row_blocks.parts ? row_blocks.first(ic + 2) : past);
      }
    }
  }
}
