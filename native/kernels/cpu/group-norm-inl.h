// Norms over groups of neighbouring channels of one image. Channels run along the lanes: what a lane has summed over
// the pixels, in blocks, is added to its group's sum in the channels' order.
#pragma once
#include "norm-tangents-inl.h"
#include "vectors-inl.h"

template <class T>
INLINE size_t channels_of_group(const GroupNorm<T>& norm) {
  return norm.channels / norm.groups;
}
// Lane i is what the group of channel `first` + i has.
template <class T>
static Vec<T> spread_groups(const GroupNorm<T>& norm, const T* of_groups, size_t first, int count) {
  T lanes[Vec<T>::lanes];
  for (int i = 0; i < count; ++i) lanes[i] = of_groups[(first + static_cast<size_t>(i)) / channels_of_group(norm)];
  return load_partial(lanes, count);
}
template <class T>
static void add_to_groups(const GroupNorm<T>& norm, Vec<T> a, size_t first, int count, T* of_groups) {
  T lanes[Vec<T>::lanes];
  store(lanes, a);
  for (int i = 0; i < count; ++i) of_groups[(first + static_cast<size_t>(i)) / channels_of_group(norm)] += lanes[i];
}

// Neighbouring groups of one example: their channels are some of each pixel's.
template <class T>
struct GroupsOfExample {
  size_t channels, groups;
  const T *x, *dy, *gain, *bias;
  T *y, *dx, *mean, *inverse, *mean_dy, *along, *dgain, *dbias;
  T elements;  // of a group

  INLINE_PLAIN GroupsOfExample(const GroupNorm<T>& norm, size_t example, size_t first, size_t count) {
    const size_t of_group = channels_of_group(norm), channel = first * of_group;
    const size_t line = example * norm.groups + first, sums = example * norm.channels + channel;
    const size_t at = example * norm.pixels * norm.channels + channel;
    channels = count * of_group, groups = count, elements = T(norm.pixels * of_group);
    // What is not given stays so.
    const auto from = [](auto* p, size_t offset) INLINE_LAMBDA { return p ? p + offset : p; };
    x = norm.x + at, dy = from(norm.dy, at), y = from(norm.y, at), dx = from(norm.dx, at);
    gain = norm.gain + channel, bias = norm.bias + channel;
    mean = norm.mean + line, inverse = norm.inverse_deviation + line;
    mean_dy = from(norm.mean_dy, line), along = from(norm.along, line);
    dgain = from(norm.dgain, sums), dbias = from(norm.dbias, sums);
  }
};
template <class T, class F>
INLINE void for_examples(const GroupNorm<T>& norm, F body) {
  for (size_t line = norm.first_line, end = line + norm.lines; line < end;) {
    const size_t first = line % norm.groups, left = norm.groups - first, count = left < end - line ? left : end - line;
    body(GroupsOfExample<T>(norm, line / norm.groups, first, count));
    line += count;
  }
}

template <class T>
static void group_norm_forward(const GroupNorm<T>& norm) {
  const size_t stride = norm.channels, pixels = norm.pixels;
  for_examples(norm, [&](const GroupsOfExample<T>& of) INLINE_LAMBDA {
    fill(T(0), of.groups, of.mean), fill(T(0), of.groups, of.inverse);
    for_vectors<T>(of.channels, [&](size_t j, int count) INLINE_LAMBDA {
      Vec<T> total[1][1];
      sum_over_rows(pixels, total, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        term[0] = load_lanes(of.x + i * stride + j, count);
      });
      add_to_groups(norm, total[0][0], j, count, of.mean);
    });
    for (size_t group = 0; group < of.groups; ++group) of.mean[group] /= of.elements;
    for_vectors<T>(of.channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> mean = spread_groups(norm, of.mean, j, count);
      Vec<T> squares[1][1];
      sum_over_rows(pixels, squares, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        const Vec<T> centred = load_lanes(of.x + i * stride + j, count) - mean;
        term[0] = centred * centred;
      });
      add_to_groups(norm, squares[0][0], j, count, of.inverse);
    });
    map(of.inverse, of.groups, of.inverse, [&](Vec<T> squares) INLINE_LAMBDA {
      return Vec<T>(1) / sqrt(squares / Vec<T>(of.elements) + Vec<T>(norm.epsilon));
    });
    for_vectors<T>(of.channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> mean = spread_groups(norm, of.mean, j, count), inverse = spread_groups(norm, of.inverse, j, count);
      const Vec<T> gain = load_lanes(of.gain + j, count), bias = load_lanes(of.bias + j, count);
      for (size_t i = j; i < j + pixels * stride; i += stride)
        store_lanes(of.y + i, fma((load_lanes(of.x + i, count) - mean) * inverse, gain, bias), count);
    });
  });
}

// With x̂ = (x − mean) · inverse and e = dy · gain: dx = inverse · (e − mean(e) − x̂ · mean(e · x̂)), means over the
// group.
template <class T>
static void group_norm_backward(const GroupNorm<T>& norm) {
  const size_t stride = norm.channels, pixels = norm.pixels;
  for_examples(norm, [&](const GroupsOfExample<T>& of) INLINE_LAMBDA {
    fill(T(0), of.groups, of.mean_dy), fill(T(0), of.groups, of.along);
    for_vectors<T>(of.channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> mean = spread_groups(norm, of.mean, j, count), inverse = spread_groups(norm, of.inverse, j, count);
      const Vec<T> gain = load_lanes(of.gain + j, count);
      Vec<T> sums[2][1];
      sum_over_rows(pixels, sums, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        term[0] = load_lanes(of.dy + i * stride + j, count);
        term[1] = term[0] * ((load_lanes(of.x + i * stride + j, count) - mean) * inverse);
      });
      store_lanes(of.dbias + j, sums[0][0], count);
      store_lanes(of.dgain + j, sums[1][0], count);
      add_to_groups(norm, sums[0][0] * gain, j, count, of.mean_dy);
      add_to_groups(norm, sums[1][0] * gain, j, count, of.along);
    });
    if (!of.dx) return;
    for (size_t group = 0; group < of.groups; ++group) of.mean_dy[group] /= of.elements, of.along[group] /= of.elements;
    for_vectors<T>(of.channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> mean = spread_groups(norm, of.mean, j, count), inverse = spread_groups(norm, of.inverse, j, count);
      const Vec<T> mean_e = spread_groups(norm, of.mean_dy, j, count), along = spread_groups(norm, of.along, j, count);
      const Vec<T> gain = load_lanes(of.gain + j, count);
      for (size_t i = j; i < j + pixels * stride; i += stride) {
        const Vec<T> normal = (load_lanes(of.x + i, count) - mean) * inverse;
        const Vec<T> e = load_lanes(of.dy + i, count) * gain;
        store_lanes(of.dx + i, inverse * fnma(normal, along, e - mean_e), count);
      }
    });
  });
}

// ---- Tangents, in double as those of the other norms. A line is the elements of one group of one example.
template <class T>
static NormLine<T> group_line(const GroupNormTangent<T>& of, size_t example, size_t group) {
  const GroupNorm<T>& norm = of.norm;
  NormLine<T> line;
  line.run = channels_of_group(norm);
  line.n = norm.pixels * line.run, line.step = norm.channels;
  const size_t channel = group * line.run, at = example * norm.pixels * norm.channels + channel;
  line.x = norm.x + at, line.x_tangent = of.x_tangent + at;
  line.gain = norm.gain + channel, line.gain_tangent = of.gain_tangent + channel;
  line.mean = static_cast<double>(norm.mean[example * norm.groups + group]);
  line.inverse_deviation = static_cast<double>(norm.inverse_deviation[example * norm.groups + group]);
  line.prepare();
  return line;
}
template <class T>
static void group_norm_forward_tangent(const GroupNormTangent<T>& of) {
  const GroupNorm<T>& norm = of.norm;
  for (size_t example = 0; example < norm.batch; ++example)
    for (size_t group = 0; group < norm.groups; ++group) {
      const size_t channel = group * channels_of_group(norm);
      line_forward_tangent(group_line(of, example, group), of.bias_tangent + channel,
                           of.y_tangent + example * norm.pixels * norm.channels + channel);
    }
}
template <class T>
static void group_norm_backward_tangent(const GroupNormTangent<T>& of) {
  const GroupNorm<T>& norm = of.norm;
  for (size_t example = 0; example < norm.batch; ++example)
    for (size_t group = 0; group < norm.groups; ++group) {
      const size_t channel = group * channels_of_group(norm);
      const size_t at = example * norm.pixels * norm.channels + channel;
      line_backward_tangent<T>(group_line(of, example, group),
                               {norm.dy + at, of.dy_tangent + at, of.dgain_tangent + channel,
                                of.dbias_tangent + channel, of.dx_tangent ? of.dx_tangent + at : nullptr});
    }
}
