// How norms move against differences of the norms written plainly in float64, and batch norm whose statistics
// are constants.
#include <vector>

#include "arrays.h"

namespace gradus {
namespace {
using test::for_each_isa;
using test::numbers;
using test::same_bits;
using Numbers = std::vector<double>;

// The norm and its gradient as plain loops: rows of layer norm, columns of batch norm are lines of length n.
struct Plain {
  size_t rows, columns, stride;
  bool layer, follows;
  Numbers x, gain, bias, dy;  // what moves
  Numbers mean, inverse;      // of each line; constants where they do not follow x
  Numbers y, dx, dgain, dbias;

  void run() {
    const size_t lines = layer ? rows : columns, n = layer ? columns : rows;
    y.assign(x.size(), 0), dx = y, dgain.assign(columns, 0), dbias = dgain;
    mean.resize(lines), inverse.resize(lines);
    for (size_t line = 0; line < lines; ++line) {
      const auto at = [&](size_t k) { return layer ? line * stride + k : k * stride + line; };
      const auto column = [&](size_t k) { return layer ? k : line; };
      if (follows) find_statistics(line, n, at);
      const auto normal = [&](size_t k) { return (x[at(k)] - mean[line]) * inverse[line]; };
      double mean_e = 0, mean_along = 0;
      for (size_t k = 0; k < n; ++k) {
        const double e = dy[at(k)] * gain[column(k)];
        if (follows) mean_e += e / double(n), mean_along += e * normal(k) / double(n);
        y[at(k)] = normal(k) * gain[column(k)] + bias[column(k)];
        dgain[column(k)] += dy[at(k)] * normal(k), dbias[column(k)] += dy[at(k)];
      }
      for (size_t k = 0; k < n; ++k)
        dx[at(k)] = inverse[line] * (dy[at(k)] * gain[column(k)] - mean_e - normal(k) * mean_along);
    }
  }
  template <class At>
  void find_statistics(size_t line, size_t n, At at) {
    double variance = 0;
    mean[line] = 0;
    for (size_t k = 0; k < n; ++k) mean[line] += x[at(k)] / double(n);
    for (size_t k = 0; k < n; ++k) variance += std::pow(x[at(k)] - mean[line], 2) / double(n);
    inverse[line] = 1 / std::sqrt(variance + 1e-2);
  }
};

template <class T>
Numbers doubles(const std::vector<T>& x) {
  return Numbers(x.begin(), x.end());
}

template <class T>
struct Case {
  std::vector<T> x, gain, bias, dy, x_tangent, gain_tangent, bias_tangent, dy_tangent, mean, inverse;
  std::vector<T> y_out, dx_out, dgain_out, dbias_out;
  Plain plain;
  NormTangent<T> tangent;

  Case(size_t rows, size_t columns, size_t stride, bool layer, bool follows)
      : x(numbers<T>(rows * stride, 1, 2)),
        gain(numbers<T>(columns, 2, 1)),
        bias(numbers<T>(columns, 3)),
        dy(numbers<T>(rows * stride, 4)),
        x_tangent(numbers<T>(rows * stride, 5)),
        gain_tangent(numbers<T>(columns, 6)),
        bias_tangent(numbers<T>(columns, 7)),
        dy_tangent(numbers<T>(rows * stride, 8)),
        y_out(rows * stride, T(-77)),
        dx_out(rows * stride, T(-77)),
        dgain_out(columns, T(2)),
        dbias_out(columns, T(3)),
        plain{rows, columns, stride, layer, follows, doubles(x), doubles(gain), doubles(bias), doubles(dy),
              {},   {},      {},     {},    {},      {}} {
    if (!follows) plain.mean = Numbers(columns, 1.5), plain.inverse = Numbers(columns, 0.75);
    plain.run();
    mean.assign(plain.mean.begin(), plain.mean.end()), inverse.assign(plain.inverse.begin(), plain.inverse.end());
    Norm<T>& norm = tangent.norm;
    norm.rows = rows, norm.columns = columns, norm.stride = stride;
    norm.x = x.data(), norm.gain = gain.data(), norm.dy = dy.data();
    norm.mean = mean.data(), norm.inverse_deviation = inverse.data();
    tangent.x_tangent = x_tangent.data(), tangent.gain_tangent = gain_tangent.data();
    tangent.bias_tangent = bias_tangent.data(), tangent.dy_tangent = dy_tangent.data();
    tangent.y_tangent = y_out.data(), tangent.dx_tangent = dx_out.data();
    tangent.dgain_tangent = dgain_out.data(), tangent.dbias_tangent = dbias_out.data();
    tangent.follows = follows;
  }
  Case(const Case&) = delete;

  void run(const Isa& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    plain.layer ? kernels.layer_norm_forward_tangent(tangent) : kernels.batch_norm_forward_tangent(tangent);
    plain.layer ? kernels.layer_norm_backward_tangent(tangent) : kernels.batch_norm_backward_tangent(tangent);
  }
  Plain moved(double t) const {
    Plain at = plain;
    const auto move = [t](Numbers& x, const std::vector<T>& tangent) {
      for (size_t i = 0; i < x.size(); ++i) x[i] += t * double(tangent[i]);
    };
    move(at.x, x_tangent), move(at.gain, gain_tangent), move(at.bias, bias_tangent), move(at.dy, dy_tangent);
    at.run();
    return at;
  }
};

template <class T>
void check_tangents(const Isa& isa, size_t rows, size_t columns, bool layer, bool follows) {
  const size_t stride = columns + 2;
  const double h = 1e-4, tolerance = sizeof(T) == 4 ? 2e-4 : 1e-8;
  Case<T> of(rows, columns, stride, layer, follows), first(rows, columns, stride, layer, follows),
      without(rows, columns, stride, layer, follows);
  of.run(isa);
  const Plain above = of.moved(h), below = of.moved(-h), far_above = of.moved(2 * h), far_below = of.moved(-2 * h);
  const auto slope = [&](Numbers Plain::*result, size_t i) {  // to the fourth order of h
    const double far = (far_above.*result)[i] - (far_below.*result)[i];
    return (8 * ((above.*result)[i] - (below.*result)[i]) - far) / (12 * h);
  };
  for (size_t i = 0; i < rows * stride; ++i) {
    const bool padding = i % stride >= columns;
    CHECK_NEAR(double(of.y_out[i]), padding ? -77 : slope(&Plain::y, i), tolerance);
    CHECK_NEAR(double(of.dx_out[i]), padding ? -77 : slope(&Plain::dx, i), tolerance);
  }
  for (size_t j = 0; j < columns; ++j) {
    CHECK_NEAR(double(of.dgain_out[j]), 2 + slope(&Plain::dgain, j), tolerance * double(rows));
    CHECK_NEAR(double(of.dbias_out[j]), 3 + slope(&Plain::dbias, j), tolerance * double(rows));
  }
  first.run(*available_isas()[0]);
  CHECK(same_bits(first.y_out, of.y_out) && same_bits(first.dx_out, of.dx_out));
  without.tangent.dx_tangent = nullptr;
  without.run(isa);
  CHECK_EQ(without.dx_out[0], T(-77));
  for (const Case<T>* other : {&first, &without})
    CHECK(same_bits(other->dgain_out, of.dgain_out) && same_bits(other->dbias_out, of.dbias_out));
}
TEST("norms and their gradients move as their differences say, with the same bits on every ISA") {
  for_each_isa([](const Isa& isa) {
    for (size_t rows : {2, 5, 67})
      for (size_t columns : {2, 7, 17, 35})
        for (int which : {0, 1, 2}) {
          const bool layer = which == 0, follows = which < 2;
          test::Scope scope((layer     ? "layer "
                             : follows ? "batch "
                                       : "constants ") +
                            std::to_string(rows) + "x" + std::to_string(columns));
          check_tangents<float>(isa, rows, columns, layer, follows);
          check_tangents<double>(isa, rows, columns, layer, follows);
        }
  });
}

template <class T>
void check_constants(const Isa& isa, size_t rows, size_t columns) {
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-13;
  const size_t stride = columns + 2, half = rows > 64 ? 64 : rows, blocks = blocks_of(rows);
  Case<T> of(rows, columns, stride, false, false), first(rows, columns, stride, false, false),
      cut(rows, columns, stride, false, false);
  const auto norm_of = [=](Case<T>& from) {
    Norm<T> norm = from.tangent.norm;
    for (std::vector<T>* sums : {&from.dgain_out, &from.dbias_out}) sums->assign(blocks * columns, T(-77));
    norm.dx = from.dx_out.data(), norm.dgain = from.dgain_out.data(), norm.dbias = from.dbias_out.data();
    return norm;
  };
  kernels_of<T>(isa).batch_norm_backward_of_constants(norm_of(of));
  for (size_t i = 0; i < of.dx_out.size(); ++i)
    CHECK_NEAR(double(of.dx_out[i]), i % stride < columns ? of.plain.dx[i] : -77, tolerance);
  for (size_t j = 0; j < columns; ++j) {
    double dgain = 0, dbias = 0;
    for (size_t block = 0; block < blocks; ++block)
      dgain += double(of.dgain_out[block * columns + j]), dbias += double(of.dbias_out[block * columns + j]);
    CHECK_NEAR(dgain, of.plain.dgain[j], tolerance * double(rows));
    CHECK_NEAR(dbias, of.plain.dbias[j], tolerance * double(rows));
  }
  kernels_of<T>(*available_isas()[0]).batch_norm_backward_of_constants(norm_of(first));
  CHECK(same_bits(first.dx_out, of.dx_out));
  const Norm<T> whole = norm_of(cut);
  Norm<T> rest = whole.blocks_from(half, rows - half);
  rest.dx = nullptr;
  kernels_of<T>(isa).batch_norm_backward_of_constants(whole.blocks_from(0, half));
  kernels_of<T>(isa).batch_norm_backward_of_constants(rest);
  for (const Case<T>* other : {&first, &cut})
    CHECK(same_bits(other->dgain_out, of.dgain_out) && same_bits(other->dbias_out, of.dbias_out));
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0, at = i * stride; j < columns; ++j)
      CHECK_EQ(cut.dx_out[at + j], i < half ? of.dx_out[at + j] : T(-77));
}
TEST("a batch norm of constants has the gradient of a line, in any cut at blocks and with the same bits on every ISA") {
  for_each_isa([](const Isa& isa) {
    for (size_t rows : {1, 5, 64, 65, 200})
      for (size_t columns : {1, 7, 16, 33, 67, 131}) {
        test::Scope scope(std::to_string(rows) + "x" + std::to_string(columns));
        check_constants<float>(isa, rows, columns), check_constants<double>(isa, rows, columns);
      }
  });
}

template <class T>
void check_inverse(const Isa& isa) {
  for (size_t n : {1, 7, 16, 17, 67}) {
    std::vector<T> variance = numbers<T>(n, 9), inverse(n + 1, T(-77));
    for (T& v : variance) v *= v;
    kernels_of<T>(isa).inverse_deviations(variance.data(), n, T(1e-3), inverse.data());
    for (size_t j = 0; j < n; ++j) CHECK_EQ(inverse[j], 1 / std::sqrt(variance[j] + T(1e-3)));
    CHECK_EQ(inverse[n], T(-77));
  }
}
TEST("inverse deviations are rounded as in the scalar formula") {
  for_each_isa([](const Isa& isa) { check_inverse<float>(isa), check_inverse<double>(isa); });
}

}  // namespace
}  // namespace gradus
