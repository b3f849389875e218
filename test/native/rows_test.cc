// Rows gathered, scattered back, and bytes widened.
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

template <class T>
void check_rows(const Isa& isa, size_t columns, size_t n, size_t entries) {
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
  for (size_t first = 0; first < n; first += 64) {
    std::map<int32_t, std::vector<T>> sums;  // of the block, by row
    for (size_t i = first; i < n && i < first + 64; ++i) {
      std::vector<T>& sum = sums.try_emplace(rows[i], columns, T(0)).first->second;
      for (size_t j = 0; j < columns; ++j) sum[j] += y[i * columns + j];
    }
    for (const auto& [row, sum] : sums)
      for (size_t j = 0; j < columns; ++j) expected[size_t(row) * columns + j] += sum[j];
  }
  kernels.scatter_add_rows(y.data(), columns, rows.data(), n, table.data());
  CHECK(std::memcmp(table.data(), expected.data(), table.size() * sizeof(T)) == 0);
}
TEST("rows are gathered, and added back in order, block after block") {
  for_each_isa([](const Isa& isa) {
    for (size_t columns = 1; columns <= 67; ++columns)
      for (size_t n : {0, 1, 2, 40}) check_rows<float>(isa, columns, n, 9), check_rows<double>(isa, columns, n, 9);
    for (size_t columns : {1, 16, 19, 67})
      for (size_t n : {63, 64, 65, 127, 128, 129, 200})
        for (size_t entries : {1, 9, 700}) {
          test::Scope scope(std::to_string(n) + " of " + std::to_string(entries) + " rows");
          check_rows<float>(isa, columns, n, entries), check_rows<double>(isa, columns, n, entries);
        }
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
