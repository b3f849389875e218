// Pools over windows of an image. Channels run along the lanes. Forward each window is looked at by itself, backward
// each pixel of x collects from the windows that it lies in, in their order: every element is written once, and how the
// rows are cut does not show.
#pragma once
#include "activations-inl.h"
#include "memory-inl.h"
#include "vectors-inl.h"

// n bytes as numbers of the type; the other lanes may hold anything.
template <class T>
INLINE Vec<T> load_bytes(const uint8_t* p, int n) {
  constexpr int lanes = Vec<T>::lanes;
  T numbers[lanes];
  if (n == lanes)
    for (int i = 0; i < lanes; ++i) numbers[i] = T(p[i]);
  else
    for (int i = 0; i < lanes; ++i) numbers[i] = i < n ? T(p[i]) : T(0);
  return load(numbers);
}
template <class T>
INLINE void store_bytes(uint8_t* p, Vec<T> a, int n) {
  constexpr int lanes = Vec<T>::lanes;
  T numbers[lanes];
  store(numbers, a);
  if (n == lanes)
    for (int i = 0; i < lanes; ++i) p[i] = uint8_t(int(numbers[i]));
  else
    for (int i = 0; i < n; ++i) p[i] = uint8_t(int(numbers[i]));
}

// What of a window lies in the image: taps `first` to `end`, the first of which meets pixel `at`.
struct WindowSpan {
  size_t first, end, at;
};
INLINE WindowSpan span_of(const ConvolutionAxis& axis, size_t output) {
  const size_t start = output * axis.stride, left = axis.padding + axis.input - start;
  const size_t first = start < axis.padding ? axis.padding - start : 0;
  return {first, left < axis.kernel ? left : axis.kernel, start + first - axis.padding};
}
// The windows that a pixel lies in; in window i it is tap place − i · stride.
struct MetWindows {
  size_t first, end, place;
};
INLINE MetWindows windows_of(const ConvolutionAxis& axis, size_t pixel) {
  const size_t place = pixel + axis.padding, last = place / axis.stride;
  const size_t first = place < axis.kernel ? 0 : (place - axis.kernel) / axis.stride + 1;
  return {first, last < axis.output ? last + 1 : axis.output, place};
}

// body(rows of the window, its columns, where its image begins in x, where it lies in y)
template <class T, class F>
INLINE void for_pooled(const Pooling<T>& task, F body) {
  const ConvolutionAxis &height = task.height, &width = task.width;
  const size_t of_image = height.input * width.input * task.channels;
  size_t at = task.first_row * width.output * task.channels;
  for (size_t row = task.first_row; row < task.first_row + task.rows; ++row) {
    const WindowSpan rows = span_of(height, row % height.output);
    for (size_t j = 0; j < width.output; ++j, at += task.channels)
      body(rows, span_of(width, j), row / height.output * of_image, at);
  }
}
// The same of pixels of x: body(windows in height, in width, where the image begins in y, where the pixel lies in x)
template <class T, class F>
INLINE void for_unpooled(const Pooling<T>& task, F body) {
  const ConvolutionAxis &height = task.height, &width = task.width;
  const size_t of_image = height.output * width.output * task.channels;
  size_t at = task.first_row * width.input * task.channels;
  for (size_t row = task.first_row; row < task.first_row + task.rows; ++row) {
    const MetWindows rows = windows_of(height, row % height.input);
    for (size_t j = 0; j < width.input; ++j, at += task.channels)
      body(rows, windows_of(width, j), row / height.input * of_image, at);
  }
}

// The first of the largest; a NaN is larger than all, and the first of several stays.
template <class T>
static void max_pool_forward(const Pooling<T>& task) {
  const size_t channels = task.channels, of_row = task.width.input * channels, kernel = task.width.kernel;
  for_pooled(task, [&](WindowSpan rows, WindowSpan columns, size_t image, size_t to) INLINE_LAMBDA {
    const T* const x = task.input + image + rows.at * of_row + columns.at * channels;
    for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
      const Vec<T> one(1), past_row(T(kernel - (columns.end - columns.first)));
      Vec<T> tap(T(rows.first * kernel + columns.first)), best = -infinity<T>(), winner = tap;
      const T* of_tap_row = x + c;
      for (size_t p = rows.first; p < rows.end; ++p, of_tap_row += of_row, tap = tap + past_row)
        for (size_t q = columns.first; q < columns.end; ++q, tap = tap + one) {
          const Vec<T> value = load_lanes(of_tap_row + (q - columns.first) * channels, count);
          const Mask<T> wins = (!(value <= best)) & (best == best);
          best = select(wins, value, best);
          winner = select(wins, tap, winner);
        }
      store_lanes(task.output + to + c, best, count);
      store_bytes(task.winners + to + c, winner, count);
    });
  });
}

// y of what lies where the winners were.
template <class T>
static void max_pool_gather(const Pooling<T>& task) {
  const size_t channels = task.channels, of_row = task.width.input * channels, kernel = task.width.kernel;
  for_pooled(task, [&](WindowSpan rows, WindowSpan columns, size_t image, size_t to) INLINE_LAMBDA {
    const T* const x = task.input + image + rows.at * of_row + columns.at * channels;
    for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
      const Vec<T> winner = load_bytes<T>(task.winners + to + c, count);
      Vec<T> found(0);
      const T* of_tap_row = x + c;
      for (size_t p = rows.first; p < rows.end; ++p, of_tap_row += of_row)
        for (size_t q = columns.first; q < columns.end; ++q)
          found = select(winner == Vec<T>(T(p * kernel + q)),
                         load_lanes(of_tap_row + (q - columns.first) * channels, count), found);
      store_lanes(task.output + to + c, found, count);
    });
  });
}

// Each window writes its own pixels, and none is in two; those that are in none are zeros.
template <class T, class Slope>
static void spread_apart(const Pooling<T>& task, Slope times_slope) {
  const ConvolutionAxis &height = task.height, &width = task.width;
  const size_t channels = task.channels, of_row = width.input * channels, end = task.first_row + task.rows;
  const WindowSpan last = span_of(width, width.output - 1);
  const size_t past_windows = (last.at + last.end - last.first) * channels;
  for (size_t row = task.first_row, rows = 1; row < end; row += rows) {
    const size_t pixel = row % height.input, left = height.input - pixel;
    const MetWindows met = windows_of(height, pixel);
    T* const dx = task.output + row * of_row;
    if (met.first == met.end) {
      fill(T(0), of_row, dx);
      rows = 1;
      continue;
    }
    // Those of one row of windows.
    const size_t tap = met.place - met.first * height.stride;
    rows = left < height.kernel - tap ? left : height.kernel - tap;
    rows = rows < end - row ? rows : end - row;
    const size_t of_windows = (row / height.input * height.output + met.first) * width.output * channels;
    for (size_t j = 0; j < width.output; ++j) {
      const WindowSpan columns = span_of(width, j);
      for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
        const size_t at = of_windows + j * channels + c;
        const Vec<T> winner = load_bytes<T>(task.winners + at, count), one(1);
        const Vec<T> dy = times_slope(load_lanes(task.input + at, count), at, count);
        for (size_t p = 0; p < rows; ++p) {
          T* to = dx + p * of_row + columns.at * channels + c;
          Vec<T> place(T((tap + p) * width.kernel + columns.first));
          for (size_t q = columns.first; q < columns.end; ++q, to += channels, place = place + one)
            store_lanes(to, select(winner == place, dy, Vec<T>(0)), count);
        }
      });
    }
    for (size_t p = 0; p < rows; ++p) fill(T(0), of_row - past_windows, dx + p * of_row + past_windows);
  }
}

// Each pixel adds up what the windows that it lies in have for it.
template <class T, class Slope>
static void collect_from_windows(const Pooling<T>& task, Slope times_slope) {
  const size_t channels = task.channels, of_row = task.width.output * channels;
  for_unpooled(task, [&](MetWindows rows, MetWindows columns, size_t image, size_t to) INLINE_LAMBDA {
    for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
      Vec<T> total(0);
      for (size_t i = rows.first; i < rows.end; ++i)
        for (size_t j = columns.first; j < columns.end; ++j) {
          const size_t tap =
              (rows.place - i * task.height.stride) * task.width.kernel + columns.place - j * task.width.stride;
          const size_t at = image + i * of_row + j * channels + c;
          const Mask<T> won = load_bytes<T>(task.winners + at, count) == Vec<T>(T(tap));
          total = total + select(won, times_slope(load_lanes(task.input + at, count), at, count), Vec<T>(0));
        }
      store_lanes(task.output + to + c, total, count);
    });
  });
}

template <class T, class Slope>
static void spread_to_winners(const Pooling<T>& task, Slope times_slope) {
  const bool apart = task.height.stride == task.height.kernel && task.width.stride == task.width.kernel;
  apart ? spread_apart(task, times_slope) : collect_from_windows(task, times_slope);
}
template <class T>
static void max_pool_backward(const Pooling<T>& task) {
  const T* const gate = task.gate;
  if (!gate) return spread_to_winners(task, [](Vec<T> dy, size_t, int) INLINE_LAMBDA { return dy; });
  spread_to_winners(task, [&](Vec<T> dy, size_t at, int count) INLINE_LAMBDA {
    return dy * activation_slope_from_output(task.gate_kind, task.gate_parameter, load_lanes(gate + at, count));
  });
}

// The elements that a window's average is over.
template <class T>
INLINE T pooled_elements(const Pooling<T>& task, WindowSpan rows, WindowSpan columns) {
  if (task.counts_padding) return T(task.height.kernel * task.width.kernel);
  return T((rows.end - rows.first) * (columns.end - columns.first));
}

// Each row of the window is summed, then the rows.
template <class T>
static void average_pool_forward(const Pooling<T>& task) {
  const size_t channels = task.channels, of_row = task.width.input * channels;
  for_pooled(task, [&](WindowSpan rows, WindowSpan columns, size_t image, size_t to) INLINE_LAMBDA {
    const T* const x = task.input + image + rows.at * of_row + columns.at * channels;
    const Vec<T> elements(pooled_elements(task, rows, columns));
    for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
      Vec<T> total(0);
      for (size_t p = 0; p < rows.end - rows.first; ++p) {
        Vec<T> of_tap_row(0);
        for (size_t q = 0; q < columns.end - columns.first; ++q)
          of_tap_row = of_tap_row + load_lanes(x + p * of_row + q * channels + c, count);
        total = total + of_tap_row;
      }
      store_lanes(task.output + to + c, total / elements, count);
    });
  });
}

template <class T>
static void average_pool_backward(const Pooling<T>& task) {
  const size_t channels = task.channels, of_row = task.width.output * channels;
  for_unpooled(task, [&](MetWindows rows, MetWindows columns, size_t image, size_t to) INLINE_LAMBDA {
    for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
      Vec<T> total(0);
      for (size_t i = rows.first; i < rows.end; ++i)
        for (size_t j = columns.first; j < columns.end; ++j) {
          const T elements = pooled_elements(task, span_of(task.height, i), span_of(task.width, j));
          total = total + load_lanes(task.input + image + i * of_row + j * channels + c, count) / Vec<T>(elements);
        }
      store_lanes(task.output + to + c, total, count);
    });
  });
}
