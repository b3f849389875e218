// Convolutions of each channel by itself. Channels run along the lanes, and images are read as they lie: taps that meet
// nothing are no terms. Each output sums its taps in their order.
#pragma once
#include "activations-inl.h"
#include "cuts-inl.h"
#include "matmul-inl.h"
#include "memory-inl.h"
#include "moving-inl.h"
#include "vectors-inl.h"
#include "convolution/taps-inl.h"

// What some outputs sum over: x and w at the first tap of the first one, and how far apart the others are.
template <class T>
struct TapSums {
  const Convolution<T>& task;
  size_t rows, columns;  // of taps
  const T *x = nullptr, *w = nullptr;
  ptrdiff_t x_row = 0, x_tap = 0, x_step = 0, x_ahead = 0;
  size_t w_row = 0, w_tap = 0;
  T* y = nullptr;
  ptrdiff_t y_step = 0, y_ahead = 0;  // the rows that come next, which are asked for, lie ahead
  Lacking first_lack = {}, last_lack = {};
};

// So many at once that their sums stay in registers, each weight being read once for all of them. At most so many of
// them lack taps at either end: 1 is all that a kernel of three needs, which asks less of each tap.
// Without vectors less is written out, and one text does for both.
constexpr bool has_vectors = tile_rows > 2;
constexpr int outputs_at_once = is_tall ? 8 : has_vectors ? 6 : 4;
constexpr int least_lacking = has_vectors ? 1 : most_lacking;
template <int outputs, int lacking, class T>
OUT_OF_LINE static void sum_taps(const TapSums<T>& of) {
  const Convolution<T>& task = of.task;
  const size_t columns = of.columns, *const first_lacks = of.first_lack.taps;
  const size_t last_meets[most_lacking] = {columns - of.last_lack.taps[0], columns - of.last_lack.taps[1]};
  const T beta = task.beta;
  for_vectors<T>(task.shape.channels, [&](size_t c, int lanes) INLINE_LAMBDA {
    Vec<T> totals[outputs];
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o) totals[o] = Vec<T>(0);
    const T *x_row = of.x + c, *w_row = of.w + c;
    for (size_t p = 0; p < of.rows; ++p, x_row += of.x_row, w_row += of.w_row) {
      const T *x_tap = x_row, *w_tap = w_row;
      for (size_t q = 0; q < columns; ++q, x_tap += of.x_tap, w_tap += of.w_tap) {
        const Vec<T> weight = load_lanes(w_tap, lanes);
        const T* from = x_tap;
#pragma GCC unroll 8
        for (int o = 0; o < outputs; ++o, from += of.x_step)
          if ((o >= lacking || q >= first_lacks[o]) && (o + lacking < outputs || q < last_meets[outputs - 1 - o]))
            totals[o] = fma(load_lanes(from, lanes), weight, totals[o]);
      }
    }
    const Vec<T> bias = task.bias ? load_lanes(task.bias + c, lanes) : Vec<T>(0);
    const T* ahead = of.x + of.x_ahead + c;
    T* to = of.y + c;
    if (beta != 0) {
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o, to += of.y_step)
        totals[o] = fma(Vec<T>(beta), load_lanes(to, lanes), totals[o]);
      to = of.y + c;
    }
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o, to += of.y_step, ahead += of.x_step) {
      __builtin_prefetch(ahead);
      __builtin_prefetch(to + of.y_ahead, 1);
      store_lanes(to, totals[o] + bias, lanes);
    }
  });
}
template <int most, class T>
INLINE void sum_taps_of(size_t outputs, const TapSums<T>& of) {
  const bool more_lack = of.first_lack.outputs > 1 || of.last_lack.outputs > 1;
  if (outputs == most) return more_lack ? sum_taps<most, most_lacking>(of) : sum_taps<most, least_lacking>(of);
  if constexpr (most > 1) sum_taps_of<most - 1>(outputs, of);
}

// A stretch of a row of outputs y, of an image that begins at x.
template <class T>
OUT_OF_LINE static void sum_stretch(const Convolution<T>& task, const T* x, T* y, const MetTaps& rows,
                                    const Stretch& stretch) {
  const ptrdiff_t channels = ptrdiff_t(task.shape.channels);
  const size_t of_tap_row = task.shape.width.kernel * task.shape.channels;
  const MetTaps& columns = stretch.taps;
  const ptrdiff_t of_row = ptrdiff_t(task.transposed ? task.shape.width.output : task.shape.width.input) * channels;
  TapSums<T> of{task, rows.count, columns.count};
  of.x_row = rows.pixel_step * of_row, of.x_tap = columns.pixel_step * channels;
  of.x_ahead = of.x_row > 0 ? ptrdiff_t(rows.count) * of.x_row : -of.x_row;
  of.w = task.weights + rows.tap * of_tap_row + columns.tap * task.shape.channels;
  of.w_row = rows.tap_step * of_tap_row, of.w_tap = columns.tap_step * task.shape.channels;
  of.x_step = stretch.advance * channels, of.y_step = stretch.step * channels;
  of.y_ahead = ptrdiff_t(task.transposed ? task.shape.width.input : task.shape.width.output) * channels;
  const EvenCut cut(stretch.count, outputs_at_once);
  for (size_t part = 0; part < cut.parts; ++part) {
    const ptrdiff_t first = ptrdiff_t(cut.first(part));
    of.x = x + (rows.pixel * of_row + columns.pixel * channels + first * of.x_step);
    of.y = y + ptrdiff_t(stretch.first) * channels + first * of.y_step;
    of.first_lack = part == 0 ? stretch.first_lack : Lacking();
    of.last_lack = part + 1 == cut.parts ? stretch.last_lack : Lacking();
    sum_taps_of<outputs_at_once>(cut.length(part), of);
  }
}

template <class T>
static void depthwise(const Convolution<T>& task) {
  const ConvolutionAxis &height = task.shape.height, &width = task.shape.width;
  const bool back = task.transposed;
  const size_t channels = task.shape.channels, of_image = task.rows_of_image();
  const size_t outputs = back ? width.input : width.output, n = outputs * channels;
  const size_t of_input = (back ? height.output * width.output : height.input * width.input) * channels;
  for (size_t i = task.first_row; i < task.first_row + task.rows; ++i) {
    T* const y = task.output + i * n;
    const T* const x = task.input + i / of_image * of_input;
    const MetTaps rows = back ? taps_back(height, i % of_image) : taps_ahead(height, i % of_image);
    for_stretches(width, back, 0, outputs,
                  [&](const Stretch& stretch) INLINE_LAMBDA { sum_stretch(task, x, y, rows, stretch); });
    if (task.activation != Activation::identity)
      activation_forward(task.activation, task.activation_parameter, y, n, y);
    const T* const gate = task.gate ? task.gate + i * n : nullptr;
    if (gate) activation_backward(task.gate_kind, task.gate_parameter, gate, gate, y, n, y);
    if (task.nonfinite) find_nonfinite(y, n, *task.nonfinite);
  }
}

// A tile of taps that the outputs of a stretch meet, whose sums stay in registers: x at the first tap of the first
// output, and how far apart the others are.
template <class T>
struct TapTile {
  size_t channels, count;  // of outputs
  const T *x = nullptr, *dy = nullptr;
  size_t x_row = 0, x_tap = 0, x_step = 0;
  size_t x_ahead = 0, dy_ahead = 0;  // what is read next, where this tile asks for it
  T* sums = nullptr;
  size_t sums_row = 0;
  // Of the tile's columns from this one on, and up to this one, from the outermost output on.
  size_t first_meets[most_lacking] = {}, last_meets[most_lacking] = {};
};
// So many taps at once, each pixel of dy being read once for all of them.
constexpr int tap_rows_at_once = is_tall ? 3 : 2, tap_columns_at_once = 3;
template <int rows, int columns, class T>
OUT_OF_LINE static void add_taps(const TapTile<T>& of) {
  for_vectors<T>(of.channels, [&](size_t c, int lanes) INLINE_LAMBDA {
    Vec<T> totals[rows][columns];
#pragma GCC unroll 3
    for (int p = 0; p < rows; ++p)
#pragma GCC unroll 3
      for (int q = 0; q < columns; ++q)
        totals[p][q] = load_lanes(of.sums + p * of.sums_row + q * of.channels + c, lanes);
    const T *x = of.x + c, *dy = of.dy + c;
    const auto add = [&](auto meets) INLINE_LAMBDA {
      const Vec<T> d = load_lanes(dy, lanes);
      if (of.x_ahead > 0) __builtin_prefetch(x + of.x_ahead), __builtin_prefetch(dy + of.dy_ahead);
#pragma GCC unroll 3
      for (int q = 0; q < columns; ++q)
        if (meets(size_t(q)))
#pragma GCC unroll 3
          for (int p = 0; p < rows; ++p)
            totals[p][q] = fma(load_lanes(x + p * of.x_row + q * of.x_tap, lanes), d, totals[p][q]);
      x += of.x_step, dy += of.channels;
    };
    size_t count = of.count;
    for (const size_t first : of.first_meets)
      if (first > 0) add([=](size_t q) INLINE_LAMBDA { return q >= first; }), --count;
    int lacking = 0;
    while (lacking < most_lacking && of.last_meets[lacking] < columns) ++lacking;
    for (count -= size_t(lacking); count > 0; --count) add([](size_t) INLINE_LAMBDA { return true; });
    while (lacking > 0) {
      const size_t past = of.last_meets[--lacking];
      add([=](size_t q) INLINE_LAMBDA { return q < past; });
    }
#pragma GCC unroll 3
    for (int p = 0; p < rows; ++p)
#pragma GCC unroll 3
      for (int q = 0; q < columns; ++q)
        store_lanes(of.sums + p * of.sums_row + q * of.channels + c, totals[p][q], lanes);
  });
}
template <int most_rows, int most_columns, class T>
INLINE void add_taps_of(size_t rows, size_t columns, const TapTile<T>& of) {
  if constexpr (most_rows > 1)
    if (rows < most_rows) return add_taps_of<most_rows - 1, most_columns>(rows, columns, of);
  if constexpr (most_columns > 1)
    if (columns < most_columns) return add_taps_of<most_rows, most_columns - 1>(rows, columns, of);
  add_taps<most_rows, most_columns>(of);
}

// sums(taps, channels) += what a stretch of the outputs of a row has, which begin at dy; x is where the image begins.
template <class T>
OUT_OF_LINE static void add_stretch(const ConvolutionShape& shape, const T* x, const T* dy, const MetTaps& rows,
                                    const Stretch& stretch, T* sums) {
  const size_t channels = shape.channels, of_row = shape.width.input * channels;
  const MetTaps& columns = stretch.taps;
  TapTile<T> of{channels, stretch.count};
  of.dy = dy + stretch.first * channels;
  of.x_row = shape.height.dilation * of_row, of.x_tap = shape.width.dilation * channels;
  of.x_step = size_t(stretch.advance) * channels, of.sums_row = shape.width.kernel * channels;
  const EvenCut row_cut(rows.count, tap_rows_at_once), column_cut(columns.count, tap_columns_at_once);
  const T* const first = x + (rows.pixel * ptrdiff_t(of_row) + columns.pixel * ptrdiff_t(channels));
  for (size_t part = 0; part < row_cut.parts; ++part)
    for (size_t across = 0; across < column_cut.parts; ++across) {
      const size_t p = row_cut.first(part), q = column_cut.first(across);
      of.x = first + p * of.x_row + q * of.x_tap;
      of.sums = sums + (rows.tap + p) * of.sums_row + (columns.tap + q) * channels;
      const bool asks = part + across == 0;
      of.x_ahead = asks ? rows.count * of_row : 0, of.dy_ahead = asks ? shape.width.output * channels : 0;
      for (int i = 0; i < most_lacking; ++i) {
        const size_t first_lacks = stretch.first_lack.taps[i], last_meets = columns.count - stretch.last_lack.taps[i];
        of.first_meets[i] = first_lacks > q ? first_lacks - q : 0;
        of.last_meets[i] = last_meets > q ? last_meets - q : 0;
      }
      add_taps_of<tap_rows_at_once, tap_columns_at_once>(row_cut.length(part), column_cut.length(across), of);
    }
}

// sums(taps and the bias, channels) += what outputs `first` to `past` of row i of an image have.
template <class T>
static void add_row(const ConvolutionWeights<T>& task, const T* x, const T* dy, size_t i, size_t first, size_t past,
                    T* sums) {
  const ConvolutionShape& shape = task.shape;
  const size_t channels = shape.channels;
  const T* const dy_row = dy + i * shape.width.output * channels;
  const MetTaps rows = taps_ahead(shape.height, i);
  if (task.with_weights && rows.count > 0)
    for_stretches(shape.width, false, first, past,
                  [&](const Stretch& stretch) INLINE_LAMBDA { add_stretch(shape, x, dy_row, rows, stretch, sums); });
  if (!task.with_bias) return;
  T* const bias = sums + weights_of(shape);
  for_column_groups<T>(channels, [&](auto group, size_t c, int lanes) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    Vec<T> totals[vectors];
    for (int v = 0; v < vectors; ++v) totals[v] = load_column<vectors>(bias + c, v, lanes);
    for (size_t j = first; j < past; ++j)
      for (int v = 0; v < vectors; ++v)
        totals[v] = totals[v] + load_column<vectors>(dy_row + j * channels + c, v, lanes);
    for (int v = 0; v < vectors; ++v) store_column<vectors>(bias + c, v, lanes, totals[v]);
  });
}

// A part is a chunk of images. Sums are made in blocks of whole rows of up to so many pixels, or of a longer row cut
// evenly, and then added.
template <class T>
static void depthwise_weights(const ConvolutionWeights<T>& task, T* workspace) {
  constexpr size_t most_pixels = 256;
  const ConvolutionShape& shape = task.shape;
  const ConvolutionAxis &height = shape.height, &width = shape.width;
  const size_t channels = shape.channels, n = stride_of_chunks(shape), weights = weights_of(shape);
  const size_t chunks = chunks_of(shape);
  const size_t of_x = height.input * width.input * channels, of_dy = height.output * width.output * channels;
  const size_t rows = most_pixels / width.output > 1 ? most_pixels / width.output : 1;
  const EvenCut cut(width.output, most_pixels);
  const size_t begin = task.with_weights ? 0 : weights, wanted = task.with_bias ? n - begin : weights - begin;
  for (size_t chunk = task.first_part; chunk < task.first_part + task.parts; ++chunk) {
    T* const sums = task.sums + chunk * n + begin;
    fill(T(0), wanted, sums);
    const size_t past = shape.batch * (chunk + 1) / chunks;
    for (size_t image = shape.batch * chunk / chunks; image < past; ++image)
      for (size_t row = 0; row < height.output; row += rows)
        for (size_t part = 0; part < cut.parts; ++part) {
          fill(T(0), wanted, workspace + begin);
          for (size_t i = row; i < row + rows && i < height.output; ++i)
            add_row(task, task.x + image * of_x, task.dy + image * of_dy, i, cut.first(part),
                    cut.first(part) + cut.length(part), workspace);
          add(sums, workspace + begin, wanted, sums);
        }
  }
}
