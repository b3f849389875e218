// The losses against the formulas written plainly in float64, their gradients against central differences of those.
#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "test.h"

using namespace gradus;
using test::for_each_isa;

namespace {
using Row = std::vector<double>;

enum class Targets { labels, dense };

double log_sum_exp(const Row& s) {
  const double largest = *std::max_element(s.begin(), s.end());
  double total = 0;
  for (double v : s) total += std::exp(v - largest);
  return largest + std::log(total);
}

template <class F>
double mean_over_columns(const Row& s, F f) {
  double total = 0;
  for (size_t j = 0; j < s.size(); ++j) total += f(j);
  return total / double(s.size());
}

// The loss of one row of scores s; the label or t says what is wanted.
double cross_entropy_of_targets(const Row& s, size_t, const Row& t, double temperature) {
  Row cooled = s;
  for (double& v : cooled) v /= temperature;
  double loss = 0;
  for (size_t j = 0; j < s.size(); ++j) loss += t[j] * (log_sum_exp(cooled) - cooled[j]);
  return temperature * temperature * loss;
}

double cross_entropy_of_label(const Row& s, size_t label, const Row&, double temperature) {
  Row t(s.size());
  t[label] = 1;
  return cross_entropy_of_targets(s, label, t, temperature);
}

double weston_watkins(const Row& s, size_t label, const Row&, double margin) {
  double loss = 0;
  for (size_t j = 0; j < s.size(); ++j)
    if (j != label) loss += std::max(0.0, s[j] - s[label] + margin);
  return loss;
}

double one_vs_all(const Row& s, size_t label, const Row&, double margin) {
  double loss = 0;
  for (size_t j = 0; j < s.size(); ++j) loss += std::max(0.0, margin - (j == label ? s[j] : -s[j]));
  return loss;
}

double squared_error(const Row& s, size_t, const Row& t, double) {
  return mean_over_columns(s, [&](size_t j) { return std::pow(s[j] - t[j], 2); });
}

double absolute_error(const Row& s, size_t, const Row& t, double) {
  return mean_over_columns(s, [&](size_t j) { return std::fabs(s[j] - t[j]); });
}

double yes_or_no(const Row& s, size_t, const Row& t, double) {
  return mean_over_columns(
      s, [&](size_t j) { return t[j] * std::log1p(std::exp(-s[j])) + (1 - t[j]) * std::log1p(std::exp(s[j])); });
}

double squared_then_absolute(const Row& s, size_t, const Row& t, double delta) {
  return mean_over_columns(s, [&](size_t j) {
    const double e = std::fabs(s[j] - t[j]);
    return e <= delta ? e * e / 2 : delta * (e - delta / 2);
  });
}

struct Kind {
  const char* name;
  void (*Kernels<float>::*float32)(const Loss<float>&);
  void (*Kernels<double>::*float64)(const Loss<double>&);
  Targets targets;
  bool kinks;
  double (*reference)(const Row& s, size_t label, const Row& t, double parameter);
  double parameter = 0.75;
  double smoothing = 0;
  bool mixed = false;  // each label with another one's share
};
#define LOSS(name) #name, &Kernels < float> ::name, &Kernels < double> ::name
const Kind kinds[] = {
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_label, 1},
    {LOSS(softmax_cross_entropy), Targets::dense, false, cross_entropy_of_targets, 1},
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_label, 0.75},
    {LOSS(softmax_cross_entropy), Targets::dense, false, cross_entropy_of_targets, 0.75},
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_label, 3.7},
    {LOSS(softmax_cross_entropy), Targets::dense, false, cross_entropy_of_targets, 3.7},
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_targets, 1, 0.1},
    {LOSS(softmax_cross_entropy), Targets::dense, false, cross_entropy_of_targets, 1, 0.25},
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_targets, 1, 0, true},
    {LOSS(softmax_cross_entropy), Targets::labels, false, cross_entropy_of_targets, 2.5, 0.3, true},
    {LOSS(multiclass_hinge), Targets::labels, true, weston_watkins},
    {LOSS(one_vs_all_hinge), Targets::labels, true, one_vs_all},
    {LOSS(mean_squared_error), Targets::dense, false, squared_error},
    {LOSS(mean_absolute_error), Targets::dense, true, absolute_error},
    {LOSS(binary_cross_entropy), Targets::dense, false, yes_or_no},
    {LOSS(huber), Targets::dense, true, squared_then_absolute},
};

template <class T>
auto kernel(const Isa& isa, const Kind& kind) {
  if constexpr (sizeof(T) == 4) {
    return isa.float32.*kind.float32;
  } else {
    return isa.float64.*kind.float64;
  }
}

constexpr double untouched = -77;  // what lies behind each result

template <class T>
struct Example {
  size_t rows, columns;
  std::vector<T> scores, targets, weights, shares, losses, gradient;
  std::vector<int32_t> labels, other_labels;
  Loss<T> loss;

  Example(const Kind& kind, size_t rows, size_t columns, bool weighted, unsigned seed) : rows(rows), columns(columns) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    for (size_t i = 0; i < rows * columns; ++i) {
      scores.push_back(T(2 * normal(random)));
      targets.push_back(T(uniform(random)));
    }
    for (size_t i = 0; i < rows; ++i) {
      weights.push_back(T(0.5 + uniform(random)));
      labels.push_back(int32_t(random() % columns));
      other_labels.push_back(int32_t(random() % columns)), shares.push_back(T(uniform(random)));
    }
    losses.assign(rows + 1, T(untouched));
    gradient.assign(rows * columns + 1, T(untouched));
    loss.rows = rows, loss.columns = columns, loss.scores = scores.data();
    if (kind.targets == Targets::labels) loss.labels = labels.data();
    if (kind.targets == Targets::dense) loss.targets = targets.data();
    if (weighted) loss.weights = weights.data();
    if (kind.mixed) loss.other_labels = other_labels.data(), loss.shares = shares.data();
    loss.scale = T(0.25), loss.parameter = T(kind.parameter), loss.smoothing = T(kind.smoothing);
    loss.losses = losses.data(), loss.gradient = gradient.data();
  }
  Row row(const std::vector<T>& all, size_t i) const {
    return Row(all.begin() + long(i * columns), all.begin() + long((i + 1) * columns));
  }
  // What the scores of a row are held against.
  Row targets_of(const Kind& kind, size_t i) const {
    Row t = row(targets, i);
    if (kind.targets == Targets::labels) {
      t.assign(columns, 0);
      const double share = kind.mixed ? double(shares[i]) : 1;
      t[size_t(labels[i])] += share, t[size_t(other_labels[i])] += 1 - share;
    }
    const double smoothing = double(loss.smoothing);
    for (double& v : t) v = (1 - smoothing) * v + smoothing / double(columns);
    return t;
  }
};

// Central differences of the reference. Next to a kink of the loss, where its third differences jump, they say nothing.
double slope_at(const Kind& kind, Row s, size_t label, const Row& t, double parameter, size_t j, bool& smooth) {
  // As wide as a temperature makes the loss smooth: sums of many targets are rounded in proportion.
  const double middle = s[j], h = kind.kinks ? 1e-4 : 5e-4 * std::max(1.0, parameter);
  const auto odd_part = [&](double step) {
    s[j] = middle + step;
    const double above = kind.reference(s, label, t, parameter);
    s[j] = middle - step;
    return above - kind.reference(s, label, t, parameter);
  };
  const double near = odd_part(h), far = odd_part(2 * h);
  smooth = !kind.kinks || std::fabs(far - 2 * near) / (2 * h * h * h) < 0.2;
  return (8 * near - far) / (12 * h);
}

// What a row's loss and slopes should be; a slope next to a kink is none.
struct Expected {
  double loss;
  std::vector<std::optional<double>> slopes;
};
template <class T>
Expected expected_of(const Kind& kind, const Example<T>& example, size_t i) {
  const Row s = example.row(example.scores, i), t = example.targets_of(kind, i);
  const size_t label = size_t(example.labels[i]);
  const double weight = example.loss.weights ? double(example.weights[i]) : 1,
               parameter = double(example.loss.parameter);
  Expected expected{weight * kind.reference(s, label, t, parameter), {}};
  for (size_t j = 0; j < example.columns; ++j) {
    bool smooth;
    const double slope = 0.25 * weight * slope_at(kind, s, label, t, parameter, j, smooth);
    expected.slopes.push_back(smooth ? std::optional(slope) : std::nullopt);
  }
  return expected;
}

template <class T>
void check_against_reference(const Kind& kind, size_t rows, size_t columns) {
  const double u = std::numeric_limits<T>::epsilon();
  for (bool weighted : {false, true}) {
    Example<T> example(kind, rows, columns, weighted, unsigned(rows * 1000 + columns));
    std::vector<Expected> expected;
    for (size_t i = 0; i < rows; ++i) expected.push_back(expected_of(kind, example, i));
    for_each_isa([&](const Isa& isa) {
      example.losses.assign(rows + 1, T(untouched)), example.gradient.assign(rows * columns + 1, T(untouched));
      kernel<T>(isa, kind)(example.loss);
      for (size_t i = 0; i < rows; ++i) {
        const auto& [loss, slopes] = expected[i];
        CHECK_NEAR(example.losses[i], loss, 16 * u * (std::fabs(loss) + double(columns)));
        for (size_t j = 0; j < columns; ++j)
          if (slopes[j]) CHECK_NEAR(example.gradient[i * columns + j], *slopes[j], 16 * u * double(columns) + 1e-9);
      }
      CHECK_EQ(example.losses[rows], T(untouched));
      CHECK_EQ(example.gradient[rows * columns], T(untouched));
    });
  }
}

template <class T>
void check_all() {
  test::Sample sample(5);
  for (const Kind& kind : kinds)
    for (size_t columns : {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 67})
      for (size_t rows : {0, 1, 5, 17}) {
        if (test::is_quick() && rows * columns > 100) continue;
        if (!sample.has_next()) continue;
        test::Scope scope(std::string(kind.name) + (kind.targets == Targets::labels ? ", labels, " : ", dense, ") +
                          std::to_string(kind.parameter) + ", " + std::to_string(rows) + " x " +
                          std::to_string(columns));
        check_against_reference<T>(kind, rows, columns);
      }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void check_same_bits(const Isa& isa) {
  const Isa* const* last = available_isas();
  while (last[1]) ++last;
  test::Sample sample(5);
  for (const Kind& kind : kinds)
    for (size_t columns = 1; columns <= 67; ++columns) {
      if (!sample.has_next()) continue;
      test::Scope scope(std::string(kind.name) + " of " + std::to_string(kind.parameter) + ", columns " +
                        std::to_string(columns));
      Example<T> expected(kind, 19, columns, true, unsigned(columns)),
          example(kind, 19, columns, true, unsigned(columns));
      kernel<T>(**last, kind)(expected.loss);
      kernel<T>(isa, kind)(example.loss);
      CHECK(same_bits(example.losses, expected.losses));
      CHECK(same_bits(example.gradient, expected.gradient));
      example.loss.gradient = nullptr;  // the loss alone is the same
      example.losses.assign(example.losses.size(), T(untouched));
      kernel<T>(isa, kind)(example.loss);
      CHECK(same_bits(example.losses, expected.losses));
    }
}
}  // namespace

TEST("losses and gradients equal the formulas in float64 and their central differences") {
  check_all<float>(), check_all<double>();
}

TEST("losses are the same bits on every ISA, with and without a gradient") {
  for_each_isa([](const Isa& isa) { check_same_bits<float>(isa), check_same_bits<double>(isa); });
}

TEST("losses stay finite and right at huge scores") {
  for_each_isa([](const Isa& isa) {
    const float scores[] = {1e4f, -1e4f, 0, 0, 1e4f, 0};
    const int32_t labels[] = {1, 1};
    float losses[2], gradient[6];
    Loss<float> loss;
    loss.rows = 2, loss.columns = 3, loss.scores = scores, loss.labels = labels;
    loss.losses = losses, loss.gradient = gradient;
    isa.float32.softmax_cross_entropy(loss);
    CHECK_EQ(losses[0], 2e4f);
    CHECK_EQ(losses[1], 0.0f);
    CHECK_EQ(gradient[0], 1.0f);
    CHECK_EQ(gradient[1], -1.0f);
    const float logits[] = {1e4f, -1e4f, 1e4f, -1e4f, 3, -200}, wanted[] = {0, 1, 1, 0, 1, 0};
    float many[6];
    loss.rows = 6, loss.columns = 1, loss.scores = logits, loss.labels = nullptr, loss.targets = wanted;
    loss.losses = many;
    isa.float32.binary_cross_entropy(loss);
    CHECK_EQ(many[0], 1e4f);
    CHECK_EQ(many[1], 1e4f);
    CHECK_EQ(many[2], 0.0f);
    CHECK_EQ(many[3], 0.0f);
    CHECK_NEAR(many[4], std::log1p(std::exp(-3.0)), 1e-8);
    CHECK_EQ(many[5], float(std::exp(-200.0)));
    CHECK_EQ(gradient[2], 0.0f);
  });
}

TEST("binary cross-entropy takes the labels of a single column") {
  for_each_isa([](const Isa& isa) {
    std::vector<float> scores, targets, losses(37), expected(37), gradient(37), expected_gradient(37);
    std::vector<int32_t> labels;
    for (int i = 0; i < 37; ++i)
      scores.push_back(float(i) / 5 - 3), labels.push_back(i % 3 == 0), targets.push_back(float(i % 3 == 0));
    Loss<float> loss;
    loss.rows = 37, loss.columns = 1, loss.scores = scores.data(), loss.targets = targets.data();
    loss.losses = expected.data(), loss.gradient = expected_gradient.data();
    isa.float32.binary_cross_entropy(loss);
    loss.targets = nullptr, loss.labels = labels.data(), loss.losses = losses.data(), loss.gradient = gradient.data();
    isa.float32.binary_cross_entropy(loss);
    CHECK(same_bits(losses, expected));
    CHECK(same_bits(gradient, expected_gradient));
  });
}

TEST("a NaN score makes the loss of its row NaN, and of no other") {
  for_each_isa([](const Isa& isa) {
    for (const Kind& kind : kinds) {
      test::Scope scope(kind.name);
      Example<float> example(kind, 3, 19, false, 5);
      example.scores[19 + 18] = std::numeric_limits<float>::quiet_NaN();
      kernel<float>(isa, kind)(example.loss);
      CHECK(std::isfinite(example.losses[0]));
      CHECK(std::isnan(example.losses[1]));
      CHECK(std::isfinite(example.losses[2]));
    }
  });
}

TEST("a row of weight 0 has neither loss nor gradient, whatever its scores are, and changes no other row") {
  const float infinity = std::numeric_limits<float>::infinity(), scores[] = {3e38f, -3e38f, infinity, -infinity, NAN};
  for_each_isa([&](const Isa& isa) {
    for (const Kind& kind : kinds)
      for (size_t columns : {1, 3, 19})
        for (float score : scores) {
          test::Scope scope(std::string(kind.name) + ", columns " + std::to_string(columns));
          Example<float> expected(kind, 37, columns, true, 5), example(kind, 37, columns, true, 5);
          kernel<float>(isa, kind)(expected.loss);
          for (size_t row = 0; row < 37; row += 3) {
            example.weights[row] = 0;
            std::fill_n(example.scores.begin() + long(row * columns), columns, score);
            expected.losses[row] = 0;
            std::fill_n(expected.gradient.begin() + long(row * columns), columns, 0.0f);
          }
          kernel<float>(isa, kind)(example.loss);
          CHECK(same_bits(example.losses, expected.losses));
          CHECK(same_bits(example.gradient, expected.gradient));
          example.loss.gradient = nullptr;
          kernel<float>(isa, kind)(example.loss);
          CHECK(same_bits(example.losses, expected.losses));
        }
  });
}
