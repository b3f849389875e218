// Convolutions for tests: problems of small integers or of real numbers, an oracle of seven loops, and the kernels run
// as one device or another would.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>
#include <vector>

#include "arrays.h"

namespace gradus::test {

// One dimension: sizes, and the pixels of zero on both sides.
struct AxisCase {
  size_t input, kernel, stride = 1, dilation = 1, before = 0, after = 0;
};
inline ConvolutionAxis axis_of(const AxisCase& of) {
  ConvolutionAxis axis;
  axis.input = of.input, axis.kernel = of.kernel, axis.stride = of.stride, axis.dilation = of.dilation;
  axis.padding = of.before;
  axis.output = (of.input + of.before + of.after - (of.kernel - 1) * of.dilation - 1) / of.stride + 1;
  return axis;
}
inline bool is_possible(const AxisCase& of) {
  return (of.kernel - 1) * of.dilation + 1 <= of.input + of.before + of.after;
}
inline ConvolutionShape shape_of(size_t batch, const AxisCase& height, const AxisCase& width, size_t channels,
                                 size_t filters, size_t groups = 1) {
  ConvolutionShape shape;
  shape.batch = batch, shape.height = axis_of(height), shape.width = axis_of(width);
  shape.channels = channels, shape.filters = filters, shape.groups = groups;
  return shape;
}
inline std::string text_of(const ConvolutionShape& shape) {
  std::ostringstream text;
  text << shape.batch << " images, " << shape.channels << " to " << shape.filters << " channels in " << shape.groups;
  for (const ConvolutionAxis* axis : {&shape.height, &shape.width})
    text << ", " << axis->input << " to " << axis->output << " by " << axis->kernel << " stride " << axis->stride
         << " dilation " << axis->dilation << " padding " << axis->padding;
  return text.str();
}
inline size_t input_elements(const ConvolutionShape& shape) {
  return shape.batch * shape.height.input * shape.width.input * shape.channels;
}
inline size_t output_elements(const ConvolutionShape& shape) { return output_pixels(shape) * shape.filters; }

template <class T>
struct Operands {
  std::vector<T> x, w, dy;
};
template <class T>
Operands<T> integers(const ConvolutionShape& shape) {
  std::mt19937 random(7);
  const auto some = [&](size_t n) {
    std::vector<T> values(n);
    for (T& value : values) value = T(int(random() % 9) - 4);
    return values;
  };
  return {some(input_elements(shape)), some(weights_of(shape)), some(output_elements(shape))};
}
template <class T>
Operands<T> reals(const ConvolutionShape& shape) {
  return {numbers<T>(input_elements(shape), 1), numbers<T>(weights_of(shape), 2),
          numbers<T>(output_elements(shape), 3)};
}

// Forward, both gradients, and that of a bias.
template <class T>
struct Products {
  std::vector<T> y, dx, dw, db;
};
template <class T>
bool same_bits(const Products<T>& a, const Products<T>& b) {
  return same_bits(a.y, b.y) && same_bits(a.dx, b.dx) && same_bits(a.dw, b.dw) && same_bits(a.db, b.db);
}

// body(at in x, at in w, at in y) for all that are multiplied with each other.
template <class F>
void for_each_meeting(const ConvolutionShape& s, F body) {
  const size_t inputs = s.channels / s.groups, outputs = s.filters / s.groups;
  for (size_t n = 0; n < s.batch; ++n)
    for (size_t i = 0; i < s.height.output; ++i)
      for (size_t j = 0; j < s.width.output; ++j)
        for (size_t p = 0; p < s.height.kernel; ++p)
          for (size_t q = 0; q < s.width.kernel; ++q) {
            const long row = long(i * s.height.stride + p * s.height.dilation) - long(s.height.padding);
            const long column = long(j * s.width.stride + q * s.width.dilation) - long(s.width.padding);
            if (row < 0 || row >= long(s.height.input) || column < 0 || column >= long(s.width.input)) continue;
            const size_t x = ((n * s.height.input + size_t(row)) * s.width.input + size_t(column)) * s.channels;
            const size_t y = ((n * s.height.output + i) * s.width.output + j) * s.filters;
            const size_t w = (p * s.width.kernel + q) * inputs * s.filters;
            for (size_t f = 0; f < s.filters; ++f)
              for (size_t c = 0; c < inputs; ++c) body(x + f / outputs * inputs + c, w + c * s.filters + f, y + f);
          }
}

// In a wider type; and the sums of the terms' sizes.
template <class T>
struct Oracle {
  using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  Products<Wide> sums, sizes;
  Oracle(const ConvolutionShape& shape, const Operands<T>& of) {
    for (Products<Wide>* products : {&sums, &sizes}) {
      products->y.resize(of.dy.size()), products->dx.resize(of.x.size()), products->dw.resize(of.w.size());
      products->db.resize(shape.filters);
    }
    const auto add = [](std::vector<Wide>& to, std::vector<Wide>& size, size_t at, Wide term) {
      to[at] += term, size[at] += term < 0 ? -term : term;
    };
    for_each_meeting(shape, [&](size_t x, size_t w, size_t y) {
      add(sums.y, sizes.y, y, Wide(of.x[x]) * Wide(of.w[w]));
      add(sums.dx, sizes.dx, x, Wide(of.dy[y]) * Wide(of.w[w]));
      add(sums.dw, sizes.dw, w, Wide(of.x[x]) * Wide(of.dy[y]));
    });
    for (size_t i = 0; i < of.dy.size(); ++i) add(sums.db, sizes.db, i % shape.filters, Wide(of.dy[i]));
  }
};

// Memory that begins at a line of cache and holds a mark, as does what lies around it.
template <class T>
struct Marked {
  static constexpr T mark = T(-12345.5);
  static constexpr size_t guard = 64;
  size_t size;
  std::vector<T> memory;
  explicit Marked(size_t size) : size(size), memory(size + 3 * guard, mark) {}
  T* data() {
    T* at = memory.data() + guard;
    while (reinterpret_cast<uintptr_t>(at) % 64) ++at;
    return at;
  }
  std::vector<T> values() { return {data(), data() + size}; }
  bool is_guarded() {
    for (T* at = memory.data(); at < memory.data() + memory.size(); ++at)
      if ((at < data() || at >= data() + size) && *at != mark) return false;
    return true;
  }
};

template <class T, class Wide>
bool equals(const std::vector<T>& values, const std::vector<Wide>& exact) {
  return std::equal(values.begin(), values.end(), exact.begin(), exact.end(),
                    [](T value, Wide sum) { return value == T(sum); });
}

// In units of u · Σ|ab|; sums without terms have to be 0.
template <class T, class Wide>
double worst_of(const std::vector<T>& values, const std::vector<Wide>& sums, const std::vector<Wide>& sizes) {
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Wide unit = Wide(std::numeric_limits<T>::epsilon()) / 2 * sizes[i], error = values[i] - sums[i];
    if (!(std::fabs(error) <= 0)) worst = std::max(worst, unit > 0 ? double(std::fabs(error) / unit) : 1e30);
  }
  return worst;
}

// All products, by a table of kernels whose work is cut into parts of this length, or of a device's choice; beta = 0.
// By the kernels for channels by themselves where it is asked for.
template <class T>
Products<T> products_of(const Kernels<T>& kernels, const ConvolutionShape& shape, const Operands<T>& of,
                        size_t rows_at_once = SIZE_MAX, bool depthwise = false) {
  Marked<T> packed(packed_filters_size(shape)), workspace(convolution_workspace(shape));
  Marked<T> y(of.dy.size()), dx(of.x.size()), dw(of.w.size()), db(shape.filters);
  for (bool transposed : {false, true}) {
    Convolution<T> task;
    task.shape = shape, task.transposed = transposed, task.weights = of.w.data(), task.packed = packed.data();
    task.input = transposed ? of.dy.data() : of.x.data(), task.output = transposed ? dx.data() : y.data();
    task.rows = task.all_rows();
    for (size_t tap = 0; tap < taps_of(shape) && !depthwise; tap += 2)
      kernels.pack_filters(task, tap, std::min<size_t>(2, taps_of(shape) - tap), packed.data());
    for (size_t row = 0; row < task.rows; row += std::min(rows_at_once, task.rows)) {
      const Convolution<T> part = task.part(row, std::min(rows_at_once, task.rows - row));
      depthwise ? kernels.depthwise(part) : kernels.convolution(part, workspace.data());
    }
  }
  const size_t chunks = chunks_of(shape), stride = stride_of_chunks(shape);
  Marked<T> sums(chunks * stride);
  ConvolutionWeights<T> task;
  task.shape = shape, task.x = of.x.data(), task.dy = of.dy.data(), task.sums = sums.data();
  task.parts = chunks * parts_of_chunk(shape);
  for (size_t part = 0; part < task.parts; part += std::min(rows_at_once, task.parts))
    (depthwise ? kernels.depthwise_weights : kernels.convolution_weights)(
        task.part(part, std::min(rows_at_once, task.parts - part)), workspace.data());
  kernels.add_blocks(sums.data(), chunks, of.w.size(), stride, T(0), dw.data());
  kernels.add_blocks(sums.data() + of.w.size(), chunks, shape.filters, stride, T(0), db.data());
  for (Marked<T>* memory : {&packed, &workspace, &y, &dx, &dw, &db, &sums}) CHECK(memory->is_guarded());
  return {y.values(), dx.values(), dw.values(), db.values()};
}

}  // namespace gradus::test
