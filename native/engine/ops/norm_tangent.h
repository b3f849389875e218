// How a normalised line of numbers and its gradient move: a row of layer norm, a column of batch norm. With
// x̂ = (x − mean) · r and means along the line, its tangent is r · (ẋ − mean(ẋ) − x̂ · mean(x̂ · ẋ)), and r's is
// −r² · mean(x̂ · ẋ).
#pragma once
#include <cstddef>

namespace gradus {

template <class T>
struct NormLine {
  size_t n = 0, step = 1;  // element i at [i * step]
  const T *x = nullptr, *x_tangent = nullptr;
  const T *gain = nullptr, *gain_tangent = nullptr;
  size_t gain_step = 0;  // 0: one gain for the whole line
  double mean = 0, inverse_deviation = 1;
  bool follows = true;  // whether mean and deviation follow x

  double tangent_mean = 0, tangent_along = 0;  // mean(ẋ), mean(x̂ · ẋ); 0 where they do not count
  void prepare() {
    for (size_t i = 0; i < n && follows; ++i) {
      tangent_mean += x_tangent[i * step] / double(n);
      tangent_along += normal(i) * x_tangent[i * step] / double(n);
    }
  }
  double normal(size_t i) const { return (x[i * step] - mean) * inverse_deviation; }
  double normal_tangent(size_t i) const {
    return inverse_deviation * (x_tangent[i * step] - tangent_mean - normal(i) * tangent_along);
  }
};

// y = x̂ · gain + bias
template <class T>
void norm_forward_tangent(const NormLine<T>& line, const T* bias_tangent, T* y_tangent) {
  for (size_t i = 0; i < line.n; ++i) {
    const size_t g = i * line.gain_step;
    y_tangent[i * line.step] =
        T(line.normal_tangent(i) * line.gain[g] + line.normal(i) * line.gain_tangent[g] + bias_tangent[g]);
  }
}

template <class T>
struct NormGradients {
  const T *dy, *dy_tangent;
  T *dgain_tangent, *dbias_tangent;  // added into, laid out as the gain
  T* dx_tangent;                     // or none
};

// Of dx = r · (e − mean(e) − x̂ · mean(e · x̂)) with e = dy · gain; of dx = r · e where the mean does not follow x.
template <class T>
void norm_backward_tangent(const NormLine<T>& line, const NormGradients<T>& of) {
  const auto e = [&](size_t i) { return double(of.dy[i * line.step]) * line.gain[i * line.gain_step]; };
  const auto e_tangent = [&](size_t i) {
    return double(of.dy_tangent[i * line.step]) * line.gain[i * line.gain_step] +
           double(of.dy[i * line.step]) * line.gain_tangent[i * line.gain_step];
  };
  double mean = 0, along = 0, mean_tangent = 0, along_tangent = 0;
  for (size_t i = 0; i < line.n; ++i) {
    const double normal = line.normal(i), normal_tangent = line.normal_tangent(i);
    const double dy = of.dy[i * line.step], dy_tangent = of.dy_tangent[i * line.step];
    of.dgain_tangent[i * line.gain_step] += T(dy_tangent * normal + dy * normal_tangent);
    of.dbias_tangent[i * line.gain_step] += T(dy_tangent);
    if (!line.follows) continue;
    mean += e(i) / double(line.n);
    along += e(i) * normal / double(line.n);
    mean_tangent += e_tangent(i) / double(line.n);
    along_tangent += (e_tangent(i) * normal + e(i) * normal_tangent) / double(line.n);
  }
  if (!of.dx_tangent) return;
  const double r = line.inverse_deviation, r_tangent = -r * r * line.tangent_along;
  for (size_t i = 0; i < line.n; ++i) {
    const double normal = line.normal(i);
    of.dx_tangent[i * line.step] =
        T(r * (e_tangent(i) - mean_tangent - line.normal_tangent(i) * along - normal * along_tangent) +
          r_tangent * (e(i) - mean - normal * along));
  }
}

}  // namespace gradus
