// Which taps an output of a convolution meets pixels with, along one axis, and which outputs go together.

// The taps that an output sums over along one axis, and the pixels that they meet: both in steps.
struct MetTaps {
  size_t count, tap, tap_step;
  ptrdiff_t pixel, pixel_step;
};
// Steps of 1 are spared the division.
INLINE size_t quotient(size_t n, size_t by) { return by == 1 ? n : n / by; }
INLINE size_t rounded_up(size_t n, size_t by) { return by == 1 ? n : (n + by - 1) / by; }
INLINE bool is_multiple(size_t n, size_t by) { return by == 1 || n % by == 0; }

// Tap k meets pixel o · stride + k · dilation − padding.
INLINE MetTaps taps_ahead(const ConvolutionAxis& axis, size_t output) {
  const size_t start = output * axis.stride, end = axis.input + axis.padding;
  const size_t first = start < axis.padding ? rounded_up(axis.padding - start, axis.dilation) : 0;
  const size_t past = start < end ? rounded_up(end - start, axis.dilation) : 0;
  const size_t last = past < axis.kernel ? past : axis.kernel;
  const ptrdiff_t pixel = ptrdiff_t(start + first * axis.dilation) - ptrdiff_t(axis.padding);
  return {last > first ? last - first : 0, first, 1, pixel, ptrdiff_t(axis.dilation)};
}
// From a tap to the next one that meets a pixel, on the way back.
INLINE size_t step_of_taps(const ConvolutionAxis& axis) {
  size_t step = 1;
  while (!is_multiple(step * axis.dilation, axis.stride)) ++step;
  return step;
}
// Back: tap k meets pixel (i + padding − k · dilation) / stride, where it is whole and there is one.
INLINE MetTaps taps_back(const ConvolutionAxis& axis, size_t input) {
  const size_t place = input + axis.padding, dilation = axis.dilation, stride = axis.stride;
  const size_t end = axis.output * stride;  // of the places that pixels have
  const size_t past = quotient(place, dilation) + 1, last = past < axis.kernel ? past : axis.kernel;
  size_t first = place < end ? 0 : quotient(place - end, dilation) + 1;
  while (first < last && !is_multiple(place - first * dilation, stride)) ++first;
  if (first >= last) return {0, 0, 1, 0, 0};
  const size_t step = step_of_taps(axis);
  const ptrdiff_t pixel = ptrdiff_t(quotient(place - first * dilation, stride));
  return {rounded_up(last - first, step), first, step, pixel, -ptrdiff_t(quotient(step * dilation, stride))};
}
// Outputs, `first` to `past`, that meet all taps.
struct Inner {
  size_t first, past;
};
INLINE Inner inner_ahead(const ConvolutionAxis& axis) {
  const size_t reach = (axis.kernel - 1) * axis.dilation, end = axis.input + axis.padding;
  return {rounded_up(axis.padding, axis.stride), end > reach ? quotient(end - reach - 1, axis.stride) + 1 : 0};
}
// Back: all of those that this one and others whole strides from it can meet.
INLINE Inner inner_back(const ConvolutionAxis& axis, size_t input) {
  const size_t padding = axis.padding, dilation = axis.dilation, stride = axis.stride;
  size_t tap = 0;
  while (tap < axis.kernel && !is_multiple(input + padding + tap * dilation * (stride - 1), stride)) ++tap;
  if (tap == axis.kernel) return {0, axis.input};
  const size_t step = step_of_taps(axis), reach = (tap + quotient(axis.kernel - 1 - tap, step) * step) * dilation;
  const size_t end = axis.output * stride + tap * dilation;
  return {reach > padding ? reach - padding : 0, end > padding ? end - padding : 0};
}

// How many taps the outputs at an end of a stretch lack, from its outermost one on.
constexpr int most_lacking = 2;
struct Lacking {
  size_t outputs = 0, taps[most_lacking] = {};
};
// Outputs `step` apart, each of which meets pixels `advance` further than the one before: all the same taps, but that
// some at its begin lack the first few of them, and some at its end the last few. Pixels are those of the first output.
struct Stretch {
  size_t first, count;
  ptrdiff_t step, advance;
  MetTaps taps;
  Lacking first_lack = {}, last_lack = {};
};
// How many of all taps an output lacks that meets the last of them, or the first ones.
INLINE size_t lacking_first(const MetTaps& all, const MetTaps& met) {
  const size_t lacking = all.count - met.count;
  return met.count > 0 && met.tap == all.tap + lacking * all.tap_step ? lacking : 0;
}
INLINE size_t lacking_last(const MetTaps& all, const MetTaps& met) {
  return met.count > 0 && met.tap == all.tap ? all.count - met.count : 0;
}
// body(stretch) for all outputs from `begin` to `end`; back, for those whole strides from each other, from right to
// left, so that the first ones lack the first taps there too. Those that meet all taps are one stretch, with a few more
// on either side; what is left goes by itself.
template <class F>
INLINE void for_stretches(const ConvolutionAxis& axis, bool back, size_t begin, size_t end, F body) {
  const size_t step = back ? axis.stride : 1;
  const ptrdiff_t advance = back ? -1 : ptrdiff_t(axis.stride);
  for (size_t start = begin; start < end && start < begin + step; ++start) {
    const size_t count = rounded_up(end - start, step);
    const auto taps_of = [&](size_t n) INLINE_LAMBDA {
      return back ? taps_back(axis, start + n * step) : taps_ahead(axis, start + n * step);
    };
    const auto alone = [&](size_t from, size_t to) INLINE_LAMBDA {
      for (size_t n = from; n < to; ++n) body(Stretch{start + n * step, 1, 1, 1, taps_of(n)});
    };
    const Inner inner = back ? inner_back(axis, start) : inner_ahead(axis);
    size_t first = inner.first > start ? rounded_up(inner.first - start, step) : 0;
    size_t past = inner.past > start ? rounded_up(inner.past - start, step) : 0;
    if (past > count) past = count;
    if (first >= past) {
      alone(0, count);
      continue;
    }
    MetTaps taps = taps_of(back ? past - 1 : first);
    const auto beside = [&](bool right, auto lacking) INLINE_LAMBDA {
      Lacking found;
      while (found.outputs < most_lacking && found.outputs < (right ? count - past : first)) {
        const size_t lacks = lacking(taps, taps_of(right ? past + found.outputs : first - 1 - found.outputs));
        if (lacks == 0) break;
        found.taps[1] = found.taps[0], found.taps[0] = lacks;
        ++found.outputs;
      }
      return found;
    };
    const Lacking first_lack = beside(back, lacking_first), last_lack = beside(!back, lacking_last);
    taps.pixel -= advance * ptrdiff_t(first_lack.outputs);
    first -= (back ? last_lack : first_lack).outputs;
    past += (back ? first_lack : last_lack).outputs;
    alone(0, first);
    const size_t at = start + (back ? past - 1 : first) * step;
    body(Stretch{at, past - first, back ? -ptrdiff_t(step) : 1, advance, taps, first_lack, last_lack});
    alone(past, count);
  }
}
