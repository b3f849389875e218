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

template <class T>
static void group_norm_forward(const GroupNorm<T>& norm) {
  const size_t channels = norm.channels, pixels = norm.pixels;
  const T elements = T(pixels * channels_of_group(norm));
  for (size_t example = 0; example < norm.batch; ++example) {
    const T* const x = norm.x + example * pixels * channels;
    T* const y = norm.y + example * pixels * channels;
    T *const mean = norm.mean + example * norm.groups, *const inverse = norm.inverse_deviation + example * norm.groups;
    fill(T(0), norm.groups, mean), fill(T(0), norm.groups, inverse);
    for_vectors<T>(channels, [&](size_t j, int count) INLINE_LAMBDA {
      Vec<T> total[1][1];
      sum_over_rows(pixels, total, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        term[0] = load_lanes(x + i * channels + j, count);
      });
      add_to_groups(norm, total[0][0], j, count, mean);
    });
    for (size_t group = 0; group < norm.groups; ++group) mean[group] /= elements;
    for_vectors<T>(channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> of_mean = spread_groups(norm, mean, j, count);
      Vec<T> squares[1][1];
      sum_over_rows(pixels, squares, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        const Vec<T> centred = load_lanes(x + i * channels + j, count) - of_mean;
        term[0] = centred * centred;
      });
      add_to_groups(norm, squares[0][0], j, count, inverse);
    });
    map(inverse, norm.groups, inverse, [&](Vec<T> squares) INLINE_LAMBDA {
      return Vec<T>(1) / sqrt(squares / Vec<T>(elements) + Vec<T>(norm.epsilon));
    });
    for_vectors<T>(channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> of_mean = spread_groups(norm, mean, j, count), of_inverse = spread_groups(norm, inverse, j, count);
      const Vec<T> gain = load_lanes(norm.gain + j, count), bias = load_lanes(norm.bias + j, count);
      for (size_t i = j; i < j + pixels * channels; i += channels)
        store_lanes(y + i, fma((load_lanes(x + i, count) - of_mean) * of_inverse, gain, bias), count);
    });
  }
}

// With x̂ = (x − mean) · inverse and e = dy · gain: dx = inverse · (e − mean(e) − x̂ · mean(e · x̂)), means over the
// group.
template <class T>
static void group_norm_backward(const GroupNorm<T>& norm) {
  const size_t channels = norm.channels, pixels = norm.pixels;
  const T elements = T(pixels * channels_of_group(norm));
  for (size_t example = 0; example < norm.batch; ++example) {
    const T *const x = norm.x + example * pixels * channels, *const dy = norm.dy + example * pixels * channels;
    const T *const mean = norm.mean + example * norm.groups, *const inverse =
                                                                 norm.inverse_deviation + example * norm.groups;
    T *const mean_e = norm.mean_dy + example * norm.groups, *const along = norm.along + example * norm.groups;
    fill(T(0), norm.groups, mean_e), fill(T(0), norm.groups, along);
    for_vectors<T>(channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> of_mean = spread_groups(norm, mean, j, count), of_inverse = spread_groups(norm, inverse, j, count);
      const Vec<T> gain = load_lanes(norm.gain + j, count);
      Vec<T> sums[2][1];
      sum_over_rows(pixels, sums, [&](size_t i, int, Vec<T>* term) INLINE_LAMBDA {
        term[0] = load_lanes(dy + i * channels + j, count);
        term[1] = term[0] * ((load_lanes(x + i * channels + j, count) - of_mean) * of_inverse);
      });
      store_lanes(norm.dbias + example * channels + j, sums[0][0], count);
      store_lanes(norm.dgain + example * channels + j, sums[1][0], count);
      add_to_groups(norm, sums[0][0] * gain, j, count, mean_e);
      add_to_groups(norm, sums[1][0] * gain, j, count, along);
    });
    if (!norm.dx) continue;
    T* const dx = norm.dx + example * pixels * channels;
    for (size_t group = 0; group < norm.groups; ++group) mean_e[group] /= elements, along[group] /= elements;
    for_vectors<T>(channels, [&](size_t j, int count) INLINE_LAMBDA {
      const Vec<T> of_mean = spread_groups(norm, mean, j, count), of_inverse = spread_groups(norm, inverse, j, count);
      const Vec<T> of_e = spread_groups(norm, mean_e, j, count), of_along = spread_groups(norm, along, j, count);
      const Vec<T> gain = load_lanes(norm.gain + j, count);
      for (size_t i = j; i < j + pixels * channels; i += channels) {
        const Vec<T> normal = (load_lanes(x + i, count) - of_mean) * of_inverse;
        const Vec<T> e = load_lanes(dy + i, count) * gain;
        store_lanes(dx + i, of_inverse * fnma(normal, of_along, e - of_e), count);
      }
    });
  }
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
