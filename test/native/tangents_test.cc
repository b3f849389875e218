// Second derivatives of activations, softmax and losses against central differences of their first ones in float64.
#include <algorithm>
#include <limits>
#include <vector>

#include "arrays.h"

namespace gradus {
namespace {
using test::for_both_types;
using test::numbers;
using test::same_bits;
using Row = std::vector<double>;

template <class T>
const Kernels<T>& first_kernels() {
  return kernels_of<T>(*available_isas()[0]);
}
template <class T>
double tolerance(double float32, double float64) {
  return sizeof(T) == 4 ? float32 : float64;
}

// ---- Activations
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
struct Bent {
  Activation kind;
  double parameter;
  double (*value)(double x), (*slope)(double x);
};
constexpr double elu_scale = 1.3;
const Bent bent[] = {
    {Activation::elu, elu_scale, [](double x) { return x > 0 ? x : elu_scale * std::expm1(x); },
     [](double x) { return x > 0 ? 1 : elu_scale * std::exp(x); }},
    {Activation::tanh, 0, [](double x) { return std::tanh(x); }, [](double x) { return std::pow(std::cosh(x), -2); }},
    {Activation::sigmoid, 0, sigmoid, [](double x) { return sigmoid(x) * sigmoid(-x); }},
    {Activation::gelu, 0, [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2)); },
     [](double x) {
       return std::erfc(-x / std::sqrt(2)) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
     }},
    {Activation::silu, 0, [](double x) { return x * sigmoid(x); },
     [](double x) { return sigmoid(x) * (1 + x * sigmoid(-x)); }},
    {Activation::softplus, 0, [](double x) { return std::log1p(std::exp(x)); }, sigmoid},
};

template <class T>
void check_bend(const Kernels<T>& kernels, const Bent& of, size_t n) {
  const double h = 1e-4;
  std::vector<T> x = numbers<T>(n, 1, 0, 2), y(n), dx(n + 1, T(0.25)), again = dx;
  const std::vector<T> x_tangent = numbers<T>(n, 2), dy = numbers<T>(n, 3);
  for (size_t i = 0; i < n; ++i) {
    if (std::fabs(x[i]) < 2 * h) x[i] = 1;  // not across elu's kink
    y[i] = T(of.value(double(x[i])));
  }
  kernels.activation_bend(of.kind, T(of.parameter), x.data(), y.data(), x_tangent.data(), dy.data(), n, dx.data());
  for (size_t i = 0; i < n; ++i) {
    const double bend = (of.slope(double(x[i]) + h) - of.slope(double(x[i]) - h)) / (2 * h);
    CHECK_NEAR(double(dx[i]), 0.25 + bend * double(x_tangent[i]) * double(dy[i]), (tolerance<T>(5e-6, 5e-8)));
  }
  CHECK_EQ(dx[n], T(0.25));
  first_kernels<T>().activation_bend(of.kind, T(of.parameter), x.data(), y.data(), x_tangent.data(), dy.data(), n,
                                     again.data());
  CHECK(same_bits(dx, again));
}
TEST("the bend of an activation is its second derivative, added to dx, with the same bits on every ISA") {
  for_both_types([](const Isa& isa, auto type) {
    for (size_t kind = 0; kind < std::size(bent); ++kind)
      for (size_t n : {1, 8, 15, 16, 33, 300}) {
        test::Scope scope("kind " + std::to_string(kind) + ", " + std::to_string(n));
        check_bend(kernels_of<decltype(type)>(isa), bent[kind], n);
      }
  });
}

TEST("activations do not bend at the infinities, and those made of lines nowhere") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const std::vector<T> ones(19, T(1));
    for (const Bent& of : bent)
      for (T end : {infinity, -infinity}) {
        const std::vector<T> x(19, end);
        std::vector<T> y(19), dx = ones;
        kernels_of<T>(isa).activation_forward(of.kind, T(of.parameter), x.data(), 19, y.data());
        kernels_of<T>(isa).activation_bend(of.kind, T(of.parameter), x.data(), y.data(), ones.data(), ones.data(), 19,
                                           dx.data());
        CHECK(same_bits(dx, ones));
      }
    for (Activation lines : {Activation::identity, Activation::relu, Activation::leaky_relu}) {
      const std::vector<T> x(19, nan);
      std::vector<T> dx = ones;
      kernels_of<T>(isa).activation_bend(lines, T(0.1), x.data(), x.data(), x.data(), x.data(), 19, dx.data());
      CHECK(same_bits(dx, ones));
    }
  });
}

TEST("maxout moves with the pieces that won") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t pieces : {1, 2, 5}) {
      const size_t rows = 3, units = 7;
      const std::vector<T> x = numbers<T>(rows * units * pieces, 4);
      std::vector<int32_t> winners(rows * units);
      for (size_t i = 0; i < winners.size(); ++i) winners[i] = int32_t(i * 3 % pieces);
      std::vector<T> y(winners.size() + 1, T(-77));
      kernels_of<T>(isa).maxout_gather(x.data(), winners.data(), rows, units, pieces, y.data());
      for (size_t i = 0; i < winners.size(); ++i) CHECK_EQ(y[i], x[i * pieces + size_t(winners[i])]);
      CHECK_EQ(y[winners.size()], T(-77));
    }
  });
}

// ---- Softmax
template <class T>
Row doubles(const std::vector<T>& x, size_t first, size_t n) {
  return Row(x.begin() + ptrdiff_t(first), x.begin() + ptrdiff_t(first + n));
}
Row plus(const Row& a, double factor, const Row& b) {
  Row sum = a;
  for (size_t j = 0; j < a.size(); ++j) sum[j] += factor * b[j];
  return sum;
}
Row softmax(const Row& s) {
  Row p = s;
  double total = 0;
  for (double& v : p) total += v = std::exp(v - *std::max_element(s.begin(), s.end()));
  for (double& v : p) v /= total;
  return p;
}
// dx[j] = Σ over k of dy[k] · ∂y[k] / ∂x[j]
Row softmax_gradient(const Row& y, const Row& dy) {
  Row dx(y.size());
  for (size_t j = 0; j < y.size(); ++j)
    for (size_t k = 0; k < y.size(); ++k) dx[j] += dy[k] * y[k] * ((j == k ? 1 : 0) - y[j]);
  return dx;
}

template <class T>
void check_softmax(const Kernels<T>& kernels, size_t rows, size_t columns) {
  const size_t n = rows * columns;
  const std::vector<T> x = numbers<T>(n, 5), x_tangent = numbers<T>(n, 6), dy = numbers<T>(n, 7),
                       dy_tangent = numbers<T>(n, 8);
  std::vector<T> y(n), y_tangent(n + 1, T(-77)), dx = y_tangent, dx_tangent = dx;
  first_kernels<T>().softmax(x.data(), rows, columns, y.data());
  const auto run = [&](const Kernels<T>& kernels) {
    kernels.softmax_backward(y.data(), x_tangent.data(), rows, columns, y_tangent.data());
    kernels.softmax_backward(y.data(), dy.data(), rows, columns, dx.data());
    kernels.softmax_backward_tangent(y.data(), y_tangent.data(), dy.data(), dy_tangent.data(), rows, columns,
                                     dx_tangent.data());
  };
  run(kernels);
  for (size_t row = 0; row < rows; ++row) {
    const double h = 1e-5;
    const auto of = [&](const std::vector<T>& all) { return doubles(all, row * columns, columns); };
    const auto moved = [&](double t) {
      return softmax_gradient(softmax(plus(of(x), t, of(x_tangent))), plus(of(dy), t, of(dy_tangent)));
    };
    const Row expected = moved(0), above = moved(h), below = moved(-h);
    for (size_t j = 0; j < columns; ++j) {
      CHECK_NEAR(double(dx[row * columns + j]), expected[j], (tolerance<T>(2e-6, 1e-14)));
      CHECK_NEAR(double(dx_tangent[row * columns + j]), (above[j] - below[j]) / (2 * h), (tolerance<T>(1e-5, 1e-9)));
    }
  }
  CHECK(dx[n] == T(-77) && dx_tangent[n] == T(-77));
  const std::vector<T> first = dx, first_tangent = dx_tangent;
  run(first_kernels<T>());
  CHECK(same_bits(dx, first) && same_bits(dx_tangent, first_tangent));
}
TEST("softmax's gradient and how it moves follow the float64 reference, with the same bits on every ISA") {
  for_both_types([](const Isa& isa, auto type) {
    for (size_t rows : {1, 3})
      for (size_t columns : {1, 2, 7, 8, 9, 16, 17, 67}) {
        test::Scope scope(std::to_string(rows) + "x" + std::to_string(columns));
        check_softmax(kernels_of<decltype(type)>(isa), rows, columns);
      }
  });
}

// ---- Losses: the gradient of one row's loss by its scores, where t are its targets
constexpr double delta = 0.8, temperature = 2.6;
Row tempered_slope(const Row& s, const Row& t, double temperature) {
  double mass = 0;
  for (double v : t) mass += v;
  Row cooled = s;
  for (double& v : cooled) v /= temperature;
  Row slope = softmax(cooled);
  for (size_t j = 0; j < s.size(); ++j) slope[j] = temperature * (mass * slope[j] - t[j]);
  return slope;
}
Row cross_entropy_slope(const Row& s, const Row& t) { return tempered_slope(s, t, 1); }
Row hot_cross_entropy_slope(const Row& s, const Row& t) { return tempered_slope(s, t, temperature); }
template <class F>
Row mean_slope(const Row& s, const Row& t, F f) {
  Row slope(s.size());
  for (size_t j = 0; j < s.size(); ++j) slope[j] = f(s[j], t[j]) / double(s.size());
  return slope;
}
Row squared_slope(const Row& s, const Row& t) {
  return mean_slope(s, t, [](double s, double t) { return 2 * (s - t); });
}
Row logistic_slope(const Row& s, const Row& t) {
  return mean_slope(s, t, [](double s, double t) { return sigmoid(s) - t; });
}
Row huber_slope(const Row& s, const Row& t) {
  return mean_slope(s, t, [](double s, double t) { return std::fmax(-delta, std::fmin(delta, s - t)); });
}
Row straight_slope(const Row& s, const Row&) { return Row(s.size()); }

struct Kind {
  void (*Kernels<float>::*float32)(const Loss<float>&);
  void (*Kernels<double>::*float64)(const Loss<double>&);
  bool labels;
  Row (*slope)(const Row& s, const Row& t);
  double parameter = delta, smoothing = 0;
};
#define LOSS(name) &Kernels<float>::name##_tangent, &Kernels<double>::name##_tangent
const Kind kinds[] = {
    {LOSS(softmax_cross_entropy), true, cross_entropy_slope, 1},
    {LOSS(softmax_cross_entropy), false, cross_entropy_slope, 1},
    {LOSS(softmax_cross_entropy), true, hot_cross_entropy_slope, temperature},
    {LOSS(softmax_cross_entropy), false, hot_cross_entropy_slope, temperature},
    {LOSS(softmax_cross_entropy), true, cross_entropy_slope, 1, 0.2},
    {LOSS(softmax_cross_entropy), false, hot_cross_entropy_slope, temperature, 0.2},
    {LOSS(no), true, straight_slope},
    {LOSS(mean_squared_error), false, squared_slope},
    {LOSS(binary_cross_entropy), false, logistic_slope},
    {LOSS(huber), false, huber_slope},
};
#undef LOSS
template <class T>
auto kernel(const Isa& isa, const Kind& kind) {
  if constexpr (sizeof(T) == 4)
    return isa.float32.*kind.float32;
  else
    return isa.float64.*kind.float64;
}

template <class T>
void check_loss(const Isa& isa, const Kind& kind, size_t rows, size_t columns, bool weighted) {
  const size_t n = rows * columns;
  const double h = 1e-5;
  std::vector<T> scores = numbers<T>(n, 9, 0, 2), gradient(n + 1, T(-77)), cut = gradient, again = gradient,
                 weights(rows);
  const std::vector<T> tangent = numbers<T>(n, 10), targets = numbers<T>(n, 11);
  std::vector<int32_t> labels(rows);
  for (size_t i = 0; i < n; ++i)
    if (std::fabs(std::fabs(double(scores[i]) - double(targets[i])) - delta) < 1e-3) scores[i] += 1;  // not at the kink
  for (size_t i = 0; i < rows; ++i) {
    labels[i] = int32_t(i * 3 % columns), weights[i] = i % 4 == 2 ? T(0) : T(0.5 + 0.1 * double(i));
    if (weighted && weights[i] == 0) scores[i * columns] = std::numeric_limits<T>::quiet_NaN();
  }
  Loss<T> loss;
  loss.rows = rows, loss.columns = columns, loss.scale = T(0.4), loss.parameter = T(kind.parameter);
  loss.smoothing = T(kind.smoothing);
  loss.scores = scores.data(), loss.tangent = tangent.data(), loss.gradient = gradient.data();
  kind.labels ? void(loss.labels = labels.data()) : void(loss.targets = targets.data());
  if (weighted) loss.weights = weights.data();
  kernel<T>(isa, kind)(loss);
  for (size_t row = 0; row < rows; ++row) {
    Row t = doubles(targets, row * columns, columns);
    for (size_t j = 0; kind.labels && j < columns; ++j) t[j] = j == size_t(labels[row]);
    for (double& v : t) v = (1 - double(loss.smoothing)) * v + double(loss.smoothing) / double(columns);
    const Row s = doubles(scores, row * columns, columns), along = doubles(tangent, row * columns, columns);
    const Row above = kind.slope(plus(s, h, along), t), below = kind.slope(plus(s, -h, along), t);
    const double weight = weighted ? double(weights[row]) : 1;
    for (size_t j = 0; j < columns; ++j) {
      const double expected = weight == 0 ? 0 : 0.4 * weight * (above[j] - below[j]) / (2 * h);
      CHECK_NEAR(double(gradient[row * columns + j]), expected, (tolerance<T>(5e-6, 2e-9)));
    }
  }
  CHECK_EQ(gradient[n], T(-77));
  loss.gradient = cut.data();
  kernel<T>(isa, kind)(loss.part(0, rows / 2));
  kernel<T>(isa, kind)(loss.part(rows / 2, rows - rows / 2));
  CHECK(same_bits(cut, gradient));
  loss.gradient = again.data();
  kernel<T>(*available_isas()[0], kind)(loss);
  CHECK(same_bits(again, gradient));
}
TEST("losses' gradients move as their central differences, in any cut, and rows of weight 0 count for nothing") {
  for_both_types([](const Isa& isa, auto type) {
    for (size_t kind = 0; kind < std::size(kinds); ++kind)
      for (size_t rows : {1, 7})
        for (size_t columns : {1, 2, 8, 15, 16, 17, 67})
          for (bool weighted : {true, false}) {
            test::Scope scope("loss " + std::to_string(kind) + ", " + std::to_string(rows) + "x" +
                              std::to_string(columns) + (weighted ? ", weighted" : ""));
            check_loss<decltype(type)>(isa, kinds[kind], rows, columns, weighted);
          }
  });
}

}  // namespace
}  // namespace gradus
