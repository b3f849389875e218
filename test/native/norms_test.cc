// The norms against plain float64 loops; their gradients against central differences.
#include <algorithm>
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
  std::vector<T> block_sums[2];  // (blocks, columns)
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
        dbias(columns, T(3)),
        block_sums{std::vector<T>(blocks_of(rows) * columns, T(-7)), std::vector<T>(blocks_of(rows) * columns, T(-7))} {
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
    norm.inverse_deviation = inverse.data(), norm.y = y.data();
    norm.dy = dy.data(), norm.dx = dx.data(), norm.dgain = block_sums[0].data(), norm.dbias = block_sums[1].data();
  }
  Data(const Data&) = delete;
  // `piece` rows at once and `width` columns, as a device cuts the kernels.
  void run(const Isa& isa, bool layer, size_t piece = SIZE_MAX, size_t width = SIZE_MAX) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const size_t rows = norm.rows, columns = norm.columns, stride = norm.stride, blocks = blocks_of(rows);
    T *first = block_sums[0].data(), *second = block_sums[1].data();
    const auto add_blocks = [&](const T* sums, T beta, std::vector<T>& total) {
      in_pieces(columns, width, [&](size_t j, size_t count) {
        kernels.add_blocks(sums + j, blocks, count, columns, beta, total.data() + j);
      });
    };
    if (layer) {
      kernels.layer_norm_forward(norm);
      in_pieces(rows, piece, [&](size_t i, size_t count) { kernels.layer_norm_backward(norm.rows_from(i, count)); });
    } else {
      in_pieces(rows, piece, [&](size_t i, size_t count) {
        const size_t block = i / block_rows * columns;
        kernels.batch_norm_block_statistics(norm.x + i * stride, count, columns, stride, first + block, second + block);
      });
      in_pieces(columns, width, [&](size_t j, size_t count) {
        kernels.batch_norm_merge(first + j, second + j, rows, count, columns, norm.epsilon, norm.mean + j,
                                 variance.data() + j, norm.inverse_deviation + j);
      });
      in_pieces(rows, piece, [&](size_t i, size_t count) {
        kernels.batch_norm_forward(norm.examples_from(i, count));
        kernels.batch_norm_block_gradients(norm.blocks_from(i, count));
      });
      std::vector<T> totals[2] = {dgain, dbias};
      add_blocks(first, 0, totals[0]), add_blocks(second, 0, totals[1]);
      Norm<T> whole = norm;
      whole.dgain = totals[0].data(), whole.dbias = totals[1].data();
      if (norm.dx)
        in_pieces(rows, piece,
                  [&](size_t i, size_t count) { kernels.batch_norm_backward(whole.examples_from(i, count), rows); });
    }
    add_blocks(first, 1, dgain), add_blocks(second, 1, dbias);
  }

 private:
  template <class Body>
  static void in_pieces(size_t n, size_t piece, const Body& body) {
    for (size_t first = 0; first < n; first += std::min(piece, n - first)) body(first, std::min(piece, n - first));
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

// The kernels without it, and those of activations before and after.
template <class T>
void check_activation(const Isa& isa, Activation kind, size_t rows, size_t columns) {
  const Kernels<T>& kernels = kernels_of<T>(isa);
  const T parameter = T(0.5);
  Data<T> plain(rows, columns, columns, false), fused(rows, columns, columns, false);
  plain.run(isa, false), fused.run(isa, false);
  const size_t n = rows * columns;
  std::vector<T> y(n), dz(n);
  kernels.activation_forward(kind, parameter, plain.y.data(), n, y.data());
  kernels.activation_backward(kind, parameter, plain.y.data(), y.data(), plain.dy.data(), n, dz.data());
  plain.dy = dz, plain.norm.dy = plain.dy.data();
  kernels.batch_norm_block_gradients(plain.norm);
  Norm<T>& norm = fused.norm;
  norm.above = kind, norm.above_parameter = parameter, norm.dz = fused.dy.data();
  const std::vector<T> dy = fused.dy;
  for (size_t first = 0; first < rows; first += block_rows)
    kernels.batch_norm_block_gradients(norm.blocks_from(first, std::min(block_rows, rows - first)));
  CHECK(kind == Activation::identity ? fused.dy == dy : fused.dy == dz);
  for (size_t i : {0, 1}) CHECK(fused.block_sums[i] == plain.block_sums[i]);
  for (size_t first = 0; first < rows; first += 3)
    kernels.batch_norm_forward(norm.examples_from(first, std::min<size_t>(3, rows - first)));
  CHECK(fused.y == y);
  fused.dy = dy;
  kernels.batch_norm_backward_of_constants(plain.norm), kernels.batch_norm_backward_of_constants(norm);
  CHECK(fused.dx == plain.dx);
  for (size_t i : {0, 1}) CHECK(fused.block_sums[i] == plain.block_sums[i]);
}
constexpr Activation kinds[] = {
#define ACTIVATION(name, parameter) Activation::name,
#include "kernels/activations.def"
#undef ACTIVATION
};
TEST("batch norm with the activation above it has the bits of both, one after the other") {
  for_each_isa([](const Isa& isa) {
    for (Activation kind : kinds)
      for (size_t columns : {1, 17, 64, 70}) {
        test::Scope scope("activation " + std::to_string(int(kind)) + ", columns " + std::to_string(columns));
        check_activation<float>(isa, kind, 130, columns);
        check_activation<double>(isa, kind, 65, columns);
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
void check_bits(bool layer, size_t rows) {
  const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  };
  const size_t columns = 147;
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
    for (size_t piece : {64, 128}) {
      Data<T> cut(rows, columns, columns, layer);
      cut.run(isa, layer, piece, 53);  // where no group of vectors begins
      CHECK(same(cut.y, first.y) && same(cut.dx, first.dx) && same(cut.mean, first.mean));
      CHECK(same(cut.inverse, first.inverse) && same(cut.variance, first.variance));
      CHECK(same(cut.dgain, first.dgain) && same(cut.dbias, first.dbias));
    }
  });
}
TEST("norms give the same bits on every ISA, without dx, and however their rows are cut at blocks") {
  for (bool layer : {true, false})
    for (size_t rows : {1, 63, 64, 65, 127, 128, 129, 200})
      check_bits<float>(layer, rows), check_bits<double>(layer, rows);
}

// The sums of one column over rows, in the order that is promised.
template <class T>
struct OrderedColumn {
  const Data<T>& data;
  size_t column;
  bool layer;

  T x(size_t i) const { return data.x[i * data.norm.stride + column]; }
  T dy(size_t i) const { return data.dy[i * data.norm.stride + column]; }
  T normal(size_t i) const {
    const size_t line = layer ? i : column;
    return (x(i) - data.mean[line]) * data.inverse[line];
  }
  T dbias_of(size_t first, size_t end) const {
    T sum = 0;
    for (size_t i = first; i < end; ++i) sum = sum + dy(i);
    return sum;
  }
  T dgain_of(size_t first, size_t end) const {
    T sum = 0;
    for (size_t i = first; i < end; ++i) sum = layer ? std::fma(dy(i), normal(i), sum) : sum + dy(i) * normal(i);
    return sum;
  }
  void check_sums() const {
    T dgain = dgain_of(0, std::min<size_t>(64, data.norm.rows)),
      dbias = dbias_of(0, std::min<size_t>(64, data.norm.rows));
    for (size_t first = 64; first < data.norm.rows; first += 64) {
      dgain += dgain_of(first, std::min(first + 64, data.norm.rows));
      dbias += dbias_of(first, std::min(first + 64, data.norm.rows));
    }
    CHECK_EQ(data.dgain[column], 2 + dgain);
    CHECK_EQ(data.dbias[column], 3 + dbias);
  }
  void check_statistics() const {
    double mean = 0, squares = 0;
    for (size_t first = 0; first < data.norm.rows; first += 64) {
      const size_t end = std::min(first + 64, data.norm.rows);
      T block_mean = 0, about = 0;
      for (size_t i = first; i < end; ++i) block_mean += x(i);
      block_mean /= T(end - first);
      for (size_t i = first; i < end; ++i) about += (x(i) - block_mean) * (x(i) - block_mean);
      const double share = double(end - first) / double(end), shift = double(block_mean) - mean;
      mean += shift * share;
      squares += double(about) + shift * (shift * (double(first) * share));
    }
    CHECK_EQ(data.mean[column], T(mean));
    CHECK_EQ(data.variance[column], T(squares / double(data.norm.rows)));
    CHECK_EQ(data.inverse[column], T(1) / std::sqrt(data.variance[column] + data.norm.epsilon));
  }
};
template <class T>
void check_order(const Isa& isa, size_t rows, bool layer) {
  Data<T> data(rows, 67, 70, layer);
  data.run(isa, layer);
  for (size_t column = 0; column < 67; ++column) {
    const OrderedColumn<T> ordered{data, column, layer};
    ordered.check_sums();
    if (!layer) ordered.check_statistics();
  }
}
TEST("sums over rows are made in blocks of 64, which are added and merged in order") {
  for_each_isa([](const Isa& isa) {
    for (bool layer : {true, false})
      for (size_t rows : {1, 63, 64, 65, 127, 128, 129, 200}) {
        test::Scope scope((layer ? "layer " : "batch ") + std::to_string(rows));
        check_order<float>(isa, rows, layer), check_order<double>(isa, rows, layer);
      }
  });
}

TEST("the statistics of large numbers do not overflow") {
  for_each_isa([](const Isa& isa) {
    Data<double> data(70, 3, 3, false);
    for (double& x : data.x) x = 0x1p664;
    data.run(isa, false);
    for (size_t j = 0; j < 3; ++j) CHECK_EQ(data.variance[j], 0.0);
  });
}

}  // namespace
}  // namespace gradus
