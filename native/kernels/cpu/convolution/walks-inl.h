// How a convolution walks over the pixels of an image. Forward there is one walk in each dimension. Transposed there is
// one for each phase of the stride: the outputs that lie a stride apart meet the same taps of the kernel, so that each
// walk is a convolution of stride 1 by its share of the taps.

// One dimension: output o of the walk, the pixel first + o · pitch, meets with tap t the input pixel
// origin + o · stride + t · step, which may lie outside, and the kernel's tap kernel + t · kernel_step.
struct Walk {
  size_t outputs, first, pitch;
  ptrdiff_t origin;
  size_t stride, taps, step;
  ptrdiff_t kernel, kernel_step;
  size_t inputs;  // pixels of the input
};

INLINE Walk forward_walk(const ConvolutionAxis& axis) {
  return {axis.output, 0, 1,         -static_cast<ptrdiff_t>(axis.padding), axis.stride, axis.kernel, axis.dilation,
          0,           1, axis.input};
}

// Pixel p of x meets tap t of the kernel where p + padding − t · dilation is a multiple of the stride, which is so for
// each (stride / divisor)-th tap; later taps meet earlier pixels of y, so they are walked from the last to the first.
static Walk transposed_walk(const ConvolutionAxis& axis, size_t phase) {
  size_t divisor = axis.stride, rest = axis.dilation;
  while (rest > 0) {
    const size_t next = divisor % rest;
    divisor = rest, rest = next;
  }
  Walk walk{};
  walk.outputs = phase < axis.input ? (axis.input - phase - 1) / axis.stride + 1 : 0;
  walk.first = phase, walk.pitch = axis.stride;
  walk.stride = 1, walk.step = axis.dilation / divisor;
  walk.inputs = axis.output;
  const size_t place = phase + axis.padding, jump = axis.stride / divisor;
  size_t tap = 0;
  while (tap < jump && (place + tap * (axis.stride - 1) * axis.dilation) % axis.stride != 0) ++tap;
  if (tap >= jump || tap >= axis.kernel) return walk;  // no taps
  walk.taps = (axis.kernel - 1 - tap) / jump + 1;
  const ptrdiff_t last = static_cast<ptrdiff_t>(tap + (walk.taps - 1) * jump);
  walk.kernel = last, walk.kernel_step = -static_cast<ptrdiff_t>(jump);
  walk.origin = (static_cast<ptrdiff_t>(place) - last * static_cast<ptrdiff_t>(axis.dilation)) /
                static_cast<ptrdiff_t>(axis.stride);
  return walk;
}

// The outputs of a walk below this pixel.
INLINE size_t outputs_below(const Walk& walk, size_t pixel) {
  const size_t outputs = pixel <= walk.first ? 0 : (pixel - walk.first - 1) / walk.pitch + 1;
  return outputs < walk.outputs ? outputs : walk.outputs;
}

// From one number to below another.
struct Range {
  size_t first, past;
  INLINE_PLAIN bool operator==(const Range& other) const { return first == other.first && past == other.past; }
  INLINE_PLAIN size_t length() const { return past - first; }
  // What both have; an empty one begins where this one does.
  INLINE_PLAIN Range within(size_t from, size_t to) const {
    const size_t low = first > from ? first : from, high = past < to ? past : to;
    return low < high ? Range{low, high} : Range{from, from};
  }
};
// The numbers i below `count` for which at + i · step is one of so many pixels.
INLINE Range pixels_inside(ptrdiff_t at, size_t step, size_t count, size_t pixels) {
  const ptrdiff_t by = static_cast<ptrdiff_t>(step), left = static_cast<ptrdiff_t>(pixels) - at;
  const size_t first = at < 0 ? static_cast<size_t>((by - 1 - at) / by) : 0;
  const size_t past = left > 0 ? static_cast<size_t>((left + by - 1) / by) : 0;
  return Range{first, past}.within(0, count);
}
// The taps that an output meets within the image, and the outputs that a tap meets there.
INLINE Range taps_inside(const Walk& walk, size_t output) {
  return pixels_inside(walk.origin + static_cast<ptrdiff_t>(output * walk.stride), walk.step, walk.taps, walk.inputs);
}
INLINE Range outputs_inside(const Walk& walk, size_t tap) {
  return pixels_inside(walk.origin + static_cast<ptrdiff_t>(tap * walk.step), walk.stride, walk.outputs, walk.inputs);
}

// body(stretch, range) for each stretch of the numbers below `count` that have the same range. Ranges that hold
// something only ever move one way, so that the end of a stretch is found by halving.
template <class R, class F>
INLINE void for_equal_ranges(size_t count, R range_of, F body) {
  for (size_t first = 0, past = 0; first < count; first = past) {
    const Range range = range_of(first);
    past = first + 1;
    for (size_t end = count; past < end;) {
      const size_t probe = range.length() > 0 ? past + (end - past) / 2 : past;
      if (range_of(probe) == range)
        past = probe + 1;
      else
        end = probe;
    }
    body(Range{first, past}, range);
  }
}

struct Phase {
  Walk height, width;
  size_t taps_before;  // of the phases before it
};
INLINE size_t taps_of(const Phase& phase) { return phase.height.taps * phase.width.taps; }

template <class T, class F>
INLINE void for_phases(const Convolution<T>& task, F body) {
  const ConvolutionShape& shape = task.shape;
  if (!task.transposed) return body(Phase{forward_walk(shape.height), forward_walk(shape.width), 0});
  size_t taps = 0;
  for (size_t i = 0; i < shape.height.stride; ++i)
    for (size_t j = 0; j < shape.width.stride; ++j) {
      const Phase phase{transposed_walk(shape.height, i), transposed_walk(shape.width, j), taps};
      body(phase);
      taps += taps_of(phase);
    }
}

// What so many outputs from `first` on read: pixels of the input, from `at` on.
struct Window {
  ptrdiff_t at;
  size_t length, inputs;
};
INLINE Window window_of(const Walk& walk, size_t first, size_t outputs) {
  return {walk.origin + static_cast<ptrdiff_t>(first * walk.stride),
          (outputs - 1) * walk.stride + (walk.taps - 1) * walk.step + 1, walk.inputs};
}
INLINE bool is_inside(const Window& window) {
  return window.at >= 0 && static_cast<size_t>(window.at) + window.length <= window.inputs;
}

// Outputs of both walks, of some images.
struct Band {
  size_t image, images, row, rows, column, columns;
};

// Where the pixel lies that the first tap of a band's first output meets, and how far it is to the next.
template <class T>
struct Area {
  const T* at;
  size_t row, image;
};

// Neither calls nor masks for what a border takes: it is short.
template <class T>
INLINE void put_zeros(T* to, size_t n) {
  const Vec<T> zero(T(0));
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA { store_lanes(to + i, zero, count); });
}

// The images as they lie, or a copy of what the band reads of them, with zeros at the left and right, where it reads
// beyond their ends. Nobody reads rows that are not there, nor columns where those are no terms.
template <class T>
static Area<T> area_of(const T* images, size_t channels, const Phase& phase, const Band& band, bool all_inside, T* to) {
  const Window rows = window_of(phase.height, band.row, band.rows);
  const Window columns = window_of(phase.width, band.column, band.columns);
  const size_t row = columns.inputs * channels, image = rows.inputs * row;
  images += band.image * image;
  if (all_inside || is_inside(columns)) {
    const ptrdiff_t first = rows.at * static_cast<ptrdiff_t>(columns.inputs) + columns.at;
    return {images + first * static_cast<ptrdiff_t>(channels), row, image};
  }
  const ptrdiff_t end = columns.at + static_cast<ptrdiff_t>(columns.length),
                  inputs = static_cast<ptrdiff_t>(columns.inputs);
  const ptrdiff_t from = columns.at > 0 ? columns.at : 0, past = end < inputs ? end : inputs;
  const size_t inside = past > from ? static_cast<size_t>(past - from) * channels : 0;
  const size_t to_row = columns.length * channels;
  const size_t before = inside ? static_cast<size_t>(from - columns.at) * channels : to_row,
               after = to_row - before - inside;
  T* const copied = to;
  for (size_t i = 0; i < band.images; ++i, images += image)
    for (size_t r = 0; r < rows.length; ++r, to += to_row) {
      const ptrdiff_t at = rows.at + static_cast<ptrdiff_t>(r);
      if (at < 0 || at >= static_cast<ptrdiff_t>(rows.inputs)) continue;
      put_zeros(to, before);
      copy(images + at * row + from * channels, inside, to + before);
      put_zeros(to + before + inside, after);
    }
  return {copied, to_row, rows.length * to_row};
}
