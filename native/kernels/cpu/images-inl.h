// Images framed, cropped and made larger, and channels dropped. Channels run along the lanes.
#pragma once
#include "memory-inl.h"
#include "vectors-inl.h"

// Pixels of y `first` to `end` are those of x from `at` on, the others zero.
struct FrameSpan {
  size_t first, end, at;
};
static FrameSpan span_of(const FrameAxis& axis) {
  const size_t added = axis.before > 0 ? static_cast<size_t>(axis.before) : 0;
  const size_t taken = axis.before < 0 ? static_cast<size_t>(-axis.before) : 0;
  const size_t first = added < axis.output ? added : axis.output, there = taken < axis.input ? axis.input - taken : 0;
  return {first, there < axis.output - first ? first + there : axis.output, taken};
}

template <class T>
static void frame_images(const Framing<T>& task) {
  const size_t channels = task.channels, of_row = task.width.output * channels;
  const FrameSpan rows = span_of(task.height), columns = span_of(task.width);
  const size_t before = columns.first * channels, inside = (columns.end - columns.first) * channels;
  T* y = task.y + task.first_row * of_row;
  for (size_t row = task.first_row; row < task.first_row + task.rows; ++row, y += of_row) {
    const size_t i = row % task.height.output;
    if (i < rows.first || i >= rows.end) {
      fill(T(0), of_row, y);
      continue;
    }
    const size_t from = row / task.height.output * task.height.input + rows.at + i - rows.first;
    fill(T(0), before, y);
    copy(task.x + (from * task.width.input + columns.at) * channels, inside, y + before);
    fill(T(0), of_row - before - inside, y + before + inside);
  }
}

// y(image, pixel, channel) = x · factors(image, channel)
template <class T>
static void multiply_channels(const T* x, const T* factors, size_t images, size_t pixels, size_t channels, T* y) {
  for (size_t image = 0; image < images; ++image, factors += channels)
    for (size_t pixel = 0; pixel < pixels; ++pixel, x += channels, y += channels)
      for_vectors<T>(channels, [=](size_t c, int count) INLINE_LAMBDA {
        store_lanes(y + c, load_lanes(x + c, count) * load_lanes(factors + c, count), count);
      });
}

// ---- Upsampling. In one dimension pixel i of y is (1 − share) · x[low] + share · x[high]: with half-pixel centres it
// lies at (i + ½) / factor − ½.
template <class T>
struct UpsampledFrom {
  size_t low, high;
  T share;  // of high
};
template <class T>
static UpsampledFrom<T> upsampled_from(size_t i, size_t factor, size_t input, bool bilinear) {
  if (!bilinear) return {i / factor, i / factor, 0};
  if (2 * i + 1 < factor) return {0, 0, 0};
  const size_t place = 2 * i + 1 - factor, low = place / (2 * factor);  // in units of 1 / (2 · factor)
  const size_t high = low + 1 < input ? low + 1 : input - 1;
  return {low, high, T(place % (2 * factor)) / T(2 * factor)};
}
// Its derivative by pixel h of x.
template <class T>
static T upsampling_weight(const UpsampledFrom<T>& from, size_t h) {
  return (from.low == h ? 1 - from.share : T(0)) + (from.high == h ? from.share : T(0));
}
// The pixels of y, `first` to `end`, in which pixel h of x has a share.
struct UpsampledTo {
  size_t first, end;
};
static UpsampledTo upsampled_to(size_t h, size_t factor, size_t input, bool bilinear) {
  if (!bilinear) return {h * factor, (h + 1) * factor};
  const size_t centre = 2 * h * factor, end = (centre + 3 * factor) / 2;
  const size_t first = centre > factor ? (centre - factor) / 2 : 0;
  return {first, end < input * factor ? end : input * factor};
}

template <class T>
static void upsample(const Upsampling<T>& task) {
  const size_t channels = task.channels, height = task.height * task.height_factor,
               width = task.width * task.width_factor, of_row = task.width * channels;
  T* y = task.output + task.first_row * width * channels;
  for (size_t row = task.first_row; row < task.first_row + task.rows; ++row) {
    const auto rows = upsampled_from<T>(row % height, task.height_factor, task.height, task.bilinear);
    const T* const image = task.input + row / height * task.height * of_row;
    const T *const low = image + rows.low * of_row, *const high = image + rows.high * of_row;
    for (size_t j = 0; j < width; ++j, y += channels) {
      const auto columns = upsampled_from<T>(j, task.width_factor, task.width, task.bilinear);
      const size_t left = columns.low * channels, right = columns.high * channels;
      if (!task.bilinear) {
        copy(low + left, channels, y);
        continue;
      }
      const Vec<T> share(columns.share), rest(1 - columns.share), share_below(rows.share), rest_above(1 - rows.share);
      for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
        const auto between = [&](const T* x) INLINE_LAMBDA {
          return fma(share, load_lanes(x + right + c, count), rest * load_lanes(x + left + c, count));
        };
        store_lanes(y + c, fma(share_below, between(high), rest_above * between(low)), count);
      });
    }
  }
}

template <class T>
static void upsample_backward(const Upsampling<T>& task) {
  const size_t channels = task.channels, height = task.height * task.height_factor,
               width = task.width * task.width_factor;
  T* dx = task.output + task.first_row * task.width * channels;
  for (size_t row = task.first_row; row < task.first_row + task.rows; ++row) {
    const size_t h = row % task.height;
    const T* const image = task.input + row / task.height * height * width * channels;
    const UpsampledTo rows = upsampled_to(h, task.height_factor, task.height, task.bilinear);
    for (size_t w = 0; w < task.width; ++w, dx += channels) {
      const UpsampledTo columns = upsampled_to(w, task.width_factor, task.width, task.bilinear);
      for_vectors<T>(channels, [&](size_t c, int count) INLINE_LAMBDA {
        Vec<T> total(0);
        for (size_t i = rows.first; i < rows.end; ++i) {
          const T of_row = upsampling_weight(upsampled_from<T>(i, task.height_factor, task.height, task.bilinear), h);
          for (size_t j = columns.first; j < columns.end; ++j) {
            const T weight =
                of_row * upsampling_weight(upsampled_from<T>(j, task.width_factor, task.width, task.bilinear), w);
            total = fma(Vec<T>(weight), load_lanes(image + (i * width + j) * channels + c, count), total);
          }
        }
        store_lanes(dx + c, total, count);
      });
    }
  }
}
