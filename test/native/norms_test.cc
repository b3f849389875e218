// The norms against plain float64 loops; their gradients against central differences.
#include <cstring>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

template <class T>
struct Data {
  Norm<T> norm;
  std::vector<T> x, gain, bias, mean, inverse, variance, y, dy, dx, dgain, dbias;
  Data(size_t rows, size_t columns, size_t stride, bool by_row)
      : x(rows * stride, T(99)),
        gain(columns),
        bias(columns),
        mean(by_row ? rows : columns),
        inverse(mean.size()),
        variance(columns),
        y(rows * stride, T(-7)),
        dy(rows * stride, T(99)),
        dx(rows * stride, T(-7)),
        dgain(columns, T(2)),
        dbias(columns, T(3)) {
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) {
        x[i * stride + j] = T(3 + 2 * normal(random));
        dy[i * stride + j] = T(normal(random));
      }
    for (size_t j = 0; j < columns; ++j) gain[j] = T(1 + 0.3 * normal(random)), bias[j] = T(normal(random));
    norm.rows = rows, norm.columns = columns, norm.stride = stride, norm.epsilon = T(1e-3);
    norm.x = x.data(), norm.gain = gain.data(), norm.bias = bias.data(), norm.mean = mean.data();
    norm.inverse_deviation = inverse.data(), norm.variance = variance.data(), norm.y = y.data();
    norm.dy = dy.data(), norm.dx = dx.data(), norm.dgain = dgain.data(), norm.dbias = dbias.data();
  }
  Data(const Data&) = delete;
  void run(const Isa& isa, bool layer) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    if (layer) {
      kernels.layer_norm_forward(norm), kernels.layer_norm_backward(norm);
    } else {
      kernels.batch_norm_statistics(norm), kernels.batch_norm_forward(norm), kernels.batch_norm_backward(norm);
    }
  }
};

// y of element (i, j), in float64, from x as given: the whole normalisation again each time it is asked.
struct Oracle {
  size_t rows, columns, stride;
  bool layer;
  double epsilon;
  std::vector<double> x, gain, bias;
  template <class T>
  Oracle(const Data<T>& data, bool layer)
      : rows(data.norm.rows),
        columns(data.norm.columns),
        stride(data.norm.stride),
        layer(layer),
        epsilon(data.norm.epsilon),
        x(data.x.begin(), data.x.end()),
        gain(data.gain.begin(), data.gain.end()),
        bias(data.bias.begin(), data.bias.end()) {}
  void moments(size_t at, double& mean, double& variance) const {
    const size_t n = layer ? columns : rows;
    const auto value = [&](size_t k) { return layer ? x[at * stride + k] : x[k * stride + at]; };
    mean = variance = 0;
    for (size_t k = 0; k < n; ++k) mean += value(k) / double(n);
    for (size_t k = 0; k < n; ++k) variance += (value(k) - mean) * (value(k) - mean) / double(n);
  }
  std::vector<double> forward() const {
    std::vector<double> y(rows * stride);
    for (size_t at = 0; at < (layer ? rows : columns); ++at) {
      double mean, variance;
      moments(at, mean, variance);
      for (size_t k = 0; k < (layer ? columns : rows); ++k) {
        const size_t i = layer ? at : k, j = layer ? k : at;
        y[i * stride + j] = (x[i * stride + j] - mean) / std::sqrt(variance + epsilon) * gain[j] + bias[j];
      }
    }
    return y;
  }
};

template <class T>
void check_forward(const Isa& isa, bool layer, size_t rows, size_t columns, size_t stride) {
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  Data<T> data(rows, columns, stride, layer);
  const Oracle oracle(data, layer);
  data.run(isa, layer);
  const std::vector<double> y = oracle.forward();
  double worst = 0;
  bool padding = true;
  std::vector<double> dbias(columns, 3), dgain(columns, 2);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < stride; ++j) {
      const size_t at = i * stride + j;
      if (j >= columns) {
        padding = padding && data.y[at] == -7 && data.dx[at] == -7;
        continue;
      }
      worst = std::fmax(worst, std::fabs(data.y[at] - y[at]));
      dbias[j] += data.dy[at], dgain[j] += data.dy[at] * (y[at] - double(data.bias[j])) / double(data.gain[j]);
    }
  CHECK_NEAR(worst, 0, 4 * tolerance);
  CHECK(padding);
  for (size_t j = 0; j < columns; ++j) {
    CHECK_NEAR(data.dbias[j], dbias[j], tolerance * double(rows + 4));
    CHECK_NEAR(data.dgain[j], dgain[j], 4 * tolerance * double(rows + 4));
  }
  for (size_t at = 0; at < data.mean.size(); ++at) {
    double mean, variance;
    oracle.moments(at, mean, variance);
    CHECK_NEAR(data.mean[at], mean, tolerance);
    CHECK_NEAR(data.inverse[at] * std::sqrt(variance + oracle.epsilon), 1, tolerance);
    if (!layer) CHECK_NEAR(data.variance[at], variance, 10 * tolerance);
  }
}
TEST("forward passes, statistics and gradients of gain and bias follow the float64 reference") {
  for_each_isa([](const Isa& isa) {
    for (bool layer : {true, false})
      for (size_t rows : {1, 2, 63, 64, 65, 200})
        for (size_t columns : {1, 2, 7, 15, 16, 17, 33, 63, 64, 65, 67, 131}) {
          test::Scope scope((layer ? "layer " : "batch ") + std::to_string(rows) + "x" + std::to_string(columns));
          check_forward<float>(isa, layer, rows, columns, columns + 3);
          check_forward<double>(isa, layer, rows, columns, columns);
        }
  });
}

TEST("dx agrees with central differences in float64") {
  for_each_isa([](const Isa& isa) {
    for (bool layer : {true, false})
      for (size_t columns : {2, 7, 35}) {
        const size_t rows = 5;
        Data<double> data(rows, columns, columns, layer);
        Oracle oracle(data, layer);
        data.run(isa, layer);
        for (size_t at = 0; at < rows * columns; ++at) {
          const double h = 1e-5, x = oracle.x[at];
          double difference = 0;
          oracle.x[at] = x + h;
          const std::vector<double> above = oracle.forward();
          oracle.x[at] = x - h;
          const std::vector<double> below = oracle.forward();
          oracle.x[at] = x;
          for (size_t k = 0; k < above.size(); ++k) difference += data.dy[k] * (above[k] - below[k]) / (2 * h);
          CHECK_NEAR(data.dx[at], difference, 1e-7);
        }
      }
  });
}

template <class T>
void check_bits(bool layer) {
  const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  };
  const size_t rows = 130, columns = 147;
  Data<T> first(rows, columns, columns, layer);
  first.run(*available_isas()[0], layer);
  for_each_isa([&](const Isa& isa) {
    Data<T> other(rows, columns, columns, layer), without(rows, columns, columns, layer);
    other.run(isa, layer);
    CHECK(same(other.y, first.y) && same(other.dx, first.dx) && same(other.mean, first.mean));
    CHECK(same(other.inverse, first.inverse) && same(other.variance, first.variance));
    CHECK(same(other.dgain, first.dgain) && same(other.dbias, first.dbias));
    without.norm.dx = nullptr;
    without.run(isa, layer);
    CHECK(same(without.dgain, first.dgain) && same(without.dbias, first.dbias));
    if (layer) return;
    // Batch norm column by column, cut where no group of vectors begins.
    Data<T> left(rows, columns, columns, false), &cut = left;
    const Norm<T> whole = cut.norm;
    for (const auto& part : {std::pair<size_t, size_t>{0, 53}, {53, 147}}) {
      const size_t j = part.first;
      cut.norm = whole;
      cut.norm.columns = part.second - j;
      cut.norm.x += j, cut.norm.gain += j, cut.norm.bias += j, cut.norm.mean += j, cut.norm.inverse_deviation += j;
      cut.norm.variance += j, cut.norm.y += j, cut.norm.dy += j, cut.norm.dx += j, cut.norm.dgain += j;
      cut.norm.dbias += j;
      cut.run(isa, false);
    }
    CHECK(same(cut.y, first.y) && same(cut.dx, first.dx) && same(cut.dgain, first.dgain));
  });
}
TEST("norms give the same bits on every ISA, without dx, and for any cut of batch norm's columns") {
  check_bits<float>(true), check_bits<float>(false), check_bits<double>(true), check_bits<double>(false);
}

}  // namespace
}  // namespace gradus
