// Philox against its published vectors; values that depend on their index alone; the shape of the distributions.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/philox.h"
#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

struct Answer {
  uint32_t counter[4], key[2], words[4];
};
// Random123, kat_vectors: philox4x32 10.
const Answer answers[] = {{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                          {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                          {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                           {0xa4093822, 0x299f31d0},
                           {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
Counter counter_of(const Answer& a) {
  return {a.key[0] | uint64_t(a.key[1]) << 32, a.counter[1], a.counter[2] | uint64_t(a.counter[3] & 0xffff) << 32};
}
uint64_t block_of(const Answer& a) { return a.counter[0] | uint64_t(a.counter[3] >> 16) << 32; }

TEST("philox gives the published words") {
  for (const Answer& a : answers) {
    const PhiloxBlock plain = philox(counter_of(a), block_of(a));
    for (int c = 0; c < 4; ++c) CHECK_EQ(plain.words[c], a.words[c]);
    for_each_isa([&](const Isa& isa) {
      const uint64_t block = block_of(a), tile = block / 8, b = block % 8;
      for (size_t c = 0; c < 4; ++c) {
        float value;
        isa.float32.random_uniform(counter_of(a), 32 * tile + 16 * (c / 2) + 2 * b + c % 2, 1, 0, 1, &value);
        CHECK_EQ(value, float(a.words[c] >> 8) * 0x1p-24f);
      }
      for (size_t c = 0; c < 2; ++c) {
        double value;
        isa.float64.random_uniform(counter_of(a), 16 * tile + 8 * c + b, 1, 0, 1, &value);
        const uint64_t bits = a.words[2 * c] | uint64_t(a.words[2 * c + 1]) << 32;
        CHECK_EQ(value, double(bits >> 11) * 0x1p-53);
      }
    });
  }
}

constexpr Counter counter{0x123456789abcdef0, 42, 0x300000007};
constexpr size_t many = 1000;
template <class T>
using Draw = void (*)(const Kernels<T>&, size_t first, size_t n, T* y);
template <class T>
struct Case {
  const char* name;
  Draw<T> draw;
};
// Element first + i of the dropped-out array is 1 + (first + i), so that cuts see the same input.
template <class T>
const Case<T> cases[] = {
    {"uniform",
     [](const Kernels<T>& k, size_t first, size_t n, T* y) { k.random_uniform(counter, first, n, -3, 5, y); }},
    {"normal", [](const Kernels<T>& k, size_t first, size_t n, T* y) { k.random_normal(counter, first, n, 1, 2, y); }},
    {"dropout in place", [](const Kernels<T>& k, size_t first, size_t n, T* y) {
       for (size_t i = 0; i < n; ++i) y[i] = T(1 + first + i);
       k.dropout(y, n, T(0.3), counter, first, y);
     }}};

template <class T>
void check_cuts() {
  for (const Case<T>& c : cases<T>) {
    test::Scope scope(c.name);
    std::vector<T> whole(many);
    c.draw(kernels_of<T>(*available_isas()[0]), 0, many, whole.data());
    for_each_isa([&](const Isa& isa) {
      const Kernels<T>& kernels = kernels_of<T>(isa);
      for (size_t first = 0; first < 70; ++first)
        for (size_t n = 0; n <= 67; ++n) {
          T part[3 + 67];
          std::fill_n(part, 70, T(-777));
          c.draw(kernels, first, n, part + 1);
          CHECK(std::memcmp(part + 1, &whole[first], n * sizeof(T)) == 0);
          CHECK(part[0] == -777 && part[n + 1] == -777);
        }
      std::vector<T> all(many);
      c.draw(kernels, 0, many, all.data());
      CHECK(std::memcmp(all.data(), whole.data(), many * sizeof(T)) == 0);
    });
  }
}
TEST("a value depends on its index alone: any cut, any ISA") { check_cuts<float>(), check_cuts<double>(); }

TEST("seed, stream and step each change the values") {
  const Kernels<float>& kernels = available_isas()[0]->float32;
  const Counter others[] = {{1, 2, 3}, {2, 2, 3}, {1 + (uint64_t(1) << 32), 2, 3},
                            {1, 3, 3}, {1, 2, 4}, {1, 2, 3 + (uint64_t(1) << 32)}};
  std::vector<std::vector<float>> seen;
  for (const Counter& at : others) {
    std::vector<float> values(64);
    kernels.random_uniform(at, 0, 64, 0, 1, values.data());
    for (const auto& before : seen) CHECK(before != values);
    seen.push_back(values);
  }
}

template <class T>
std::vector<T> drawn(const Isa& isa, bool normal, size_t n) {
  std::vector<T> y(n);
  if (normal)
    kernels_of<T>(isa).random_normal(counter, 5, n, 0, 1, y.data());
  else
    kernels_of<T>(isa).random_uniform(counter, 5, n, 0, 1, y.data());
  return y;
}
// Largest distance between the empirical distribution and the true one: 1.95 / √n is passed once in a thousand draws.
template <class T, class F>
double kolmogorov(std::vector<T> y, F cumulative) {
  std::sort(y.begin(), y.end());
  double worst = 0;
  for (size_t i = 0; i < y.size(); ++i)
    worst = std::fmax(worst, std::fabs(cumulative(double(y[i])) - (double(i) + 0.5) / double(y.size())));
  return worst * std::sqrt(double(y.size()));
}
double normal_cumulative(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
template <class T>
void check_shapes(const Isa& isa) {
  constexpr size_t n = 200000;
  const std::vector<T> uniform = drawn<T>(isa, false, n), normal = drawn<T>(isa, true, n);
  CHECK(kolmogorov(uniform, [](double u) { return u; }) < 1.95);
  CHECK(kolmogorov(normal, normal_cumulative) < 1.95);
  double mean = 0, square = 0, cube = 0, fourth = 0, neighbours = 0;
  for (size_t i = 0; i < n; ++i) {
    const double z = normal[i];
    mean += z / n, square += z * z / n, cube += z * z * z / n, fourth += z * z * z * z / n;
    if (i) neighbours += z * normal[i - 1] / n;
  }
  const double deviation = 1 / std::sqrt(double(n));  // each within four of its own standard deviations
  CHECK_NEAR(mean, 0, 4 * deviation);
  CHECK_NEAR(square, 1, 4 * std::sqrt(2.0) * deviation);
  CHECK_NEAR(cube, 0, 4 * std::sqrt(15.0) * deviation);
  CHECK_NEAR(fourth, 3, 4 * std::sqrt(96.0) * deviation);
  CHECK_NEAR(neighbours, 0, 4 * deviation);
}
TEST("uniform and normal values have the right distributions") {
  check_shapes<float>(*available_isas()[0]), check_shapes<double>(*available_isas()[0]);
}

// The uniform and the normal kernel read the same bits: sign from the highest, p from those below it.
TEST("normal values are the inverse of the normal distribution") {
  const Isa& isa = *available_isas()[0];
  const std::vector<double> u64 = drawn<double>(isa, false, 50000), z64 = drawn<double>(isa, true, 50000);
  const std::vector<float> u32 = drawn<float>(isa, false, 50000), z32 = drawn<float>(isa, true, 50000);
  const auto tail = [](double u, double half_step) { return (u >= 0.5 ? u - 0.5 : u) + half_step; };
  double worst64 = 0, worst32 = 0;
  for (size_t i = 0; i < u64.size(); ++i) {
    const double p64 = tail(u64[i], 0x1p-54), p32 = tail(u32[i], 0x1p-25);
    worst64 = std::fmax(worst64, std::fabs(normal_cumulative(-std::fabs(z64[i])) / p64 - 1));
    worst32 = std::fmax(worst32, std::fabs(normal_cumulative(-std::fabs(double(z32[i]))) / p32 - 1));
    CHECK_EQ(z64[i] < 0, u64[i] >= 0.5);
  }
  CHECK_NEAR(worst64, 0, 2e-14);
  CHECK_NEAR(worst32, 0, 1e-5);
}

TEST("uniform values stay in [low, high)") {
  for_each_isa([](const Isa& isa) {
    for (const auto& range : {std::pair<float, float>{1, 2}, {-1, -0.5f}, {0, 1}, {1, 1.0000001f}}) {
      std::vector<float> y(20000);
      isa.float32.random_uniform(counter, 0, y.size(), range.first, range.second, y.data());
      CHECK(*std::min_element(y.begin(), y.end()) >= range.first);
      CHECK(*std::max_element(y.begin(), y.end()) < range.second);
    }
  });
}

TEST("dropout keeps at its rate, scales what it keeps, and repeats itself") {
  for_each_isa([](const Isa& isa) {
    for (float rate : {0.0f, 0.1f, 0.5f, 0.9f}) {
      constexpr size_t n = 40000;
      std::vector<float> x(n), y(n), dy(n, 1), dx(n);
      for (size_t i = 0; i < n; ++i) x[i] = float(i % 100) + 1;
      isa.float32.dropout(x.data(), n, rate, counter, 0, y.data());
      isa.float32.dropout(dy.data(), n, rate, counter, 0, dx.data());
      size_t kept = 0;
      double worst = 0;
      for (size_t i = 0; i < n; ++i) {
        kept += y[i] != 0;
        CHECK_EQ(y[i] != 0, dx[i] != 0);
        if (y[i] != 0) worst = std::fmax(worst, std::fabs(y[i] / (x[i] / (1 - double(rate))) - 1));
      }
      CHECK_NEAR(worst, 0, 2e-7);
      CHECK_NEAR(double(kept) / n, 1 - rate, 4 * std::sqrt(rate * (1 - rate) / n));
    }
    const float everything[] = {1, NAN, INFINITY};
    float y[3];
    isa.float32.dropout(everything, 3, 1, counter, 0, y);
    for (float value : y) CHECK_EQ(value, 0.0f);
  });
}

}  // namespace
}  // namespace gradus
