// Metrics against their definitions written plainly: sorted scores, counted pairs, two passes over the targets.
#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

constexpr double untouched = -77;  // what lies behind the sums
constexpr size_t nowhere = SIZE_MAX;

template <class T>
struct Case {
  size_t rows, columns;
  std::vector<T> scores, targets, weights;
  std::vector<int32_t> labels;
  std::vector<double> sums;
  std::vector<ChangedSum> changed;
  Metric<T> metric;

  // Few different scores, so that there are equals; some rows of weight 0, some scores and targets that are no numbers.
  Case(size_t rows, size_t columns, bool dense, bool weighted, size_t width)
      : rows(rows), columns(columns), labels(rows), sums(width + 1), changed(rows, ChangedSum{5, 5}) {
    std::mt19937 random(unsigned(rows * 31 + columns));
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for (size_t i = 0; i < rows * columns; ++i) {
      scores.push_back(T(double(random() % 9) / 4 - 1.25));
      targets.push_back(T(double(random() % 16) / 16));
    }
    for (size_t i = 0; i < rows; ++i) {
      labels[i] = int32_t(random() % std::max<size_t>(columns, 2));
      weights.push_back(T(double(random() % 4) / 4));
      if (i % 7 == 3) scores[i * columns + random() % columns] = nan;
      if (i % 11 == 5) targets[i * columns + random() % columns] = nan;
    }
    sums[width] = untouched;
    metric.rows = rows, metric.columns = columns, metric.k = 2;
    metric.scores = scores.data();
    dense ? void(metric.targets = targets.data()) : void(metric.labels = labels.data());
    if (weighted) metric.weights = weights.data();
    metric.sums = sums.data(), metric.changed = changed.data();
  }
  Case(const Case&) = delete;

  double weight(size_t i) const { return metric.weights ? double(weights[i]) : 1; }
  double target(size_t i, size_t j) const {
    return metric.targets ? double(targets[i * columns + j]) : labels[i] == int32_t(j) ? 1 : 0;
  }
  bool has_nan(const std::vector<T>& of, size_t i) const {
    return std::any_of(&of[i * columns], &of[i * columns] + columns, [](T v) { return std::isnan(v); });
  }
  // Places of a row from the highest number to the lowest, the first of equals first.
  std::vector<size_t> ranking(const std::vector<T>& of, size_t i) const {
    std::vector<size_t> places(columns);
    for (size_t j = 0; j < columns; ++j) places[j] = j;
    std::stable_sort(places.begin(), places.end(),
                     [&](size_t a, size_t b) { return of[i * columns + a] > of[i * columns + b]; });
    return places;
  }
  // Whether a number says yes; nowhere for none.
  static size_t answer(T number, double yes) { return std::isnan(number) ? nowhere : size_t(double(number) > yes); }
  size_t right_answer(size_t i, size_t j) const {
    return metric.targets ? answer(targets[i * columns + j], 0.5) : size_t(labels[i] == 1);
  }
  size_t chosen_answer(size_t i, size_t j) const { return answer(scores[i * columns + j], 0); }
  double sum_of_weights() const {
    double sum = 0;
    for (size_t i = 0; i < rows; ++i) sum += weight(i);
    return sum;
  }
  size_t class_of(const std::vector<T>& of, size_t i, double yes) const {
    if (has_nan(of, i)) return nowhere;
    return columns == 1 ? size_t(double(of[i]) > yes) : ranking(of, i)[0];
  }
  size_t right(size_t i) const { return metric.targets ? class_of(targets, i, 0.5) : size_t(labels[i]); }
  size_t chosen(size_t i) const { return class_of(scores, i, 0); }
};

// body(isa, a T, rows, columns, dense, weighted)
template <class F>
void for_all(F body) {
  for_each_isa([&](const Isa& isa) {
    for (size_t rows : {0, 1, 5, 40})
      for (size_t columns : {1, 2, 3, 7, 17})
        for (bool dense : {true, false})
          for (bool weighted : {true, false}) {
            test::Scope scope(std::to_string(rows) + "x" + std::to_string(columns) + (dense ? " dense" : " labels") +
                              (weighted ? " weighted" : ""));
            body(isa, 0.0f, rows, columns, dense, weighted), body(isa, 0.0, rows, columns, dense, weighted);
          }
  });
}

TEST("accuracy counts the rows whose highest score is the right one's; what is no number is wrong") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    Case<decltype(type)> of(rows, columns, dense, weighted, 2);
    double expected = of.sums[1] = 3;  // what an earlier call has added up
    kernels_of<decltype(type)>(isa).accuracy(of.metric);
    for (size_t i = 0; i < rows; ++i)
      if (of.right(i) != nowhere && of.right(i) == of.chosen(i)) expected += of.weight(i);
    CHECK_EQ(of.sums[0], of.sum_of_weights());
    CHECK_EQ(of.sums[1], expected);
    CHECK_EQ(of.sums[2], untouched);
  });
}

TEST("accuracy of answers counts each of them") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    if (!dense && columns > 1) return;
    Case<decltype(type)> of(rows, columns, dense, weighted, 2);
    of.metric.answers = true;
    double expected = of.sums[1] = 3;
    kernels_of<decltype(type)>(isa).accuracy(of.metric);
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j)
        if (of.right_answer(i, j) != nowhere && of.right_answer(i, j) == of.chosen_answer(i, j))
          expected += of.weight(i);
    CHECK_EQ(of.sums[0], of.sum_of_weights() * double(columns));
    CHECK_EQ(of.sums[1], expected);
    CHECK_EQ(of.sums[2], untouched);
  });
}

TEST("top k counts the rows whose right class is among the k first") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    Case<decltype(type)> of(rows, columns, dense, weighted, 2);
    double expected = of.sums[1] = 3;
    kernels_of<decltype(type)>(isa).top_k(of.metric);
    for (size_t i = 0; i < rows; ++i) {
      if (of.right(i) >= columns || of.has_nan(of.scores, i)) continue;
      const std::vector<size_t> places = of.ranking(of.scores, i);
      const auto end = places.begin() + ptrdiff_t(std::min<size_t>(2, columns));
      if (std::find(places.begin(), end, of.right(i)) != end) expected += of.weight(i);
    }
    CHECK_EQ(of.sums[0], of.sum_of_weights());
    CHECK_EQ(of.sums[1], expected);
    CHECK_EQ(of.sums[2], untouched);
  });
}

template <class T>
void check_counts(const Isa& isa, size_t rows, size_t columns, bool dense, bool weighted, bool answers) {
  Case<T> of(rows, columns, dense, weighted, 1 + 3 * columns);
  of.metric.answers = answers;
  std::vector<double> expected(of.sums);
  kernels_of<T>(isa).class_counts(of.metric);
  expected[0] = of.sum_of_weights();
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      const bool asked = answers || columns == 1;
      const bool right = asked ? of.right_answer(i, j) == 1 : of.right(i) == j;
      const bool chosen = asked ? of.chosen_answer(i, j) == 1 : of.chosen(i) == j;
      expected[1 + 3 * j] += right ? of.weight(i) : 0;
      expected[2 + 3 * j] += chosen ? of.weight(i) : 0;
      expected[3 + 3 * j] += right && chosen ? of.weight(i) : 0;
    }
  CHECK(of.sums == expected);
}
TEST("class counts are how often each class, or each answer, was right, was chosen, and both") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    check_counts<decltype(type)>(isa, rows, columns, dense, weighted, false);
    if (dense) check_counts<decltype(type)>(isa, rows, columns, dense, weighted, true);
  });
}

// Bins grow with the scores: those that lie apart by more than 2⁻¹⁰ of themselves, between the ends, are not in one.
void check_order(std::vector<std::pair<double, size_t>> places) {
  std::sort(places.begin(), places.end());
  const auto within = [](double v) { return std::fabs(v) >= 0x1p-32 && std::fabs(v) < 0x1p32; };
  for (size_t i = 1; i < places.size(); ++i) {
    const double low = places[i - 1].first, high = places[i].first;
    CHECK(low == high ? places[i - 1].second == places[i].second : places[i - 1].second <= places[i].second);
    if (high - low > std::fmax(std::fabs(low), std::fabs(high)) * 0x1p-10 && within(low) && within(high))
      CHECK(places[i - 1].second < places[i].second);
  }
}

TEST("answers by score: each row's weight lies with its answer in the bin of its score, and is remembered") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    if (columns > 2) return;
    using T = decltype(type);
    const size_t width = 2 * (score_bins + 1);
    Case<T> of(rows, columns, dense, weighted, width);
    for (size_t i = 0; i < rows * columns; ++i) of.scores[i] *= T(std::pow(2.0, double(i % 80) - 40));
    kernels_of<T>(isa).answers_by_score(of.metric);
    std::vector<std::pair<double, size_t>> places;  // score, bin
    double none = 0, total = 0;
    for (size_t i = 0; i < rows; ++i) {
      if (of.right(i) == nowhere || of.weight(i) == 0) continue;
      total += of.weight(i);
      const double score = columns == 1 ? of.scores[i] : double(of.scores[2 * i + 1]) - double(of.scores[2 * i]);
      const size_t bin = of.changed[i].at / 2;
      CHECK_EQ(of.changed[i].at % 2, of.right(i));
      if (!std::isnan(score)) {
        places.push_back({score, bin});
        continue;
      }
      none += of.weight(i);
      CHECK_EQ(bin, score_bins);
    }
    check_order(places);
    CHECK_EQ(of.sums[width - 1] + of.sums[width - 2], none);
    for (size_t i = 0; i < width; ++i) total -= of.sums[i];
    CHECK_NEAR(total, 0, 1e-12);
    CHECK_EQ(of.sums[width], untouched);
    kernels_of<T>(isa).put_back(of.changed.data(), rows, of.sums.data());
    CHECK(std::all_of(of.sums.begin(), of.sums.end() - 1, [](double sum) { return sum == 0; }));
  });
}

template <class T>
double log_loss_of(const Case<T>& of, size_t i, bool answers) {
  double total = 0, loss = 0;
  for (size_t j = 0; j < of.columns; ++j) total += std::exp(double(of.scores[i * of.columns + j]));
  for (size_t j = 0; j < of.columns; ++j) {
    const double score = of.scores[i * of.columns + j];
    const double target = of.columns == 1 && !of.metric.targets ? of.labels[i] : of.target(i, j);
    const double yes = target * std::log1p(std::exp(-score)), no = (1 - target) * std::log1p(std::exp(score));
    loss += answers || of.columns == 1 ? (yes + no) / double(of.columns) : target * (std::log(total) - score);
  }
  return loss;
}
TEST("log loss is −log of what softmax or sigmoid give to what is right, of each row of weight") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    using T = decltype(type);
    for (bool answers : {false, true}) {
      if (answers && !dense) continue;
      Case<T> of(rows, columns, dense, weighted, 2);
      of.metric.answers = answers;
      for (std::vector<T>* numbers : {&of.scores, &of.targets})
        for (T& number : *numbers) number = std::isnan(number) ? T(0.125) : number;
      if (weighted && rows > 4) of.weights[4] = 0, of.scores[4 * columns] = std::numeric_limits<T>::infinity();
      double expected = 0;
      for (size_t i = 0; i < rows; ++i) expected += of.weight(i) > 0 ? of.weight(i) * log_loss_of(of, i, answers) : 0;
      kernels_of<T>(isa).log_loss(of.metric);
      CHECK_EQ(of.sums[0], of.sum_of_weights());
      CHECK_NEAR(of.sums[1], expected, (sizeof(T) == 4 ? 1e-6 : 1e-14) * (1 + double(rows)));
      CHECK_EQ(of.sums[2], untouched);
    }
  });
}

TEST("the confusion matrix counts pairs of right and chosen class, and remembers what it changed") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    const size_t classes = std::max<size_t>(columns, 2), width = classes * (classes + 1);
    Case<decltype(type)> of(rows, columns, dense, weighted, width);
    for (size_t i = 0; i < width; ++i) of.sums[i] = double(i);
    std::vector<double> expected = of.sums;
    const std::vector<double> before = of.sums;
    kernels_of<decltype(type)>(isa).confusion_matrix(of.metric);
    for (size_t i = 0; i < rows; ++i)
      if (of.right(i) != nowhere)
        expected[of.right(i) * (classes + 1) + std::min(of.chosen(i), classes)] += of.weight(i);
    CHECK(of.sums == expected);
    Case<decltype(type)> forgetful(rows, columns, dense, weighted, width);
    forgetful.sums = before;
    forgetful.metric.changed = nullptr;
    kernels_of<decltype(type)>(isa).confusion_matrix(forgetful.metric);
    CHECK(forgetful.sums == expected);
    kernels_of<decltype(type)>(isa).put_back(of.changed.data(), rows, of.sums.data());
    CHECK(of.sums == before);
  });
}

TEST("errors, absolute and squared, are means over the columns of each row") {
  for_all([](const Isa& isa, auto type, size_t rows, size_t columns, bool dense, bool weighted) {
    Case<decltype(type)> of(rows, columns, dense, weighted, 3);
    double expected[2] = {3, 4};
    of.sums[1] = 3, of.sums[2] = 4;
    kernels_of<decltype(type)>(isa).errors(of.metric);
    for (size_t i = 0; i < rows; ++i) {
      if (of.weight(i) == 0) continue;
      for (size_t j = 0; j < columns; ++j) {
        const double error = double(of.scores[i * columns + j]) - of.target(i, j);
        expected[0] += of.weight(i) * std::fabs(error) / double(columns);
        expected[1] += of.weight(i) * error * error / double(columns);
      }
    }
    CHECK_EQ(of.sums[0], of.sum_of_weights());
    for (int k : {0, 1}) {
      const double found = of.sums[size_t(1 + k)];
      CHECK(std::isnan(expected[k]) ? std::isnan(found) : std::fabs(found - expected[k]) < 1e-12 * (1 + expected[k]));
    }
    CHECK_EQ(of.sums[3], untouched);
  });
}

template <class T>
void check_r2(const Isa& isa, size_t rows, size_t columns, bool weighted, double far) {
  Case<T> of(rows, columns, true, weighted, 1 + 4 * columns), same(rows, columns, true, weighted, 1 + 4 * columns);
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (T& target : of.targets) target = T(far + normal(random));
  for (size_t i = 0; i < of.scores.size(); ++i) of.scores[i] = of.targets[i] + T(normal(random));
  same.scores = of.scores, same.targets = of.targets;
  const auto call = [&](size_t first, size_t count) {
    Metric<T> part = of.metric;
    part.rows = count;
    part.scores += first * columns, part.targets += first * columns;
    if (weighted) part.weights += first;
    kernels_of<T>(isa).r2(part);
  };
  call(0, rows / 3), call(rows / 3, rows - rows / 3);
  kernels_of<T>(*available_isas()[0]).r2(same.metric);
  CHECK(of.sums == same.sums);
  double weight = 0;
  for (size_t i = 0; i < rows; ++i) weight += of.weight(i);
  CHECK_NEAR(of.sums[0], weight, 1e-12 * weight);
  for (size_t j = 0; j < columns; ++j) {
    double mean = 0, squares = 0, residual = 0;
    for (size_t i = 0; i < rows; ++i) mean += of.weight(i) * (of.target(i, j) - far) / weight;
    for (size_t i = 0; i < rows; ++i) {
      squares += of.weight(i) * std::pow(of.target(i, j) - far - mean, 2);
      residual += of.weight(i) * std::pow(of.target(i, j) - double(of.scores[i * columns + j]), 2);
    }
    CHECK_NEAR(of.sums[1 + 4 * j] - far + of.sums[2 + 4 * j], mean, 1e-8);
    CHECK_NEAR(of.sums[3 + 4 * j], squares, 1e-12 * (1 + squares));
    CHECK_NEAR(of.sums[4 + 4 * j], residual, 1e-12 * (1 + residual));
  }
}
TEST("R² has squares about the targets' mean as two passes have them, far from zero too, however calls are cut") {
  for_each_isa([](const Isa& isa) {
    for (size_t columns : {1, 2, 7})
      for (bool weighted : {true, false})
        for (double far : {0.0, 1e7}) {
          check_r2<float>(isa, 40, columns, weighted, far);
          check_r2<double>(isa, 40, columns, weighted, far);
        }
  });
}

}  // namespace
}  // namespace gradus
