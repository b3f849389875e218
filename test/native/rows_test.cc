// Rows gathered, scattered back, and bytes widened.
#include <cstring>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

template <class T>
void check_rows(const Isa& isa, size_t columns, size_t n) {
  const size_t entries = 9;
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  std::vector<T> table((entries + 1) * columns), y((n + 1) * columns, T(-5));
  for (T& value : table) value = T(normal(random));
  std::vector<int32_t> rows(n);
  for (int32_t& row : rows) row = int32_t(random() % entries);
  const Kernels<T>& kernels = kernels_of<T>(isa);
  kernels.gather_rows(table.data(), columns, rows.data(), n, y.data());
  for (size_t i = 0; i < n; ++i)
    CHECK(std::memcmp(&y[i * columns], &table[size_t(rows[i]) * columns], columns * sizeof(T)) == 0);
  for (size_t j = 0; j < columns; ++j) CHECK_EQ(y[n * columns + j], T(-5));

  std::vector<T> expected = table;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < columns; ++j) expected[size_t(rows[i]) * columns + j] += y[i * columns + j];
  kernels.scatter_add_rows(y.data(), columns, rows.data(), n, table.data());
  CHECK(std::memcmp(table.data(), expected.data(), table.size() * sizeof(T)) == 0);
}
TEST("rows are gathered, and added back in order") {
  for_each_isa([](const Isa& isa) {
    for (size_t columns = 1; columns <= 67; ++columns)
      for (size_t n : {0, 1, 2, 40}) check_rows<float>(isa, columns, n), check_rows<double>(isa, columns, n);
  });
}

template <class T>
void check_bytes(const Isa& isa) {
  for (size_t n : {0, 1, 3, 15, 16, 17, 67, 256, 1000}) {
    std::vector<uint8_t> x(n);
    for (size_t i = 0; i < n; ++i) x[i] = uint8_t(i * 37);
    std::vector<T> y(n + 1, T(-5));
    kernels_of<T>(isa).convert_bytes(x.data(), n, T(1.0 / 255), T(-0.5), y.data());
    for (size_t i = 0; i < n; ++i) CHECK_EQ(y[i], T(std::fma(T(x[i]), T(1.0 / 255), T(-0.5))));
    CHECK_EQ(y[n], T(-5));
  }
}
TEST("bytes become x · scale + offset, rounded once") {
  for_each_isa([](const Isa& isa) { check_bytes<float>(isa), check_bytes<double>(isa); });
}

}  // namespace
}  // namespace gradus
