// How a normalised line of numbers and its gradient move: a row of layer norm, a column of batch norm, in double. With
// x̂ = (x − mean) · r and means along the line, its tangent is r · (ẋ − mean(ẋ) − x̂ · mean(x̂ · ẋ)), and r's is
// −r² · mean(x̂ · ẋ). Also what batch norm needs where its statistics are constants.
#pragma once
#include "vectors-inl.h"

template <class T>
struct NormLine {
  size_t n = 0, run = 1, step = 1;  // runs of so many neighbours, which begin `step` apart; each has the gains in order
  const T *x = nullptr, *x_tangent = nullptr;
  const T *gain = nullptr, *gain_tangent = nullptr;
  double mean = 0, inverse_deviation = 1;
  bool follows = true;  // whether mean and deviation follow x

  // body(where the element lies, which gain is its own), in order.
  template <class F>
  INLINE_PLAIN void for_each(F body) const {
    for (size_t begin = 0, passed = 0; passed < n; begin += step, passed += run)
      for (size_t i = 0; i < run; ++i) body(begin + i, i);
  }

  double tangent_mean = 0, tangent_along = 0;  // mean(ẋ), mean(x̂ · ẋ); 0 where they do not count
  INLINE_PLAIN void prepare() {
    if (!follows) return;
    for_each([&](size_t at, size_t) INLINE_LAMBDA {
      tangent_mean += double(x_tangent[at]) / double(n);
      tangent_along += normal(at) * double(x_tangent[at]) / double(n);
    });
  }
  INLINE_PLAIN double normal(size_t at) const { return (double(x[at]) - mean) * inverse_deviation; }
  INLINE_PLAIN double normal_tangent(size_t at) const {
    return inverse_deviation * (double(x_tangent[at]) - tangent_mean - normal(at) * tangent_along);
  }
};

template <class T>
FUNCTION NormLine<T> row_line(const NormTangent<T>& of, size_t row) {
  const Norm<T>& norm = of.norm;
  NormLine<T> line;
  line.n = line.run = norm.columns;
  line.x = norm.x + row * norm.stride, line.x_tangent = of.x_tangent + row * norm.stride;
  line.gain = norm.gain, line.gain_tangent = of.gain_tangent;
  line.mean = double(norm.mean[row]), line.inverse_deviation = double(norm.inverse_deviation[row]);
  line.follows = of.follows;
  line.prepare();
  return line;
}
template <class T>
FUNCTION NormLine<T> column_line(const NormTangent<T>& of, size_t column) {
  const Norm<T>& norm = of.norm;
  NormLine<T> line;
  line.n = norm.rows, line.step = norm.stride;
  line.x = norm.x + column, line.x_tangent = of.x_tangent + column;
  line.gain = norm.gain + column, line.gain_tangent = of.gain_tangent + column;
  line.mean = double(norm.mean[column]), line.inverse_deviation = double(norm.inverse_deviation[column]);
  line.follows = of.follows;
  line.prepare();
  return line;
}

// y = x̂ · gain + bias
template <class T>
FUNCTION void line_forward_tangent(const NormLine<T>& line, const T* bias_tangent, T* y_tangent) {
  line.for_each([&](size_t at, size_t g) INLINE_LAMBDA {
    y_tangent[at] = T(line.normal_tangent(at) * double(line.gain[g]) + line.normal(at) * double(line.gain_tangent[g]) +
                      double(bias_tangent[g]));
  });
}

template <class T>
struct LineGradients {
  const T *dy, *dy_tangent;
  T *dgain_tangent, *dbias_tangent;  // added into, laid out as the gain
  T* dx_tangent;                     // or none
};

// Of dx = r · (e − mean(e) − x̂ · mean(e · x̂)) with e = dy · gain; of dx = r · e where the mean does not follow x.
template <class T>
FUNCTION void line_backward_tangent(const NormLine<T>& line, const LineGradients<T>& of) {
  const auto e = [&](size_t at, size_t g) { return double(of.dy[at]) * double(line.gain[g]); };
  const auto e_tangent = [&](size_t at, size_t g) {
    return double(of.dy_tangent[at]) * double(line.gain[g]) + double(of.dy[at]) * double(line.gain_tangent[g]);
  };
  double mean = 0, along = 0, mean_tangent = 0, along_tangent = 0;
  line.for_each([&](size_t at, size_t g) INLINE_LAMBDA {
    const double normal = line.normal(at), normal_tangent = line.normal_tangent(at);
    const double dy = double(of.dy[at]), dy_tangent = double(of.dy_tangent[at]);
    of.dgain_tangent[g] += T(dy_tangent * normal + dy * normal_tangent);
    of.dbias_tangent[g] += T(dy_tangent);
    if (!line.follows) return;
    mean += e(at, g) / double(line.n);
    along += e(at, g) * normal / double(line.n);
    mean_tangent += e_tangent(at, g) / double(line.n);
    along_tangent += (e_tangent(at, g) * normal + e(at, g) * normal_tangent) / double(line.n);
  });
  if (!of.dx_tangent) return;
  const double r = line.inverse_deviation, r_tangent = -r * r * line.tangent_along;
  line.for_each([&](size_t at, size_t g) INLINE_LAMBDA {
    const double normal = line.normal(at);
    of.dx_tangent[at] =
        T(r * (e_tangent(at, g) - mean_tangent - line.normal_tangent(at) * along - normal * along_tangent) +
          r_tangent * (e(at, g) - mean - normal * along));
  });
}

template <class T>
FUNCTION void layer_norm_forward_tangent(const NormTangent<T>& of) {
  for (size_t row = 0; row < of.norm.rows; ++row)
    line_forward_tangent(row_line(of, row), of.bias_tangent, of.y_tangent + row * of.norm.stride);
}
template <class T>
FUNCTION void layer_norm_backward_tangent(const NormTangent<T>& of) {
  for (size_t row = 0; row < of.norm.rows; ++row) {
    const size_t at = row * of.norm.stride;
    line_backward_tangent<T>(row_line(of, row), {of.norm.dy + at, of.dy_tangent + at, of.dgain_tangent,
                                                 of.dbias_tangent, of.dx_tangent ? of.dx_tangent + at : nullptr});
  }
}
template <class T>
FUNCTION void batch_norm_forward_tangent(const NormTangent<T>& of) {
  for (size_t column = 0; column < of.norm.columns; ++column)
    line_forward_tangent(column_line(of, column), of.bias_tangent + column, of.y_tangent + column);
}
template <class T>
FUNCTION void batch_norm_backward_tangent(const NormTangent<T>& of) {
  for (size_t column = 0; column < of.norm.columns; ++column)
    line_backward_tangent<T>(column_line(of, column),
                             {of.norm.dy + column, of.dy_tangent + column, of.dgain_tangent + column,
                              of.dbias_tangent + column, of.dx_tangent ? of.dx_tangent + column : nullptr});
}

template <class T>
FUNCTION void inverse_deviations(const T* variance, size_t n, T epsilon, T* inverse) {
  for_vectors<T>(n, [=](size_t i, int count) INLINE_LAMBDA {
    store_lanes(inverse + i, Vec<T>(1) / sqrt(load_lanes(variance + i, count) + Vec<T>(epsilon)), count);
  });
}
