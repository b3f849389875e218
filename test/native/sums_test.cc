// Sums down columns and of arrays, exact and in their order, on every instruction set.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "matrices.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// Four running sums a block of 64 rows, and the blocks in order.
template <class T>
T ordered_sum(Matrix<T>& x, size_t rows, size_t column) {
  T total = 0;
  for (size_t first = 0; first < rows; first += 64) {
    T sums[4] = {0, 0, 0, 0};
    for (size_t i = first; i < rows && i < first + 64; ++i) sums[i % 4] += x.at(i, column);
    total += (sums[0] + sums[2]) + (sums[1] + sums[3]);
  }
  return total;
}
template <class T>
void check_block_sums(const Isa& isa, size_t rows) {
  const size_t columns = 45;
  Matrix<T> x(rows, columns), whole(1, columns), parts(1, columns);
  Reals real;
  x.fill(real), whole.fill(real);
  parts = whole;
  const Kernels<T>& kernels = kernels_of<T>(isa);
  std::vector<T> sums(blocks_of(rows) * columns);
  kernels.column_sums(x.data(), rows, columns, x.stride, T(0.5), whole.data());
  for (size_t j = 0; j < columns; ++j)
    CHECK_EQ(whole.at(0, j), std::fma(T(0.5), parts.at(0, j), ordered_sum(x, rows, j)));
  for (size_t i = 0; i < rows; i += 128)
    kernels.block_sums(x.data() + i * x.stride, std::min<size_t>(128, rows - i), columns, x.stride,
                       sums.data() + i / 64 * columns);
  for (size_t j : {0, 19})
    kernels.add_blocks(sums.data() + j, blocks_of(rows), j ? columns - 19 : 19, columns, T(0.5), parts.data() + j);
  CHECK(same_bits(parts.memory, whole.memory));
}

}  // namespace

TEST("column sums and add are exact on integers, have the same bits everywhere, guards untouched") {
  for_each_isa([](const Isa& isa) {
    for (size_t rows : {size_t(0), size_t(1), size_t(3), size_t(4), size_t(67)})
      for (size_t columns : sizes) {
        Integers integer;
        Matrix<float> x(rows, columns), sums(1, columns), total(1, columns);
        x.fill(integer), sums.fill(integer);
        const Matrix<float> before = sums;
        kernels_of<float>(isa).column_sums(x.data(), rows, columns, x.stride, 2, sums.data());
        kernels_of<float>(isa).add(sums.data(), sums.data(), columns, total.data());
        CHECK(sums.guards_untouched());
        CHECK(total.guards_untouched());
        for (size_t j = 0; j < columns; ++j) {
          float expected = 2 * before.memory[guard + j];
          for (size_t i = 0; i < rows; ++i) expected += x.at(i, j);
          CHECK_EQ(sums.at(0, j), expected);
          CHECK_EQ(total.at(0, j), 2 * expected);
        }
      }
  });
}

TEST("column sums go block after block of 64 rows, cut there or not") {
  for_each_isa([](const Isa& isa) {
    for (size_t rows : {1, 3, 63, 64, 65, 127, 128, 129, 200}) {
      Scope scope(std::to_string(rows) + " rows");
      check_block_sums<float>(isa, rows), check_block_sums<double>(isa, rows);
    }
  });
}
