// Convolutions by the register tile of matmul. Its rows are neighbouring pixels of the output, whose inputs lie equally
// far from each other in an image, so that A is the image as it lies, or with a border of zeros; k walks over the rows
// of the kernel, each of which is one stretch of the image; B is the packed filters.
#pragma once
#include "matmul-inl.h"
#include "memory-inl.h"
#include "norms-inl.h"
#include "vectors-inl.h"
#include "convolution/walks-inl.h"
#include "convolution/terms-inl.h"
#include "convolution/filters-inl.h"
#include "convolution/lines-inl.h"
#include "convolution/tile-inl.h"

// What becomes of the sums, as a matmul of one tile says it.
template <class T>
static Matmul<T> finish_of(const Convolution<T>& task, size_t c_row) {
  Matmul<T> finish;
  finish.c_row = finish.gate_row = c_row;
  finish.activation = task.activation, finish.activation_parameter = task.activation_parameter;
  finish.gate = task.gate, finish.gate_kind = task.gate_kind, finish.gate_parameter = task.gate_parameter;
  finish.nonfinite = task.nonfinite;
  return finish;
}

// The tiles of one panel, which begins at this channel of the output.
template <class T>
static void multiply_lines(const Convolution<T>& task, const Lines<T>& lines, size_t channel, bool last, Tile<T> tile) {
  Matmul<T> finish = finish_of(task, lines.c_pixel);
  const bool in_registers = finishes_in_registers(finish);
  tile.c_row = tile.gate_row = lines.c_pixel;
  if (last && task.bias) tile.bias = task.bias + channel;
  if (last && in_registers) {
    tile.rectifies = task.activation == Activation::relu;
    tile.nonfinite = task.nonfinite;
  }
  const bool gates_in_registers = last && in_registers && task.gate && task.gate_kind == Activation::relu;
  const Heights<T> heights(Along::k, tile.columns);
  const EvenCut tiles(lines.length, heights.most);
  tile.a_row = lines.a_pixel;
  for (size_t image = 0; image < lines.images; ++image)
    for (size_t row = 0; row < lines.rows; ++row) {
      const T* const a_line = lines.a + image * lines.a_image + row * lines.a_row;
      const size_t c_line = lines.c_first + image * lines.c_image + row * lines.c_row;
      for (size_t index = 0; index < tiles.parts; ++index) {
        const size_t pixel = tiles.first(index), rows = tiles.length(index);
        const size_t at = channel + (lines.c_pixels ? 0 : c_line + pixel * lines.c_pixel);
        tile.a = a_line + pixel * lines.a_pixel;
        tile.c = task.output + at, tile.c_rows = lines.c_pixels ? lines.c_pixels + pixel : nullptr;
        if (gates_in_registers) tile.gate = task.gate + at;
        heights.run[rows - 1](tile);
        if (!last || in_registers) continue;
        const size_t step = tile.c_rows ? 1 : rows;
        for (size_t i = 0; i < rows; i += step) {
          const size_t of_row = tile.c_rows ? tile.c_rows[i] : 0;
          finish.c = tile.c + of_row;
          if (task.gate) finish.gate = task.gate + at + of_row;
          finish_tile(finish, 0, 0, step, tile.columns);
        }
      }
    }
}

// One block of terms, of one group.
template <class T>
static void convolve_block(const Convolution<T>& task, const Phase& phase, const Band& band, const TermsBlock& block,
                           const Lines<T>& lines, size_t group, bool skips, bool is_first, bool is_last, T* workspace) {
  const GroupSize<T> size(task);
  const size_t of_panel = taps_of(phase) * panel_of_tap(size);
  const T* const filters = task.packed + phase.taps_before * task.shape.groups * size.panels * panel_of_tap(size) +
                           group * size.panels * of_panel;
  const auto for_boxes_that_are = [&](bool gathered, auto body) INLINE_LAMBDA {
    for_boxes(phase, band, block, size.inputs, skips, [&](const Box& box) {
      if (gathers(size, phase, box) != gathered || (box.is_empty() && !is_first && !is_last)) return;
      Lines<T> of_box = box_of(lines, box.rows, box.columns);
      of_box.a += group * size.inputs + box.terms.first;
      Tile<T> tile;
      tile.a_column = 1, tile.alpha = 1, tile.beta = is_first ? task.beta : T(1);
      tile.k = box.terms.length(), tile.starts = block.starts + box.runs.first, tile.runs = box.runs.length();
      tile.b = filters + (block.first + box.runs.first * block.k + box.terms.first) * Blocking<T>::panel;
      tile.b_run = block.k * Blocking<T>::panel;
      body(of_box, tile);
    });
  };
  const auto multiply_panel = [&](size_t panel, const Lines<T>& of_box, Tile<T> tile) {
    const size_t column = panel * Blocking<T>::panel, left = size.outputs - column;
    tile.b += panel * of_panel;
    tile.columns = static_cast<int>(left < Blocking<T>::panel ? left : Blocking<T>::panel);
    multiply_lines(task, of_box, group * size.outputs + column, is_last, tile);
  };
  // What is gathered serves all panels; else a panel stays in the first cache for all boxes.
  for_boxes_that_are(true, [&](const Lines<T>& of_box, const Tile<T>& tile) {
    for_gathered(of_box, tile, workspace, [&](const Lines<T>& gathered, const Tile<T>& of_gathered) {
      for (size_t panel = 0; panel < size.panels; ++panel) multiply_panel(panel, gathered, of_gathered);
    });
  });
  for (size_t panel = 0; panel < size.panels; ++panel)
    for_boxes_that_are(false, [&](Lines<T> of_box, const Tile<T>& tile) {
      join_lines(of_box);
      multiply_panel(panel, of_box, tile);
    });
}

template <class T>
static void convolve_band(const Convolution<T>& task, const Phase& phase, const Band& band, T* workspace) {
  const GroupSize<T> size(task);
  const size_t inputs = size.inputs * task.shape.groups;
  const Terms terms(phase, task.shape.groups, size.inputs);
  const bool skips = skips_columns(terms, phase.width, size.inputs, size.outputs);
  Area<T> area{task.input, 0, 0};
  if (taps_of(phase) > 0) area = area_of(task.input, inputs, phase, band, skips, workspace + convolution_operands);
  const Lines<T> lines = lines_of(task, phase, band, area);
  TermsBlock block;
  for (size_t index = 0, blocks = terms.blocks(); index < blocks; ++index) {
    set_block(terms, phase, area, inputs, index, block);
    for (size_t group = 0; group < task.shape.groups; ++group)
      convolve_block(task, phase, band, block, lines, group, skips, index == 0, index + 1 == blocks, workspace);
  }
}

// Of outputs that have just been written.
template <class T>
static void find_statistics(const Convolution<T>& task, size_t image, size_t images) {
  const size_t filters = task.shape.filters, of_image = task.shape.height.output * task.shape.width.output;
  const size_t block = image * of_image / block_rows * filters;
  batch_norm_block_statistics(task.output + image * of_image * filters, images * of_image, filters, filters,
                              task.means + block, task.squares + block);
}

// Bands that the second cache holds, of whole images where it holds some, and whose copies have room.
template <class T>
static void convolve_rows(const Convolution<T>& task, const Phase& phase, const Band& all, size_t room, T* workspace) {
  const GroupSize<T> size(task);
  const size_t inputs = size.inputs * task.shape.groups, outputs = size.outputs * task.shape.groups;
  const bool copies =
      !skips_columns(Terms(phase, task.shape.groups, size.inputs), phase.width, size.inputs, size.outputs);
  const size_t most = second_cache() / 2 / sizeof(T);
  const auto read = [&](size_t rows, size_t columns) {
    if (taps_of(phase) == 0) return size_t(0);
    return window_of(phase.height, 0, rows).length * window_of(phase.width, 0, columns).length * inputs;
  };
  const auto fits = [&](size_t images, size_t rows, size_t columns) {
    const size_t area = images * read(rows, columns), pixels = images * rows * columns;
    return (area <= room || !copies) && (rows * images == 1 || area + pixels * outputs <= most);
  };
  size_t images = all.images, rows = all.rows, columns = all.columns;
  while (images > 1 && !fits(images, rows, columns)) images = (images + 1) / 2;
  while (rows > 1 && !fits(images, rows, columns)) rows = (rows + 1) / 2;
  while (columns > 1 && !fits(images, rows, columns)) columns = (columns + 1) / 2;
  const EvenCut of_images(all.images, images), of_rows(all.rows, rows), of_columns(all.columns, columns);
  for (size_t i = 0; i < of_images.parts; ++i) {
    for (size_t r = 0; r < of_rows.parts; ++r)
      for (size_t c = 0; c < of_columns.parts; ++c)
        convolve_band(task, phase,
                      Band{all.image + of_images.first(i), of_images.length(i), all.row + of_rows.first(r),
                           of_rows.length(r), all.column + of_columns.first(c), of_columns.length(c)},
                      workspace);
    if (task.means) find_statistics(task, all.image + of_images.first(i), of_images.length(i));
  }
}

// Whole images, then what there is of the last one; before them what there is of the first.
template <class T>
static void convolution(const Convolution<T>& task, T* workspace) {
  const size_t of_image = task.rows_of_image(), end = task.first_row + task.rows;
  const size_t room = convolution_workspace(task.shape) - convolution_operands;
  for_phases(task, [&](const Phase& phase) {
    if (phase.width.outputs == 0) return;
    for (size_t at = task.first_row; at < end;) {
      const size_t row = at % of_image, whole = row == 0 ? (end - at) / of_image : 0;
      const size_t past = whole > 0 || end - at > of_image - row ? of_image : row + end - at;
      const size_t first = outputs_below(phase.height, row), last = outputs_below(phase.height, past);
      const Band band{at / of_image, whole ? whole : 1, first, last - first, 0, phase.width.outputs};
      if (band.rows > 0) convolve_rows(task, phase, band, room, workspace);
      at += whole ? whole * of_image : past - row;
    }
  });
}

#include "convolution/weights-inl.h"
