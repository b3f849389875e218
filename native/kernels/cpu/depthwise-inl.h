// Convolutions of each channel by itself. Channels run along the lanes, and images are read as they lie: taps that meet
// nothing are no terms. Each output sums its taps in their order.
#pragma once
#include "activations-inl.h"
#include "memory-inl.h"
#include "moving-inl.h"
#include "vectors-inl.h"

// The taps that an output sums over along one axis, and the pixels that they meet: both in steps.
struct MetTaps {
  size_t count, tap, tap_step;
  ptrdiff_t pixel, pixel_step;
};
INLINE size_t rounded_up(size_t n, size_t by) { return (n + by - 1) / by; }

// Tap k meets pixel o · stride + k · dilation − padding.
INLINE MetTaps taps_ahead(const ConvolutionAxis& axis, size_t output) {
  const size_t start = output * axis.stride, end = axis.input + axis.padding;
  const size_t first = start < axis.padding ? rounded_up(axis.padding - start, axis.dilation) : 0;
  const size_t past = start < end ? rounded_up(end - start, axis.dilation) : 0;
  const size_t last = past < axis.kernel ? past : axis.kernel;
  const ptrdiff_t pixel = ptrdiff_t(start + first * axis.dilation) - ptrdiff_t(axis.padding);
  return {last > first ? last - first : 0, first, 1, pixel, ptrdiff_t(axis.dilation)};
}
// Back: tap k meets pixel (i + padding − k · dilation) / stride, where it is whole and there is one.
INLINE MetTaps taps_back(const ConvolutionAxis& axis, size_t input) {
  const size_t place = input + axis.padding, dilation = axis.dilation, stride = axis.stride;
  const size_t end = axis.output * stride;  // of the places that pixels have
  const size_t past = place / dilation + 1, last = past < axis.kernel ? past : axis.kernel;
  size_t first = place < end ? 0 : (place - end) / dilation + 1;
  while (first < last && (place - first * dilation) % stride != 0) ++first;
  if (first >= last) return {0, 0, 1, 0, 0};
  size_t step = 1;
  while (step * dilation % stride != 0) ++step;
  const ptrdiff_t pixel = ptrdiff_t((place - first * dilation) / stride);
  return {rounded_up(last - first, step), first, step, pixel, -ptrdiff_t(step * dilation / stride)};
}
// Where neighbouring outputs, `first` to `past`, sum over all taps, whose pixels lie `advance` apart.
struct InnerStretch {
  size_t first, past, advance;
};
INLINE InnerStretch inner_stretch(const ConvolutionAxis& axis, bool back, size_t outputs) {
  const size_t reach = (axis.kernel - 1) * axis.dilation, padding = axis.padding;
  size_t first = 0, past = 0;
  if (!back) {
    first = rounded_up(padding, axis.stride);
    past = axis.input + padding > reach ? (axis.input + padding - reach - 1) / axis.stride + 1 : 0;
  } else if (axis.stride == 1) {
    first = reach > padding ? reach - padding : 0;
    past = axis.output > padding ? axis.output - padding : 0;
  }
  past = past < outputs ? past : outputs;
  return {first, past > first ? past : first, back ? 1 : axis.stride};
}

// One row of outputs of an image that begins at x.
template <class T>
struct DepthwiseRow {
  const Convolution<T>& task;
  const T* x;
  T* y;
  size_t of_row;  // elements of a row of x
  MetTaps rows;
};

// `count` neighbouring outputs from y on. The numbers of taps are known where they are not 0: then the filter stays in
// registers.
template <int known_rows, int known_columns, class T>
static void sum_taps(const DepthwiseRow<T>& row, const MetTaps& columns, T* y, size_t count, size_t advance) {
  const Convolution<T>& task = row.task;
  const size_t channels = task.shape.channels, of_tap_row = task.shape.width.kernel * channels;
  const size_t tap_rows = known_rows ? known_rows : row.rows.count,
               taps = known_columns ? known_columns : columns.count;
  const T* const x = row.x + row.rows.pixel * ptrdiff_t(row.of_row) + columns.pixel * ptrdiff_t(channels);
  const ptrdiff_t x_row = row.rows.pixel_step * ptrdiff_t(row.of_row), x_tap = columns.pixel_step * ptrdiff_t(channels);
  // Of the next row that is read first.
  const ptrdiff_t x_ahead = x_row > 0 ? ptrdiff_t(tap_rows) * x_row : -x_row;
  const T* const w = task.weights + row.rows.tap * of_tap_row + columns.tap * channels;
  const size_t w_row = row.rows.tap_step * of_tap_row, w_tap = columns.tap_step * channels;
  for_vectors<T>(channels, [&](size_t c, int lanes) INLINE_LAMBDA {
    Vec<T> filter[known_rows ? known_rows : 1][known_columns ? known_columns : 1];
    for (int p = 0; p < known_rows; ++p)
      for (int q = 0; q < known_columns; ++q) filter[p][q] = load_lanes(w + p * w_row + q * w_tap + c, lanes);
    const Vec<T> bias = task.bias ? load_lanes(task.bias + c, lanes) : Vec<T>(0);
    for (size_t i = 0; i < count; ++i) {
      const T* const from = x + i * advance * channels + c;
      T* const to = y + i * channels + c;
      Vec<T> total(0);
      for (size_t p = 0; p < tap_rows; ++p)
        for (size_t q = 0; q < taps; ++q) {
          const Vec<T> weight = known_rows ? filter[p][q] : load_lanes(w + p * w_row + q * w_tap + c, lanes);
          total = fma(load_lanes(from + ptrdiff_t(p) * x_row + ptrdiff_t(q) * x_tap, lanes), weight, total);
        }
      if (known_rows) __builtin_prefetch(from + x_ahead);
      if (task.beta != 0) total = fma(Vec<T>(task.beta), load_lanes(to, lanes), total);
      store_lanes(to, total + bias, lanes);
    }
  });
}
template <class T>
static void sum_taps(const DepthwiseRow<T>& row, const MetTaps& columns, size_t output, size_t count, size_t advance) {
  T* const y = row.y + output * row.task.shape.channels;
  if (row.rows.count == 3 && columns.count == 3) return sum_taps<3, 3>(row, columns, y, count, advance);
  sum_taps<0, 0>(row, columns, y, count, advance);
}

template <class T>
static void depthwise(const Convolution<T>& task) {
  const ConvolutionAxis &height = task.shape.height, &width = task.shape.width;
  const bool back = task.transposed;
  const size_t channels = task.shape.channels, of_image = task.rows_of_image();
  const size_t outputs = back ? width.input : width.output, n = outputs * channels;
  const size_t inputs = back ? width.output : width.input, input_rows = back ? height.output : height.input;
  const auto taps_of = [&](const ConvolutionAxis& axis, size_t output)
                           INLINE_LAMBDA { return back ? taps_back(axis, output) : taps_ahead(axis, output); };
  const InnerStretch inner = inner_stretch(width, back, outputs);
  for (size_t i = task.first_row; i < task.first_row + task.rows; ++i) {
    T* const y = task.output + i * n;
    const DepthwiseRow<T> row{task, task.input + i / of_image * input_rows * inputs * channels, y, inputs * channels,
                              taps_of(height, i % of_image)};
    for (size_t j = 0; j < outputs;) {
      const size_t count = j == inner.first && inner.past > j ? inner.past - j : 1;
      sum_taps(row, taps_of(width, j), j, count, inner.advance);
      j += count;
    }
    if (task.activation != Activation::identity)
      activation_forward(task.activation, task.activation_parameter, y, n, y);
    const T* const gate = task.gate ? task.gate + i * n : nullptr;
    if (gate) activation_backward(task.gate_kind, task.gate_parameter, gate, gate, y, n, y);
    if (task.nonfinite) find_nonfinite(y, n, *task.nonfinite);
  }
}

// The outputs, `first` to `past`, of which a tap meets a pixel.
struct MeetingOutputs {
  size_t first, past;
};
INLINE MeetingOutputs outputs_meeting(const ConvolutionAxis& axis, size_t tap) {
  const size_t offset = tap * axis.dilation, end = axis.input + axis.padding;
  const size_t first = offset < axis.padding ? rounded_up(axis.padding - offset, axis.stride) : 0;
  const size_t past = offset < end ? rounded_up(end - offset, axis.stride) : 0;
  return {first, past < axis.output ? past : axis.output};
}

// sums(taps and the bias, channels) += what outputs `first` to `past` of row i of an image have.
template <class T>
static void add_taps(const ConvolutionWeights<T>& task, const T* x, const T* dy, size_t i, size_t first, size_t past,
                     T* sums) {
  const ConvolutionAxis &height = task.shape.height, &width = task.shape.width;
  const size_t channels = task.shape.channels, x_advance = width.stride * channels;
  const T* const dy_row = dy + i * width.output * channels;
  for_column_groups<T>(channels, [&](auto group, size_t c, int lanes) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    const auto add = [&](T* to, size_t from, size_t end, auto term) INLINE_LAMBDA {
      Vec<T> total[vectors];
      for (int v = 0; v < vectors; ++v) total[v] = load_column<vectors>(to, v, lanes);
      for (size_t j = from; j < end; ++j)
        for (int v = 0; v < vectors; ++v)
          total[v] = term(total[v], load_column<vectors>(dy_row + j * channels + c, v, lanes), j, v);
      for (int v = 0; v < vectors; ++v) store_column<vectors>(to, v, lanes, total[v]);
    };
    for (size_t p = 0; task.with_weights && p < height.kernel; ++p) {
      const size_t place = i * height.stride + p * height.dilation;
      if (place < height.padding || place - height.padding >= height.input) continue;
      const T* const x_row = x + (place - height.padding) * width.input * channels + c;
      for (size_t q = 0; q < width.kernel; ++q) {
        const MeetingOutputs meeting = outputs_meeting(width, q);
        const size_t from = meeting.first > first ? meeting.first : first,
                     end = meeting.past < past ? meeting.past : past;
        const ptrdiff_t at = (ptrdiff_t(q * width.dilation) - ptrdiff_t(width.padding)) * ptrdiff_t(channels);
        add(sums + (p * width.kernel + q) * channels + c, from, end,
            [&](Vec<T> total, Vec<T> d, size_t j, int v) INLINE_LAMBDA {
              return fma(load_column<vectors>(x_row + (ptrdiff_t(j * x_advance) + at), v, lanes), d, total);
            });
      }
    }
    if (task.with_bias)
      add(sums + taps_of(task.shape) * channels + c, first, past,
          [](Vec<T> total, Vec<T> d, size_t, int) INLINE_LAMBDA { return total + d; });
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
            add_taps(task, task.x + image * of_x, task.dy + image * of_dy, i, cut.first(part),
                     cut.first(part) + cut.length(part), workspace);
          add(sums, workspace + begin, wanted, sums);
        }
  }
}
