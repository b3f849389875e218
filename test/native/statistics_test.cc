// Histograms, moments and column maxima against plain references.
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "engine/program.h"
#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;
using test::Scope;

// By comparison with the edges, not by bits. Negative bins end at their upper edge, positive ones begin at the lower.
size_t expected_bin(double x, const std::vector<double>& edges) {
  size_t bin = histogram_middle;
  while (x > 0 && bin + 1 < histogram_bins && x >= edges[bin + 1]) ++bin;
  while (x < 0 && bin > 0 && x <= edges[bin]) --bin;
  return bin;
}

// Numbers of every size, and all the special ones, at every place of a vector.
template <class T>
std::vector<T> many_numbers(size_t n, size_t seed) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> special = {T(0),
                            T(-0.0),
                            Limits::denorm_min(),
                            -Limits::denorm_min(),
                            Limits::min(),
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::quiet_NaN(),
                            -Limits::quiet_NaN(),
                            Limits::max(),
                            Limits::lowest()};
  for (double edge : histogram_edges())
    if (std::isfinite(edge))
      for (T near : {T(edge), std::nextafter(T(edge), T(0)), std::nextafter(T(edge), T(1000 * edge))})
        special.push_back(near);
  std::mt19937 random{unsigned(seed)};
  std::normal_distribution<double> normal;
  std::vector<T> x(n);
  for (size_t i = 0; i < n; ++i)
    x[i] = i % 3 ? T(normal(random) * std::exp2(double(random() % 44) - 33)) : special[random() % special.size()];
  if (n >= special.size()) std::copy(special.begin(), special.end(), x.begin());
  return x;
}

template <class T>
void check_histogram(const Isa& isa, size_t n) {
  const Scope scope(std::to_string(sizeof(T)) + " bytes, n " + std::to_string(n));
  const std::vector<double> edges = histogram_edges();
  const std::vector<T> x = many_numbers<T>(n, n);
  std::vector<uint32_t> counts(histogram_bins + 1, 7), expected = counts;
  for (T value : x)
    if (std::isfinite(value)) ++expected[expected_bin(double(value), edges)];
  kernels_of<T>(isa).histogram(x.data(), n, counts.data());
  for (size_t bin = 0; bin <= histogram_bins; ++bin) CHECK_EQ(counts[bin], expected[bin]);
}
TEST("a histogram counts each finite number in its bin") {
  for_each_isa([](const Isa& isa) {
    for (size_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 250, 999, 4096, 20011})
      check_histogram<float>(isa, n), check_histogram<double>(isa, n);
  });
}

TEST("the edges of histograms: two to an octave, mirrored") {
  const std::vector<double> edges = histogram_edges();
  CHECK_EQ(edges.size(), histogram_bins + 1);
  CHECK_EQ(edges[65], std::ldexp(1, -24));
  CHECK_EQ(edges[66], std::ldexp(1.5, -24));
  CHECK_EQ(edges[67], std::ldexp(1, -23));
  CHECK_EQ(edges[128], 192.0);
  for (size_t i = 0; i < edges.size(); ++i) CHECK_EQ(edges[i], -edges[edges.size() - 1 - i]);
  CHECK(std::isinf(edges[0]) && std::isinf(edges[129]));
}

struct Spread {
  const char* name;
  double mean, deviation;
  bool nonfinite;
};
const Spread spreads[] = {{"plain", 0.3, 1, false},      {"far from zero", 5000, 0.5, false},
                          {"with others", -1, 2, true},  {"constant", 0.1, 0, false},
                          {"tiny", 3e-25, 1e-25, false}, {"large", 1e30, 1e29, true},
                          {"denormal", 0, 2e-38, true},  {"denormal doubles", 0, 4e-308, true}};

template <class T>
Moments plain_moments(const T* x, size_t n, T low, T high) {
  Moments of;
  long double total = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) {
    of.outside += x[i] < low || x[i] > high;
    of.denormal += std::fpclassify(x[i]) == FP_SUBNORMAL;
    ++(std::isfinite(x[i]) ? of.finite : of.nonfinite);
    if (std::isfinite(x[i])) total += x[i];
  }
  const long double mean = of.finite ? total / of.finite : 0;
  for (size_t i = 0; i < n; ++i)
    if (std::isfinite(x[i])) squares += (x[i] - mean) * (x[i] - mean);
  of.mean = double(mean), of.squares = double(squares);
  return of;
}

template <class T>
void check_moments(const Isa& isa, const Spread& spread, size_t n) {
  const Scope scope(std::to_string(sizeof(T)) + " bytes, " + spread.name + ", n " + std::to_string(n));
  std::mt19937 random{unsigned(n)};
  std::normal_distribution<double> normal;
  std::vector<T> x(n);
  for (T& value : x) value = T(spread.mean + spread.deviation * normal(random));
  const T odd[] = {std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(),
                   std::numeric_limits<T>::quiet_NaN()};
  for (size_t i = 0; spread.nonfinite && i < n; i += 5) x[i] = odd[i % 3];
  const T low = T(spread.mean - spread.deviation), high = T(spread.mean + 2 * spread.deviation);
  std::vector<Moments> chunks((n + moments_chunk - 1) / moments_chunk);
  kernels_of<T>(isa).moments(x.data(), n, low, high, chunks.data());
  std::vector<Moments> same(chunks.size());
  kernels_of<T>(**available_isas()).moments(x.data(), n, low, high, same.data());
  for (size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    const size_t first = chunk * moments_chunk, count = std::min(moments_chunk, n - first);
    const Moments &of = chunks[chunk], expected = plain_moments(x.data() + first, count, low, high);
    CHECK_EQ(of.finite, expected.finite);
    CHECK_EQ(of.nonfinite, expected.nonfinite);
    CHECK_EQ(of.outside, expected.outside);
    CHECK_EQ(of.denormal, expected.denormal);
    const double accuracy = sizeof(T) == 4 ? 2e-6 : 1e-14;
    const double deviation = std::sqrt(expected.squares / double(std::max<uint64_t>(1, expected.finite)));
    CHECK_NEAR(of.mean, expected.mean, accuracy * deviation + 1e-15 * std::fabs(expected.mean) + 5e-322);
    CHECK_NEAR(of.squares, expected.squares, accuracy * expected.squares + 1e-28 * expected.mean * expected.mean);
    CHECK(std::memcmp(&of, &same[chunk], sizeof of) == 0);
  }
}
TEST("moments of the finite numbers, also far from zero, tiny and large; the same bits on each ISA") {
  for_each_isa([](const Isa& isa) {
    for (const Spread& spread : spreads)
      for (size_t n : {1, 2, 3, 7, 8, 9, 16, 17, 31, 100, 4095, 4096, 4097, 9001})
        check_moments<float>(isa, spread, n), check_moments<double>(isa, spread, n);
  });
}

template <class T>
void check_maxima(const Isa& isa, size_t rows, size_t columns, size_t stride) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::vector<T> x(rows * stride + columns), maxima(columns + 1, T(-7));
  for (T& value : x) value = random() % 5 ? T(normal(random)) : std::numeric_limits<T>::quiet_NaN();
  kernels_of<T>(isa).column_maxima(x.data(), rows, columns, stride, maxima.data());
  for (size_t j = 0; j < columns; ++j) {
    T most = -std::numeric_limits<T>::infinity();
    for (size_t i = 0; i < rows; ++i)
      if (x[i * stride + j] > most) most = x[i * stride + j];
    CHECK_EQ(maxima[j], most);
  }
  CHECK_EQ(maxima[columns], T(-7));
}
TEST("the largest of each column, without NaN") {
  for_each_isa([](const Isa& isa) {
    for (size_t columns : {1, 3, 15, 16, 17, 63, 64, 65, 130})
      for (size_t rows : {1, 2, 33})
        check_maxima<float>(isa, rows, columns, columns + 3), check_maxima<double>(isa, rows, columns, columns);
  });
}

}  // namespace
}  // namespace gradus
