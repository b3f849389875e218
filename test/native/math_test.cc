// exp and log, and through the activations tanh, sigmoid, softplus and elu (expm1), against the C
// library one precision up. GRADUS_EXHAUSTIVE=1 visits every float.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "test.h"

using namespace gradus;
using test::for_each_isa;

namespace {
template <class T>
using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;
template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <class T>
struct Function {
  const char* name;
  double allowed;  // ulp
  void (*run)(const Kernels<T>&, const T* x, size_t n, T* y);
  Wide<T> (*reference)(Wide<T> x);
};

template <class T, Activation kind>
void run_activation(const Kernels<T>& kernels, const T* x, size_t n, T* y) {
  kernels.activation_forward(kind, T(1), x, n, y);
}

template <class T>
const std::vector<Function<T>>& functions() {
  using W = Wide<T>;
  static const std::vector<Function<T>> list = {
      {"exp", 1.5, [](const Kernels<T>& k, const T* x, size_t n, T* y) { k.exp(x, n, y); },
       [](W x) -> W { return std::exp(x); }},
      {"log", 1.5, [](const Kernels<T>& k, const T* x, size_t n, T* y) { k.log(x, n, y); },
       [](W x) -> W { return std::log(x); }},
      {"tanh", 3, run_activation<T, Activation::tanh>, [](W x) -> W { return std::tanh(x); }},
      {"sigmoid", 3, run_activation<T, Activation::sigmoid>,
       [](W x) -> W { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }},
      {"softplus", 3, run_activation<T, Activation::softplus>,
       [](W x) -> W { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }},
      {"elu", 3, run_activation<T, Activation::elu>, [](W x) -> W { return x > 0 ? x : std::expm1(x); }},
  };
  return list;
}

// The distance of y from the exact value in units of the last place of the value as rounded.
template <class T>
double ulps(T y, Wide<T> exact) {
  const T rounded = T(exact);
  if (std::isnan(y) || std::isnan(rounded) || std::isinf(y) || std::isinf(rounded)) {
    const bool same = (std::isnan(y) && std::isnan(rounded)) || y == rounded;
    return same ? 0 : std::numeric_limits<double>::infinity();
  }
  int exponent;
  std::frexp(rounded, &exponent);
  using Limits = std::numeric_limits<T>;
  const int place = std::max(rounded == 0 ? Limits::min_exponent : exponent, Limits::min_exponent) - Limits::digits;
  return double(std::fabs(Wide<T>(y) - exact) / std::ldexp(Wide<T>(1), place));
}

template <class T>
T of_bits(Bits<T> bits) {
  T x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Every step-th bit pattern of T, all exponents, subnormals, infinities and NaNs among them. The infinities themselves
// are left to the table of specials.
template <class T>
void sweep(const Isa& isa, const Function<T>& function, Bits<T> step) {
  constexpr size_t block = 1 << 12;
  std::vector<T> x(block), y(block);
  double worst = 0;
  T worst_at = 0;
  Bits<T> bits = 0;
  for (bool more = true; more;) {
    size_t n = 0;
    while (more && n < block) {
      const T value = of_bits<T>(bits);
      if (!std::isinf(value)) x[n++] = value;
      more = Bits<T>(bits + step) > bits;
      bits += step;
    }
    function.run(kernels_of<T>(isa), x.data(), n, y.data());
    for (size_t i = 0; i < n; ++i) {
      const double error = ulps(y[i], function.reference(Wide<T>(x[i])));
      if (!(error <= worst)) worst = error, worst_at = x[i];
    }
  }
  std::ostringstream text;
  text << function.name << " at " << std::hexfloat << worst_at;
  test::Scope scope(text.str());
  CHECK_NEAR(worst, 0, function.allowed);
  if (std::getenv("GRADUS_VERBOSE"))
    std::printf("    %s %s float%zu: %.3f ulp\n", isa.name, function.name, sizeof(T) * 8, worst);
}

const Isa& scalar() {
  const Isa* const* isa = available_isas();
  while (isa[1]) ++isa;
  return **isa;
}

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

template <class T>
void check_specials(const Isa& isa) {
  using Limits = std::numeric_limits<T>;
  const T inf = Limits::infinity(), nan = Limits::quiet_NaN(), tiny = Limits::denorm_min();
  struct Row {
    const char* name;
    T x, y;
  };
  const Row rows[] = {
      {"exp", 0, 1},
      {"exp", T(-0.0), 1},
      {"exp", inf, inf},
      {"exp", -inf, 0},
      {"exp", nan, nan},
      {"exp", tiny, 1},
      {"exp", Limits::max(), inf},
      {"exp", Limits::lowest(), 0},
      {"exp", T(sizeof(T) == 4 ? 88.73 : 709.79), inf},
      {"exp", T(sizeof(T) == 4 ? -103.98 : -745.14), 0},
      {"exp", T(sizeof(T) == 4 ? -103.5 : -745), tiny},
      {"log", 0, -inf},
      {"log", T(-0.0), -inf},
      {"log", 1, 0},
      {"log", -1, nan},
      {"log", -tiny, nan},
      {"log", -inf, nan},
      {"log", inf, inf},
      {"log", nan, nan},
      {"log", tiny, T(std::log((long double)tiny))},
      {"tanh", 0, 0},
      {"tanh", T(-0.0), T(-0.0)},
      {"tanh", inf, 1},
      {"tanh", -inf, -1},
      {"tanh", nan, nan},
      {"tanh", tiny, tiny},
      {"tanh", -tiny, -tiny},
      {"sigmoid", 0, T(0.5)},
      {"sigmoid", inf, 1},
      {"sigmoid", -inf, 0},
      {"sigmoid", nan, nan},
      {"sigmoid", T(sizeof(T) == 4 ? -103.5 : -745), tiny},
      {"softplus", inf, inf},
      {"softplus", -inf, 0},
      {"softplus", nan, nan},
      {"elu", -inf, -1},
      {"elu", inf, inf},
      {"elu", nan, nan},
      {"elu", -tiny, -tiny},
      {"elu", T(-0.0), T(-0.0)},
  };
  for (const Row& row : rows)
    for (const Function<T>& function : functions<T>()) {
      if (std::strcmp(function.name, row.name) != 0) continue;
      std::ostringstream text;
      T y = -77;
      function.run(kernels_of<T>(isa), &row.x, 1, &y);
      text << row.name << "(" << row.x << ") is " << y << ", expected " << row.y;
      test::Scope scope(text.str());
      CHECK(same(y, row.y));
    }
}

// Numbers of all magnitudes and the specials, n of them.
template <class T>
std::vector<T> mixture(size_t n) {
  std::mt19937_64 random(n);
  std::vector<T> x(n);
  for (size_t i = 0; i < n; ++i)
    x[i] = i % 3 ? T(std::ldexp(double(random() >> 40) / 0x1p23 - 1, int(random() % 12) - 4))
                 : of_bits<T>(Bits<T>(random()));
  return x;
}

template <class T>
void check_same_bits(const Isa& isa, const Function<T>& function, size_t n) {
  test::Scope scope(std::string(function.name) + ", n = " + std::to_string(n));
  const std::vector<T> x = mixture<T>(n);
  std::vector<T> expected(n), y(n + 1, T(-77));
  function.run(kernels_of<T>(scalar()), x.data(), n, expected.data());
  function.run(kernels_of<T>(isa), x.data(), n, y.data());
  size_t wrong = 0;
  for (size_t i = 0; i < n; ++i) wrong += !same(y[i], expected[i]);
  CHECK_EQ(wrong, 0u);
  CHECK_EQ(y[n], T(-77));
}

template <class T>
void check_all_same_bits(const Isa& isa) {
  for (const Function<T>& function : functions<T>()) {
    for (size_t n = 0; n <= 67; ++n) check_same_bits(isa, function, n);
    check_same_bits(isa, function, 20011);
  }
}
}  // namespace

TEST("elementary functions are within their ulp over all float32, subnormals included") {
  if (std::getenv("GRADUS_EXHAUSTIVE")) {  // on the best ISA; the others give the same bits
    for (const Function<float>& function : functions<float>()) sweep(**available_isas(), function, 1u);
    return;
  }
  for_each_isa([](const Isa& isa) {
    const uint32_t step = (&isa == &scalar() ? 9973u : 251u) * (test::is_quick() ? 31 : 1);
    for (const Function<float>& function : functions<float>()) sweep(isa, function, step);
  });
}

TEST("elementary functions are within their ulp over float64") {
  const uint64_t step = (uint64_t(1) << (test::is_quick() ? 50 : 46)) | 12345679;
  for_each_isa([&](const Isa& isa) {
    for (const Function<double>& function : functions<double>()) sweep(isa, function, step);
  });
}

TEST("elementary functions at zeros, infinities, NaN and the ends of their ranges") {
  for_each_isa([](const Isa& isa) { check_specials<float>(isa), check_specials<double>(isa); });
}

TEST("elementary functions are the same bits on every ISA and write nothing behind the end") {
  for_each_isa([](const Isa& isa) { check_all_same_bits<float>(isa), check_all_same_bits<double>(isa); });
}
