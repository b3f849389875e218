// Activations against their formulas in the next wider type, their slopes against central differences of those.
#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "test.h"

using namespace gradus;
using test::for_each_isa;

namespace {
using W = long double;

struct Kind {
  const char* name;
  Activation kind;
  double parameter;
  W (*reference)(W x);
};
const Kind kinds[] = {
    {"identity", Activation::identity, 0, [](W x) { return x; }},
    {"relu", Activation::relu, 0, [](W x) { return x > 0 ? x : 0; }},
    {"leaky_relu", Activation::leaky_relu, 0.125, [](W x) { return x > 0 ? x : x / 8; }},
    {"elu", Activation::elu, 0.75, [](W x) { return x > 0 ? x : 0.75L * std::expm1(x); }},
    {"gelu", Activation::gelu, 0, [](W x) { return x * std::erfc(-x / std::sqrt(W(2))) / 2; }},
    {"silu", Activation::silu, 0, [](W x) { return x / (1 + std::exp(-x)); }},
    {"tanh", Activation::tanh, 0, [](W x) { return std::tanh(x); }},
    {"sigmoid", Activation::sigmoid, 0, [](W x) { return 1 / (1 + std::exp(-x)); }},
    {"softplus", Activation::softplus, 0, [](W x) { return std::log1p(std::exp(x)); }},
};

constexpr double untouched = -77;  // what lies behind each result

// From the far negative tail to where every activation is linear, dense around zero.
template <class T>
std::vector<T> points() {
  std::vector<T> x;
  for (int i = -2000; i <= 2000; ++i) x.push_back(T(std::pow(i / 300.0, 3)));
  return x;
}

template <class T>
void check_forward(const Isa& isa, const Kind& kind) {
  const std::vector<T> x = points<T>();
  std::vector<T> y(x.size());
  kernels_of<T>(isa).activation_forward(kind.kind, T(kind.parameter), x.data(), x.size(), y.data());
  const double u = std::numeric_limits<T>::epsilon() / 2, smallest = std::numeric_limits<T>::denorm_min();
  for (size_t i = 0; i < x.size(); ++i) {
    const W expected = kind.reference(x[i]);
    // gelu and silu multiply x by a factor that may be subnormal itself.
    CHECK_NEAR(double(W(y[i]) - expected), 0, 16 * u * std::fabs(double(expected)) + smallest * (1 + std::fabs(x[i])));
  }
}

template <class T>
void check_backward(const Isa& isa, const Kind& kind) {
  const std::vector<T> x = points<T>();
  std::vector<T> y(x.size()), dy(x.size()), dx(x.size());
  for (size_t i = 0; i < x.size(); ++i) dy[i] = T(1 + double(i % 7) / 4);
  const Kernels<T>& kernels = kernels_of<T>(isa);
  kernels.activation_forward(kind.kind, T(kind.parameter), x.data(), x.size(), y.data());
  kernels.activation_backward(kind.kind, T(kind.parameter), x.data(), y.data(), dy.data(), x.size(), dx.data());
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;  // the kink; see below
    const W h = std::min(W(1e-3), std::fabs(W(x[i])) / 4), at = x[i];
    const W near = kind.reference(at + h) - kind.reference(at - h);
    const W far = kind.reference(at + 2 * h) - kind.reference(at - 2 * h);
    const double slope = double((8 * near - far) / (12 * h)) * double(dy[i]);
    CHECK_NEAR(dx[i], slope, 24 * std::numeric_limits<T>::epsilon() + 1e-11);
  }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
std::vector<T> normal_numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 2);
  std::vector<T> x(n);
  for (T& value : x) value = T(normal(random));
  return x;
}

const Isa& scalar() {
  const Isa* const* isa = available_isas();
  while (isa[1]) ++isa;
  return **isa;
}

// Every length, each ISA against the scalar one, also with y over x and dx over dy.
template <class T>
void check_same_bits(const Isa& isa, const Kind& kind, size_t n) {
  const Kernels<T>&reference = kernels_of<T>(scalar()), &kernels = kernels_of<T>(isa);
  const T parameter = T(kind.parameter);
  const bool from_input = kind.kind == Activation::gelu || kind.kind == Activation::silu;
  std::vector<T> x = normal_numbers<T>(n + 1, unsigned(n)), dy = normal_numbers<T>(n + 1, unsigned(n) + 1000);
  x[n] = dy[n] = T(untouched);
  std::vector<T> y = x, dx = dy;
  reference.activation_forward(kind.kind, parameter, x.data(), n, y.data());
  reference.activation_backward(kind.kind, parameter, x.data(), y.data(), dy.data(), n, dx.data());
  std::vector<T> in_place = x;
  kernels.activation_forward(kind.kind, parameter, in_place.data(), n, in_place.data());
  CHECK(same_bits(in_place, y));
  // The one of x and y that is not needed may be missing.
  kernels.activation_backward(kind.kind, parameter, from_input ? x.data() : nullptr, from_input ? nullptr : y.data(),
                              dy.data(), n, dy.data());
  CHECK(same_bits(dy, dx));
}

template <class T>
void check_maxout(const Isa& isa, size_t rows, size_t units, size_t pieces) {
  std::vector<T> x = normal_numbers<T>(rows * units * pieces, unsigned(units * pieces));
  for (T& value : x) value = std::round(value);  // so that there are ties
  const std::vector<T> dy = normal_numbers<T>(rows * units, 9);
  std::vector<T> y(rows * units + 1, T(untouched)), dx(x.size() + 1, T(untouched));
  std::vector<int32_t> winners(rows * units + 1, -77);
  kernels_of<T>(isa).maxout_forward(x.data(), rows, units, pieces, y.data(), winners.data());
  kernels_of<T>(isa).maxout_backward(dy.data(), winners.data(), rows, units, pieces, dx.data());
  for (size_t unit = 0; unit < rows * units; ++unit) {
    const auto first = x.begin() + long(unit * pieces), winner = std::max_element(first, first + long(pieces));
    CHECK_EQ(y[unit], *winner);
    CHECK_EQ(winners[unit], int32_t(winner - first));
    for (size_t piece = 0; piece < pieces; ++piece)
      CHECK_EQ(dx[unit * pieces + piece], int32_t(piece) == int32_t(winner - first) ? dy[unit] : T(0));
  }
  CHECK_EQ(y[rows * units], T(untouched));
  CHECK_EQ(dx[x.size()], T(untouched));
  CHECK_EQ(winners[rows * units], -77);
}

template <class T>
void check_softmax(const Isa& isa, size_t rows, size_t columns) {
  std::vector<T> x = normal_numbers<T>(rows * columns, unsigned(columns));
  for (size_t i = 0; i < x.size(); ++i) x[i] += T(1000 * double(i / columns) - 2000);
  std::vector<T> y(x.size() + 1, T(untouched)), expected = y;
  kernels_of<T>(isa).softmax(x.data(), rows, columns, y.data());
  kernels_of<T>(scalar()).softmax(x.data(), rows, columns, expected.data());
  CHECK(same_bits(y, expected));
  CHECK_EQ(y.back(), T(untouched));
  for (size_t row = 0; row < rows; ++row) {
    const auto first = x.begin() + long(row * columns);
    const W largest = *std::max_element(first, first + long(columns));
    W total = 0;
    for (size_t j = 0; j < columns; ++j) total += std::exp(W(first[long(j)]) - largest);
    for (size_t j = 0; j < columns; ++j) {
      const double p = double(std::exp(W(first[long(j)]) - largest) / total);
      // The difference to the largest score is rounded once, which the exponential magnifies.
      CHECK_NEAR(y[row * columns + j], p, 16 * std::numeric_limits<T>::epsilon() * p);
    }
  }
}
}  // namespace

TEST("activations equal their formulas") {
  for_each_isa([](const Isa& isa) {
    for (const Kind& kind : kinds) {
      test::Scope scope(kind.name);
      check_forward<float>(isa, kind), check_forward<double>(isa, kind);
    }
  });
}

TEST("activation slopes equal central differences") {
  for_each_isa([](const Isa& isa) {
    for (const Kind& kind : kinds) {
      test::Scope scope(kind.name);
      check_backward<float>(isa, kind), check_backward<double>(isa, kind);
    }
  });
}

TEST("relu has slope 0 at its kink") {
  for_each_isa([](const Isa& isa) {
    const double zero = 0, dy = 3;
    double dx = untouched;
    isa.float64.activation_backward(Activation::relu, 0, &zero, &zero, &dy, 1, &dx);
    CHECK_EQ(dx, 0.0);
  });
}

TEST("activations keep NaN, and find the limits at the infinities") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for_each_isa([&](const Isa& isa) {
    for (const Kind& kind : kinds) {
      test::Scope scope(kind.name);
      const float x[] = {nan, inf, -inf};
      float y[3];
      isa.float32.activation_forward(kind.kind, float(kind.parameter), x, 3, y);
      CHECK(std::isnan(y[0]));
      CHECK_EQ(y[1], float(kind.reference(W(inf))));
      const bool product = kind.kind == Activation::gelu || kind.kind == Activation::silu;
      CHECK_EQ(y[2], product ? 0.0f : float(kind.reference(-W(inf))));
    }
  });
}

TEST("activations are the same bits on every ISA, in place too, and write nothing behind the end") {
  for_each_isa([](const Isa& isa) {
    for (const Kind& kind : kinds)
      for (size_t n = 0; n <= 67; ++n) {
        test::Scope scope(std::string(kind.name) + ", n = " + std::to_string(n));
        check_same_bits<float>(isa, kind, n), check_same_bits<double>(isa, kind, n);
      }
  });
}

TEST("maxout takes the first largest piece and sends the gradient there") {
  for_each_isa([](const Isa& isa) {
    for (size_t units : {1, 3, 17})
      for (size_t pieces : {1, 2, 3, 5})
        check_maxout<float>(isa, 4, units, pieces), check_maxout<double>(isa, 4, units, pieces);
  });
}

TEST("softmax equals its formula at any shift, the same bits on every ISA") {
  for_each_isa([](const Isa& isa) {
    for (size_t columns = 1; columns <= 67; ++columns) {
      test::Scope scope("columns " + std::to_string(columns));
      check_softmax<float>(isa, 5, columns), check_softmax<double>(isa, 5, columns);
    }
  });
}
