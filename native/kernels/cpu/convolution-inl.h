// Convolutions by the register tile of matmul. Its rows are neighbouring pixels of the output, whose inputs lie equally
// far from each other in an image, so that A is the image as it lies, or with a border of zeros; k walks over the rows
// of the kernel, each of which is one stretch of the image; B is the packed filters.
#pragma once
#include "matmul-inl.h"
#include "memory-inl.h"
#include "vectors-inl.h"
#include "convolution/walks-inl.h"
#include "convolution/terms-inl.h"

// Channels of the input and of the output in one group, and panels of the latter.
template <class T>
struct GroupSize {
  size_t inputs, outputs, panels;
  INLINE_PLAIN explicit GroupSize(const Convolution<T>& task) {
    const size_t channels = task.shape.channels / task.shape.groups, filters = task.shape.filters / task.shape.groups;
    inputs = task.transposed ? filters : channels, outputs = task.transposed ? channels : filters;
    panels = (outputs + Blocking<T>::panel - 1) / Blocking<T>::panel;
  }
};
// Elements of the packed filters of one panel for each tap.
template <class T>
INLINE size_t panel_of_tap(const GroupSize<T>& size) {
  return size.inputs * Blocking<T>::panel;
}

// Of one tap, in all panels of all groups: of the weights as they lie, or transposed.
template <class T>
static void pack_tap(const Convolution<T>& task, const GroupSize<T>& size, const T* weights, size_t panel, T* to) {
  const size_t filters = task.shape.filters;
  for (size_t group = 0; group < task.shape.groups; ++group)
    for (size_t j = 0; j < size.outputs; j += Blocking<T>::panel, to += panel) {
      const size_t left = size.outputs - j, width = left < Blocking<T>::panel ? left : Blocking<T>::panel;
      if (task.transposed)
        copy_transposed(weights + j * filters + group * size.inputs, filters, width, size.inputs, to,
                        Blocking<T>::panel);
      else
        copy_rows(weights + group * size.outputs + j, filters, size.inputs, width, to, Blocking<T>::panel);
    }
}

// Packed: by phases, groups, panels, taps as the walks meet them, rows of a panel.
template <class T>
static void pack_filters(const Convolution<T>& task, size_t first_tap, size_t taps, T* packed) {
  const GroupSize<T> size(task);
  const size_t of_tap = task.shape.channels / task.shape.groups * task.shape.filters;
  for_phases(task, [&](const Phase& phase) {
    T* const of_phase = packed + phase.taps_before * task.shape.groups * size.panels * panel_of_tap(size);
    for (size_t i = 0; i < phase.height.taps; ++i)
      for (size_t j = 0; j < phase.width.taps; ++j) {
        const size_t row = static_cast<size_t>(phase.height.kernel +
                                               static_cast<ptrdiff_t>(i) * phase.height.kernel_step),
                     column =
                         static_cast<size_t>(phase.width.kernel + static_cast<ptrdiff_t>(j) * phase.width.kernel_step);
        const size_t tap = row * task.shape.width.kernel + column;
        if (tap < first_tap || tap >= first_tap + taps) continue;
        pack_tap(task, size, task.weights + tap * of_tap, taps_of(phase) * panel_of_tap(size),
                 of_phase + (i * phase.width.taps + j) * panel_of_tap(size));
      }
  });
}

// Lines of pixels, neighbours in the same line being as far from each other in the input as in all of them, and in the
// output: the rows of a band, or several of them where one goes on where the other ends.
template <class T>
struct Lines {
  size_t images, rows, length;
  const T* a;
  size_t a_image, a_row, a_pixel;
  size_t c_image, c_row, c_pixel, c_first;
};

template <class T>
static Lines<T> lines_of(const Convolution<T>& task, const Phase& phase, const Band& band, const Area<T>& area) {
  const bool back = task.transposed;
  const size_t inputs = back ? task.shape.filters : task.shape.channels;
  const size_t outputs = back ? task.shape.channels : task.shape.filters;
  const size_t width = back ? task.shape.width.input : task.shape.width.output;
  const Walk &height = phase.height, &across = phase.width;
  Lines<T> lines{band.images,
                 band.rows,
                 band.columns,
                 area.at,
                 area.image,
                 height.stride * area.row,
                 across.stride * inputs,
                 0,
                 height.pitch * width * outputs,
                 across.pitch * outputs,
                 0};
  lines.c_image = task.rows_of_image() * width * outputs;
  lines.c_first = band.image * lines.c_image + (height.first + band.row * height.pitch) * width * outputs +
                  (across.first + band.column * across.pitch) * outputs;
  return lines;
}
// Of the output alone: the input may lie as it will.
template <class T>
INLINE bool is_dense(const Lines<T>& lines) {
  return (lines.rows == 1 || lines.c_row == lines.length * lines.c_pixel) &&
         (lines.images == 1 || lines.c_image == lines.rows * lines.length * lines.c_pixel);
}
template <class T>
INLINE void join_lines(Lines<T>& lines) {
  const bool joins_rows = lines.rows == 1 || lines.a_row == lines.length * lines.a_pixel;
  const bool joins_images = lines.images == 1 || lines.a_image == lines.rows * lines.length * lines.a_pixel;
  if (!is_dense(lines) || !joins_rows || !joins_images) return;
  lines.length *= lines.rows * lines.images;
  lines.rows = lines.images = 1;
}

// Maps of few pixels a row fill few rows of a tile: where the copy is read by several panels the inputs of all pixels
// are gathered, a block of terms at a time.
constexpr size_t narrow = 8, most_gathered = convolution_operands / (longest_block + 32);
template <class T>
INLINE bool gathers(const Convolution<T>& task, const Phase& phase) {
  return phase.width.outputs < narrow && phase.width.pitch == 1 && phase.height.pitch == 1 && taps_of(phase) > 1 &&
         GroupSize<T>(task).panels > 1;
}
template <class T>
static void gather(const Lines<T>& lines, const TermsBlock& block, size_t to_row, T* to) {
  for (size_t image = 0; image < lines.images; ++image)
    for (size_t row = 0; row < lines.rows; ++row) {
      const T* from = lines.a + image * lines.a_image + row * lines.a_row;
      for (size_t pixel = 0; pixel < lines.length; ++pixel, from += lines.a_pixel, to += to_row)
        for (size_t r = 0; r < block.runs; ++r) copy_rows(from + block.starts[r], 0, 1, block.k, to + r * block.k, 0);
    }
}

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
  const EvenCut tiles(lines.length, tile_rows);
  const auto& run = tile_table<T>.run[tile.starts ? in_panel_for_runs : in_panel]
                                     [(static_cast<size_t>(tile.columns) - 1) / Vec<T>::lanes];
  const T* const a = tile.a;
  for (size_t image = 0; image < lines.images; ++image)
    for (size_t row = 0; row < lines.rows; ++row) {
      const T* const a_line = a + image * lines.a_image + row * lines.a_row;
      const size_t c_line = lines.c_first + image * lines.c_image + row * lines.c_row + channel;
      for (size_t index = 0; index < tiles.parts; ++index) {
        const size_t pixel = tiles.first(index), rows = tiles.length(index), at = c_line + pixel * lines.c_pixel;
        tile.a = a_line + pixel * lines.a_pixel;
        tile.c = task.output + at;
        if (gates_in_registers) tile.gate = task.gate + at;
        run[rows - 1](tile);
        if (!last || in_registers) continue;
        finish.c = tile.c;
        if (task.gate) finish.gate = task.gate + at;
        finish_tile(finish, 0, 0, rows, tile.columns);
      }
    }
}

template <class T>
static void convolve_band(const Convolution<T>& task, const Phase& phase, const Band& band, T* workspace) {
  const GroupSize<T> size(task);
  const size_t inputs = size.inputs * task.shape.groups, taps = taps_of(phase);
  const T* const packed = task.packed + phase.taps_before * task.shape.groups * size.panels * panel_of_tap(size);
  Area<T> area{task.input, 0, 0};
  if (taps > 0) area = area_of(task.input, inputs, phase, band, workspace + convolution_operands);
  const Lines<T> as_it_lies = lines_of(task, phase, band, area);
  const bool gathered = gathers(task, phase) && is_dense(as_it_lies);
  Lines<T> lines = as_it_lies;
  if (!gathered) join_lines(lines);
  const Terms terms(phase, task.shape.groups, size.inputs);
  TermsBlock block;
  for (size_t index = 0, blocks = terms.blocks(); index < blocks; ++index) {
    set_block(terms, phase, area, inputs, index, block);
    Tile<T> tile;
    tile.k = block.k, tile.starts = block.starts, tile.runs = block.runs;
    tile.a_column = 1, tile.a_row = lines.a_pixel;
    tile.b_row = Blocking<T>::panel;
    tile.alpha = 1, tile.beta = index == 0 ? task.beta : T(1);
    for (size_t group = 0; group < task.shape.groups; ++group) {
      tile.a = lines.a + group * size.inputs;
      if (gathered) {
        Lines<T> from = as_it_lies;
        from.a = tile.a;
        const size_t k = block.k * block.runs, to_row = Blocking<T>::a_row(k);
        gather(from, block, to_row, workspace);
        tile.a = workspace, tile.a_row = to_row, tile.k = k, tile.starts = nullptr, tile.runs = 1;
        lines.a_pixel = to_row, lines.length = from.length * from.rows * from.images, lines.rows = lines.images = 1;
      }
      for (size_t panel = 0; panel < size.panels; ++panel) {
        const size_t column = panel * Blocking<T>::panel, left = size.outputs - column;
        tile.columns = static_cast<int>(left < Blocking<T>::panel ? left : Blocking<T>::panel);
        tile.b = packed + (group * size.panels + panel) * taps * panel_of_tap(size) + block.first * Blocking<T>::panel;
        multiply_lines(task, lines, group * size.outputs + column, index + 1 == blocks, tile);
      }
    }
  }
}

// Bands that the second cache holds, of whole images where it holds some, and whose copies have room.
template <class T>
static void convolve_rows(const Convolution<T>& task, const Phase& phase, const Band& all, size_t room, T* workspace) {
  const GroupSize<T> size(task);
  const size_t inputs = size.inputs * task.shape.groups, outputs = size.outputs * task.shape.groups;
  const size_t most_pixels = gathers(task, phase) ? most_gathered : SIZE_MAX, most = second_cache() / 2 / sizeof(T);
  const auto read = [&](size_t rows, size_t columns) {
    if (taps_of(phase) == 0) return size_t(0);
    return window_of(phase.height, 0, rows).length * window_of(phase.width, 0, columns).length * inputs;
  };
  const auto fits = [&](size_t images, size_t rows, size_t columns) {
    const size_t area = images * read(rows, columns), pixels = images * rows * columns;
    return area <= room && pixels <= most_pixels && (rows * images == 1 || area + pixels * outputs <= most);
  };
  size_t images = all.images, rows = all.rows, columns = all.columns;
  while (images > 1 && !fits(images, rows, columns)) images = (images + 1) / 2;
  while (rows > 1 && !fits(images, rows, columns)) rows = (rows + 1) / 2;
  while (columns > 1 && !fits(images, rows, columns)) columns = (columns + 1) / 2;
  const EvenCut of_images(all.images, images), of_rows(all.rows, rows), of_columns(all.columns, columns);
  for (size_t i = 0; i < of_images.parts; ++i)
    for (size_t r = 0; r < of_rows.parts; ++r)
      for (size_t c = 0; c < of_columns.parts; ++c)
        convolve_band(task, phase,
                      Band{all.image + of_images.first(i), of_images.length(i), all.row + of_rows.first(r),
                           of_rows.length(r), all.column + of_columns.first(c), of_columns.length(c)},
                      workspace);
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
