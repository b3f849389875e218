// Values moved, scaled and gathered, against plain loops: each result is rounded as there, so the bits are the same.
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "arrays.h"

namespace gradus {
namespace {
using test::for_both_types;
using test::numbers;
using test::same_bits;

constexpr double untouched = -77;  // what lies behind each result
const std::vector<size_t> sizes = {0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 67, 127, 128, 129, 255, 300, 1001};

template <class T>
void check_elements(const Kernels<T>& kernels, size_t n) {
  const std::vector<T> x = numbers<T>(n + 1, 1), before = numbers<T>(n + 1, 2);
  std::vector<T> y = before, expected = before;
  kernels.copy(x.data(), n, y.data());
  for (size_t i = 0; i < n; ++i) expected[i] = x[i];
  CHECK(same_bits(y, expected));

  for (T value : {T(0.3), T(0), -T(0)}) {
    y = expected = before;
    kernels.fill(value, n, y.data());
    for (size_t i = 0; i < n; ++i) expected[i] = value;
    CHECK(same_bits(y, expected));
  }

  y = expected = before;
  kernels.multiply_add(T(0.7), x.data(), n, y.data());
  for (size_t i = 0; i < n; ++i) expected[i] += T(0.7) * x[i];
  CHECK(same_bits(y, expected));

  y = expected = before;
  kernels.scale(T(-1.3), n, y.data());
  for (size_t i = 0; i < n; ++i) expected[i] *= T(-1.3);
  CHECK(same_bits(y, expected));

  y = expected = before;
  kernels.move_average(x.data(), n, T(0.9), T(1.25), y.data());
  for (size_t i = 0; i < n; ++i) expected[i] = std::fma(T(0.9), before[i], (1 - T(0.9)) * (T(1.25) * x[i]));
  CHECK(same_bits(y, expected));
}
TEST("elements are copied, filled, added, scaled and averaged as in plain loops") {
  for_both_types([](const Isa& isa, auto type) {
    for (size_t n : sizes) {
      test::Scope scope(std::to_string(n));
      check_elements(kernels_of<decltype(type)>(isa), n);
    }
  });
}

TEST("an average that has decayed becomes 0, what is a little larger, infinite or no number stays") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const T bound = std::numeric_limits<T>::min() * T(1 << 26), infinity = std::numeric_limits<T>::infinity();
    std::vector<T> average;
    for (int i = 0; i < 37; ++i)
      for (T a : {bound / 2, -bound / 2, bound, 3 * bound, -3 * bound, std::numeric_limits<T>::denorm_min(), infinity,
                  std::numeric_limits<T>::quiet_NaN()})
        average.push_back(a);
    std::vector<T> expected = average, zeros(average.size());
    kernels_of<T>(isa).move_average(zeros.data(), average.size(), T(0.5), T(1), average.data());
    for (T& a : expected) a = std::fabs(a / 2) < bound ? 0 : a / 2;
    for (size_t i = 0; i < average.size(); ++i)
      CHECK(average[i] == expected[i] || (std::isnan(average[i]) && std::isnan(expected[i])));
  });
}

TEST("columns go from one stride to another, and nothing beside them moves") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t rows : {0, 1, 5})
      for (size_t columns : {1, 3, 16, 17, 67}) {
        const size_t from = columns + 2, to = columns + 5;
        const std::vector<T> x = numbers<T>(rows * from, 3);
        std::vector<T> y(rows * to + 1, T(untouched)), expected = y;
        kernels_of<T>(isa).copy_columns(x.data(), rows, columns, from, to, y.data());
        for (size_t i = 0; i < rows; ++i)
          for (size_t j = 0; j < columns; ++j) expected[i * to + j] = x[i * from + j];
        CHECK(same_bits(y, expected));
      }
  });
}

TEST("a matrix is transposed") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t rows : {1, 2, 7, 15, 16, 17, 33, 70})
      for (size_t columns : {1, 3, 8, 16, 31, 64, 67}) {
        const std::vector<T> x = numbers<T>(rows * columns, 4);
        std::vector<T> y(rows * columns + 1, T(untouched)), expected = y;
        kernels_of<T>(isa).transpose(x.data(), rows, columns, y.data());
        for (size_t i = 0; i < rows; ++i)
          for (size_t j = 0; j < columns; ++j) expected[j * rows + i] = x[i * columns + j];
        CHECK(same_bits(y, expected));
      }
  });
}

TEST("rows are scaled, and one of factor 0 becomes 0 whatever it held") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    for (size_t columns : {1, 2, 16, 19, 67})
      for (bool weighted : {true, false}) {
        const std::vector<T> factors = {T(0.3), 0, T(-2), T(1.5), -T(0)}, before = numbers<T>(5 * columns + 1, 5);
        std::vector<T> x = before, expected = before;
        if (weighted) x[columns] = nan, x[4 * columns] = infinity;
        kernels_of<T>(isa).scale_rows(weighted ? factors.data() : nullptr, T(0.7), 5, columns, x.data());
        for (size_t i = 0; i < 5 * columns; ++i)
          expected[i] = weighted && factors[i / columns] == 0
                            ? T(0)
                            : before[i] * (T(0.7) * (weighted ? factors[i / columns] : 1));
        CHECK(same_bits(x, expected));
      }
    std::vector<T> x(9, nan);
    kernels_of<T>(isa).scale_rows(nullptr, T(0), 3, 3, x.data());
    CHECK(same_bits(x, std::vector<T>(9)));
  });
}

TEST("sums are added up in blocks of 64, squares in order, in double") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes) {
      const std::vector<T> x = numbers<T>(n, 6);
      double total = 5, squares = 5, expected = 0, expected_squares = 0;
      kernels_of<T>(isa).sum(x.data(), n, total);
      kernels_of<T>(isa).squares(x.data(), n, squares);
      for (T value : x) expected_squares += double(value) * double(value);
      for (size_t first = 0; first < n; first += 64) {
        double of_block = 0;
        for (size_t i = first; i < n && i < first + 64; ++i) of_block += double(x[i]);
        expected += of_block;
      }
      CHECK_EQ(total, expected);
      CHECK_EQ(squares, expected_squares);
    }
  });
}

TEST("a matrix is divided by its norm, whose squares are in double") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : sizes)
      for (double squares : {0.0, 1e-20, 3.0, 1e30}) {
        std::vector<T> x = numbers<T>(n + 1, 9), expected = x;
        kernels_of<T>(isa).divide_by_norm(&squares, n, x.data());
        for (size_t i = 0; i < n; ++i) expected[i] *= T(1 / (std::sqrt(squares) + 1e-7));
        CHECK(same_bits(x, expected));
      }
  });
}

TEST("whatever is not finite is found, wherever it lies, and nothing else is") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    using Limits = std::numeric_limits<T>;
    const Kernels<T>& kernels = kernels_of<T>(isa);
    for (size_t n : sizes) {
      std::vector<T> x = numbers<T>(n + 1, 7);
      for (size_t i = 0; i < n; i += 3) x[i] = i % 2 ? Limits::max() : -Limits::denorm_min();
      x[n] = Limits::infinity();  // beyond the end
      bool found = false;
      kernels.find_nonfinite(x.data(), n, found);
      CHECK(!found);
      for (size_t i = 0; i < n; ++i) {
        const T kept = x[i];
        x[i] = i % 3 == 0 ? Limits::quiet_NaN() : i % 3 == 1 ? Limits::infinity() : -Limits::infinity();
        found = false;
        kernels.find_nonfinite(x.data(), n, found);
        CHECK(found);
        x[i] = kept;
      }
      found = true;
      kernels.find_nonfinite(x.data(), n, found);
      CHECK(found);  // set before, and never cleared
    }
  });
}

// ---- From a dataset to a batch
struct Source {
  ElementType type;
  size_t elements, examples = 9;
  std::vector<uint8_t> bytes;
  std::vector<double> values;  // what the elements are
  Source(ElementType type, size_t elements) : type(type), elements(elements) {
    std::mt19937 random(8);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < examples * elements; ++i) {
      if (type == ElementType::float32) add(float(normal(random)));
      if (type == ElementType::float64) add(normal(random));
      if (type == ElementType::int32) add(int32_t(random()));
      if (type == ElementType::uint8) add(uint8_t(random()));
    }
  }
  template <class E>
  void add(E value) {
    const size_t end = bytes.size();
    bytes.resize(end + sizeof value);
    std::memcpy(&bytes[end], &value, sizeof value);
    values.push_back(double(value));
  }
};
const std::vector<uint32_t> order = {4, 0, 3, 3, 1, 2, 5}, view = {8, 1, 7, 0, 6, 2};

template <class T>
void check_gathered(const Kernels<T>& kernels, const Source& source, bool ordered, bool viewed) {
  const size_t first = 1, rows = 5, n = source.elements;
  Examples from;
  from.data = source.bytes.data(), from.type = source.type, from.elements = n;
  from.scale = 1.0 / 255, from.offset = -0.5, from.first = first;
  if (ordered) from.order = order.data();
  if (viewed) from.view = view.data();
  std::vector<T> expected(rows * n + 1, T(untouched)), whole = expected, cut = expected;
  for (size_t i = 0; i < rows; ++i) {
    const size_t row = ordered ? order[first + i] : first + i, example = viewed ? view[row] : row;
    for (size_t j = 0; j < n; ++j) {
      const double value = source.values[example * n + j];
      const bool is_byte = source.type == ElementType::uint8;
      expected[i * n + j] = is_byte ? std::fma(T(value), T(from.scale), T(from.offset)) : T(value);
    }
  }
  kernels.gather_examples(from, rows, whole.data());
  CHECK(same_bits(whole, expected));
  kernels.gather_examples(from.from_row(0), 2, cut.data());
  kernels.gather_examples(from.from_row(2), rows - 2, cut.data() + 2 * n);
  CHECK(same_bits(cut, expected));
  if (source.type != ElementType::int32) return;
  std::vector<int32_t> numbers(rows * n + 1, int32_t(untouched));
  kernels.gather_numbers(from, rows, numbers.data());
  for (size_t i = 0; i <= rows * n; ++i) CHECK_EQ(T(numbers[i]), expected[i]);
}
TEST("examples of every type are gathered, by order and view, whole and in parts") {
  for_both_types([](const Isa& isa, auto type) {
    for (auto of : {ElementType::float32, ElementType::float64, ElementType::uint8, ElementType::int32})
      for (size_t elements : {1, 2, 7, 16, 33, 67})
        for (bool ordered : {true, false})
          for (bool viewed : {true, false})
            check_gathered(kernels_of<decltype(type)>(isa), Source(of, elements), ordered, viewed);
  });
}

TEST("weights of rows are their own, of every type, times those of their classes") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const std::vector<double> of_classes = {0.1, 2.5, 0.75};
    const std::vector<int32_t> labels = {0, 1, 2, 1, 0, 2, 2, 1, 0};
    for (auto of : {ElementType::float32, ElementType::float64, ElementType::uint8, ElementType::int32})
      for (bool own : {true, false})
        for (bool by_class : {true, false}) {
          const Source source(of, 1);
          Examples weights, classes;
          weights.data = own ? source.bytes.data() : nullptr, weights.type = of;
          weights.scale = 1.0 / 255, weights.offset = 0.5;
          classes.data = reinterpret_cast<const uint8_t*>(labels.data()), classes.type = ElementType::int32;
          for (Examples* from : {&weights, &classes})
            from->order = order.data(), from->view = view.data(), from->first = 1;
          std::vector<T> found(6, T(untouched)), expected = found;
          kernels_of<T>(isa).gather_weights(weights, classes, by_class ? of_classes.data() : nullptr, 5, found.data());
          for (size_t i = 0; i < 5; ++i) {
            const size_t example = view[order[1 + i]];
            double weight = own ? source.values[example] : 1;
            if (own && of == ElementType::uint8) weight = weight * weights.scale + weights.offset;
            expected[i] = T(by_class ? weight * of_classes[size_t(labels[example])] : weight);
          }
          CHECK(same_bits(found, expected));
        }
  });
}

}  // namespace
}  // namespace gradus
