// From a dataset's images to those of a batch. All of it is one operation after the other in every instruction set.
#pragma once
#include "memory-inl.h"
#include "vectors-inl.h"

// The pixel that stands for pixel i of a dimension of n; below 0: none, there are zeros.
static ptrdiff_t pixel_for(ptrdiff_t i, ptrdiff_t n, Fill fill) {
  if (i >= 0 && i < n) return i;
  if (fill == Fill::zero) return -1;
  if (fill == Fill::edge || n == 1) return i < 0 ? 0 : n - 1;
  const ptrdiff_t period = 2 * (n - 1), at = (i % period + period) % period;
  return at < n ? at : period - at;
}

// The elements x, n of them, as numbers; they begin at element `at` of a row.
template <class T, class From>
static void convert_line(const ImageConversion<T>&, const From* x, size_t n, size_t, T* y) {
  for (size_t k = 0; k < n; ++k) y[k] = T(x[k]);
}
template <class T>
static void convert_line(const ImageConversion<T>& task, const uint8_t* x, size_t n, size_t at, T* y) {
  const double *const scales = task.scales + at, *const offsets = task.offsets + at;
  for (size_t k = 0; k < n; ++k) y[k] = fused(T(x[k]), T(scales[k]), T(offsets[k]));
}

// Pixels from x on backwards, `channels` elements each.
template <size_t channels, class From>
static void reverse_pixels(const From* x, size_t pixels, From* to) {
  for (size_t j = 0; j < pixels; ++j, x -= channels, to += channels)
    for (size_t c = 0; c < channels; ++c) to[c] = x[c];
}

// A row of pixels from a row x, whose pixel start + step · j becomes pixel j; step is 1 or −1.
template <class T, class From>
static void convert_row(const ImageConversion<T>& task, const From* x, ptrdiff_t start, ptrdiff_t step, T* y) {
  constexpr size_t most = 1024;  // elements turned around at once
  const size_t channels = task.channels;
  const ptrdiff_t width = ptrdiff_t(task.width);
  const auto within = [&](ptrdiff_t j) INLINE_LAMBDA { return j < 0 ? 0 : j < width ? j : width; };
  const ptrdiff_t first = within(step > 0 ? -start : start - width + 1);
  const ptrdiff_t inside = within(step > 0 ? width - start : start + 1), end = inside > first ? inside : first;
  const auto convert_beyond = [&](ptrdiff_t from, ptrdiff_t to) INLINE_LAMBDA {
    for (ptrdiff_t j = from; j < to; ++j) {
      const ptrdiff_t source = pixel_for(start + step * j, width, task.fill);
      const size_t at = size_t(j) * channels;
      if (source < 0)
        fill(T(0), channels, y + at);
      else
        convert_line(task, x + source * ptrdiff_t(channels), channels, at, y + at);
    }
  };
  convert_beyond(0, first);
  convert_beyond(end, width);
  const auto from = [&](ptrdiff_t j) INLINE_LAMBDA { return x + (start + step * j) * ptrdiff_t(channels); };
  if (step > 0) {
    if (first < end)
      convert_line(task, from(first), size_t(end - first) * channels, size_t(first) * channels,
                   y + size_t(first) * channels);
    return;
  }
  From line[most];
  const size_t at_once = channels == 1 || channels == 3 ? most / channels : 1;
  for (size_t j = size_t(first); j < size_t(end); j += at_once) {
    const size_t left = size_t(end) - j, pixels = left < at_once ? left : at_once;
    const From* source = from(ptrdiff_t(j));
    if (channels == 1) reverse_pixels<1>(source, pixels, line);
    if (channels == 3) reverse_pixels<3>(source, pixels, line);
    if (at_once > 1) source = line;
    convert_line(task, source, pixels * channels, j * channels, y + j * channels);
  }
}

// An image whose pixels come from whole places.
template <class T, class From>
static void convert_whole(const ImageConversion<T>& task, const ImageChange& change, const From* image, T* y) {
  const size_t of_row = task.width * task.channels;
  const ptrdiff_t top = ptrdiff_t(change.row[0]), down = change.row[1] < 0 ? -1 : 1;
  const ptrdiff_t left = ptrdiff_t(change.column[0]), right = change.column[2] < 0 ? -1 : 1;
  for (size_t i = 0; i < task.height; ++i, y += of_row) {
    const ptrdiff_t row = pixel_for(top + down * ptrdiff_t(i), ptrdiff_t(task.height), task.fill);
    if (row < 0)
      fill(T(0), of_row, y);
    else
      convert_row(task, image + size_t(row) * of_row, left, right, y);
  }
}

// One dimension of a place between pixels: the pixels before and after it, below 0 for zeros, and the share of the
// latter.
template <class T>
struct Between {
  ptrdiff_t low, high;
  T share;
};
template <class T>
static Between<T> between(double place, size_t n, Fill fill) {
  ptrdiff_t low = ptrdiff_t(place);
  if (double(low) > place) --low;
  return {pixel_for(low, ptrdiff_t(n), fill), pixel_for(low + 1, ptrdiff_t(n), fill), T(place - double(low))};
}

// An image of numbers whose pixels come from anywhere.
template <class T>
static void convert_between(const ImageConversion<T>& task, const ImageChange& change, const T* image, T* y) {
  const size_t channels = task.channels, of_row = task.width * channels;
  for (size_t i = 0; i < task.height; ++i)
    for (size_t j = 0; j < task.width; ++j, y += channels) {
      const auto place = [&](const double* of) INLINE_LAMBDA { return of[0] + of[1] * double(i) + of[2] * double(j); };
      const Between<T> rows = between<T>(place(change.row), task.height, task.fill);
      const Between<T> columns = between<T>(place(change.column), task.width, task.fill);
      const T *const above = image + (rows.low < 0 ? 0 : size_t(rows.low) * of_row),
                     *const below = image + (rows.high < 0 ? 0 : size_t(rows.high) * of_row);
      const size_t left = columns.low < 0 ? 0 : size_t(columns.low) * channels,
                   right = columns.high < 0 ? 0 : size_t(columns.high) * channels;
      const T of_above = rows.low < 0 ? T(0) : 1 - rows.share, of_below = rows.high < 0 ? T(0) : rows.share;
      const T of_left = columns.low < 0 ? T(0) : 1 - columns.share, of_right = columns.high < 0 ? T(0) : columns.share;
      for (size_t c = 0; c < channels; ++c)
        y[c] = of_above * (of_left * above[left + c] + of_right * above[right + c]) +
               of_below * (of_left * below[left + c] + of_right * below[right + c]);
    }
}

// The grey of a pixel: ITU-R BT.601.
template <class T>
INLINE T grey_of(T red, T green, T blue) {
  return T(0.299) * red + T(0.587) * green + T(0.114) * blue;
}

// An image of bytes as numbers, its colours changed on the way: as v · own + grey · of_grey + constant.
template <class T>
static void convert_coloured(const ImageConversion<T>& task, const ImageChange& change, const uint8_t* x, T* y) {
  const size_t pixels = task.height * task.width, channels = task.channels, of_row = task.width * channels;
  uint64_t sums[3] = {0, 0, 0};
  for (size_t i = 0; i < pixels * channels; i += channels)
    for (size_t c = 0; c < channels; ++c) sums[c] += x[i + c];
  const double n = double(pixels), mean = channels == 3 ? grey_of(sums[0] / n, sums[1] / n, sums[2] / n) : sums[0] / n;
  const double contrasted = change.brightness * change.contrast;
  const T own = T(channels == 3 ? change.saturation * contrasted : contrasted);
  const T of_grey = T(channels == 3 ? (1 - change.saturation) * contrasted : 0);
  const T constant = T((1 - change.contrast) * change.brightness * mean);
  for (size_t i = 0; i < task.height; ++i, x += of_row, y += of_row)
    for (size_t j = 0; j < of_row; j += channels) {
      const T grey = channels == 3 ? grey_of(T(x[j]), T(x[j + 1]), T(x[j + 2])) : T(0);
      for (size_t c = 0; c < channels; ++c) {
        const T value = own * T(x[j + c]) + (of_grey * grey + constant);
        const T held = value < 0 ? T(0) : value > 255 ? T(255) : value;
        y[j + c] = fused(held, T(task.scales[j + c]), T(task.offsets[j + c]));
      }
    }
}

template <class T, class From>
static void convert_image(const ImageConversion<T>& task, const ImageChange& change, const From* image, T* workspace,
                          T* y) {
  if (change.is_whole) return convert_whole(task, change, image, y);
  const size_t of_row = task.width * task.channels;
  for (size_t i = 0; i < task.height; ++i) convert_line(task, image + i * of_row, of_row, 0, workspace + i * of_row);
  convert_between(task, change, workspace, y);
}

template <class T>
static void convert_images_from(const ImageConversion<T>& task, const ImageChange& change, T* workspace, T* y) {
  const auto from = [&](auto element) INLINE_LAMBDA {
    const auto* const all = reinterpret_cast<const decltype(element)*>(task.data);
    convert_image(task, change, all + change.example * task.elements(), workspace, y);
  };
  switch (task.type) {
    case ElementType::float32:
      return from(float());
    case ElementType::float64:
      return from(double());
    case ElementType::int32:
      return from(int32_t());
    case ElementType::uint8:
      if (!change.is_coloured) return from(uint8_t());
      convert_coloured(task, change, task.data + change.example * task.elements(), workspace);
      change.is_whole ? convert_whole(task, change, workspace, y) : convert_between(task, change, workspace, y);
  }
}

template <class T>
static void convert_images(const ImageConversion<T>& task, T* workspace) {
  const size_t of_row = task.width * task.channels;
  for (size_t image = 0; image < task.images; ++image) {
    T* const y = task.to + image * task.elements();
    convert_images_from(task, task.changes[image], workspace, y);
    for (size_t i = 0; i < task.erasures; ++i) {
      const Rectangle& area = task.erased[image * task.erasures + i];
      for (size_t row = area.top; row < area.bottom; ++row)
        fill(T(0), (area.right - area.left) * task.channels, y + row * of_row + area.left * task.channels);
    }
  }
}

template <class T>
static void mix_examples(const Mixing<T>& task) {
  const size_t n = task.elements(), of_row = task.width * task.channels;
  for (size_t i = 0; i < task.examples; ++i) {
    T* const y = task.y + i * n;
    const T* const other = task.other + i * n;
    if (task.areas) {
      const Rectangle& area = task.areas[i];
      for (size_t row = area.top; row < area.bottom; ++row) {
        const size_t at = row * of_row + area.left * task.channels;
        copy(other + at, (area.right - area.left) * task.channels, y + at);
      }
      continue;
    }
    const Vec<T> share(task.shares[i]), rest(1 - task.shares[i]);
    for_vectors<T>(n, [=](size_t j, int count) INLINE_LAMBDA {
      store_lanes(y + j, fma(rest, load_lanes(other + j, count), share * load_lanes(y + j, count)), count);
    });
  }
}
