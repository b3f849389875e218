// Combined scores of several members against their formulas in the next wider type, at odd sizes and far ends.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "test.h"

using namespace gradus;
using test::for_each_isa;

namespace {
using W = long double;
constexpr double untouched = -77;

const char* const combine_names[] = {"probabilities", "geometric", "scores", "vote"};
const char* const link_names[] = {"identity", "softmax", "sigmoid"};

template <class T>
struct Given {
  size_t members, rows, columns;
  std::vector<std::vector<T>> scores;
  std::vector<T> weights;
  std::vector<const T*> pointers;

  Given(size_t members, size_t rows, size_t columns, double size) : members(members), rows(rows), columns(columns) {
    std::mt19937 random(unsigned(members * 1000 + columns));
    std::normal_distribution<double> normal(0, size);
    double sum = 0;
    for (size_t m = 0; m < members; ++m) {
      std::vector<T>& of = scores.emplace_back(rows * columns);
      for (T& score : of) score = T(normal(random));
      weights.push_back(T(1 + m % 3)), sum += double(1 + m % 3);
    }
    for (T& weight : weights) weight = T(double(weight) / sum);
    for (const auto& of : scores) pointers.push_back(of.data());
  }
  std::vector<W> row(size_t m, size_t row) const {
    return {scores[m].begin() + long(row * columns), scores[m].begin() + long((row + 1) * columns)};
  }
};

// log Σ e^x
W log_sum(const std::vector<W>& logs) {
  const W largest = *std::max_element(logs.begin(), logs.end());
  W sum = 0;
  for (const W log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum);
}
W log_sigmoid(W s) { return std::min(s, W(0)) - std::log1p(std::exp(-std::fabs(s))); }
W log_share(W share) { return std::log(std::max(share, W(1e-7L))); }

// Of one row: what is combined, and the deviation.
template <class T>
void expect_row(const Given<T>& given, size_t row, Combine combine, Link link, std::vector<W>& combined,
                std::vector<W>& spread) {
  std::vector<std::vector<W>> scores, logs, values;
  for (size_t m = 0; m < given.members; ++m) {
    scores.push_back(given.row(m, row)), logs.push_back(scores[m]), values.push_back(scores[m]);
    const W norm = log_sum(scores[m]);
    for (size_t j = 0; j < given.columns; ++j) {
      if (link == Link::softmax) logs[m][j] -= norm, values[m][j] = std::exp(logs[m][j]);
      if (link == Link::sigmoid) values[m][j] = 1 / (1 + std::exp(-scores[m][j]));
    }
  }
  for (size_t j = 0; j < given.columns; ++j) {
    W mean_score = 0, mean_log = 0, mean = 0, squares = 0, votes = 0, all = 0;
    std::vector<W> log_parts, log_yes, log_no;
    for (size_t m = 0; m < given.members; ++m) {
      const W w = given.weights[m], s = scores[m][j];
      mean_score += w * s, mean_log += w * logs[m][j], mean += w * values[m][j], all += w;
      log_parts.push_back(std::log(w) + logs[m][j]);
      log_yes.push_back(std::log(w) + log_sigmoid(s)), log_no.push_back(std::log(w) + log_sigmoid(-s));
      const auto best = std::max_element(scores[m].begin(), scores[m].end());
      votes += link == Link::sigmoid ? (s > 0 ? w : 0) : size_t(best - scores[m].begin()) == j ? w : 0;
    }
    for (size_t m = 0; m < given.members; ++m)
      squares += given.weights[m] * (values[m][j] - mean) * (values[m][j] - mean);
    spread[j] = std::sqrt(squares);
    if (combine == Combine::vote)
      combined[j] = log_share(votes) - (link == Link::sigmoid ? log_share(all - votes) : 0);
    else if (combine == Combine::scores || link == Link::identity)
      combined[j] = mean_score;
    else if (combine == Combine::geometric)
      combined[j] = link == Link::softmax ? mean_log : mean_score;
    else
      combined[j] = link == Link::softmax ? log_sum(log_parts) : log_sum(log_yes) - log_sum(log_no);
  }
}

template <class T>
Combination<T> task_of(const Given<T>& given, Combine combine, Link link, std::vector<T>& norms) {
  Combination<T> task;
  task.combine = combine, task.link = link;
  task.members = given.members, task.rows = given.rows, task.columns = given.columns;
  task.scores = given.pointers.data(), task.weights = given.weights.data();
  norms.assign(given.rows * 2 * given.members, 0), task.norms = norms.data();
  return task;
}

template <class T>
bool is_near(T value, W expected) {
  const W bound = (sizeof(T) == 4 ? 1e-6L : 1e-14L) * std::max(W(1), std::fabs(expected));
  return std::fabs(W(value) - expected) <= bound;
}

// What is expected of all rows: combined, and the deviations.
template <class T>
std::array<std::vector<W>, 2> expected_of(const Given<T>& given, Combine combine, Link link) {
  std::array<std::vector<W>, 2> all;
  std::vector<W> combined(given.columns), spread(given.columns);
  for (size_t row = 0; row < given.rows; ++row) {
    expect_row(given, row, combine, link, combined, spread);
    all[0].insert(all[0].end(), combined.begin(), combined.end());
    all[1].insert(all[1].end(), spread.begin(), spread.end());
  }
  return all;
}

template <class T>
void check_sizes(const Given<T>& given, Combine combine, Link link) {
  const size_t size = given.rows * given.columns;
  const auto expected = expected_of(given, combine, link);
  for_each_isa([&](const Isa& isa) {
    std::vector<T> norms, combined(size + 1, T(untouched)), spread = combined, of_scalar = combined, alone = combined;
    Combination<T> task = task_of(given, combine, link, norms);
    task.temperature = T(1.5);
    task.combined = combined.data(), task.spread = spread.data();
    kernels_of<T>(isa).combine(task);
    for (size_t i = 0; i < size; ++i) {
      CHECK(is_near(combined[i], expected[0][i] / W(1.5)));
      CHECK(is_near(spread[i], expected[1][i]));
    }
    CHECK_EQ(combined[size], T(untouched));
    CHECK_EQ(spread[size], T(untouched));
    // The same bits on the reference, without the spread, and cut into pieces.
    const Isa* const* isas = available_isas();
    while (isas[1]) ++isas;
    task.spread = nullptr, task.combined = of_scalar.data();
    kernels_of<T>(**isas).combine(task);
    task.combined = alone.data();
    for (size_t row = 0; row < given.rows; ++row) kernels_of<T>(isa).combine(task.part(row, 1));
    CHECK(std::memcmp(combined.data(), of_scalar.data(), combined.size() * sizeof(T)) == 0);
    CHECK(std::memcmp(combined.data(), alone.data(), combined.size() * sizeof(T)) == 0);
  });
}

template <class T>
void check_all(size_t members, size_t rows, size_t columns) {
  const Given<T> given(members, rows, columns, 4);
  for (const Combine combine : {Combine::probabilities, Combine::geometric, Combine::scores, Combine::vote})
    for (const Link link : {Link::identity, Link::softmax, Link::sigmoid}) {
      test::Scope scope(std::string(combine_names[int(combine)]) + " of " + link_names[int(link)] + ", " +
                        std::to_string(members) + " members of " + std::to_string(columns) + " columns");
      check_sizes(given, combine, link);
    }
}

template <class T>
std::vector<T> combined_of(const Isa& isa, std::vector<std::vector<T>> scores, Combine combine, Link link) {
  Given<T> given(scores.size(), 1, scores[0].size(), 1);
  given.weights.assign(scores.size(), T(1) / T(scores.size()));
  for (size_t m = 0; m < scores.size(); ++m) given.pointers[m] = scores[m].data();
  std::vector<T> norms, combined(scores[0].size());
  Combination<T> task = task_of(given, combine, link, norms);
  task.combined = combined.data();
  kernels_of<T>(isa).combine(task);
  return combined;
}

template <class T>
void check_far_ends(const Isa& isa) {
  const T far = T(1e30), infinite = std::numeric_limits<T>::infinity(), none = std::numeric_limits<T>::quiet_NaN();
  const auto probabilities = [&](std::vector<std::vector<T>> scores, Link link) {
    return combined_of(isa, std::move(scores), Combine::probabilities, link);
  };
  // What all members find as good as impossible keeps its logarithm.
  std::vector<T> p = probabilities({{far, -far, 0}, {far, 0, -far}}, Link::softmax);
  CHECK_EQ(p[0], T(0));
  CHECK(p[1] < -far / 2 && p[2] < -far / 2 && p[1] > -infinite && p[2] > -infinite);
  p = probabilities({{0, T(-200)}, {0, T(-300)}}, Link::softmax);
  CHECK(is_near(p[1], -200 - std::log(W(2))));
  // An output that no member gives anything is −∞, not NaN.
  p = probabilities({{0, -infinite}, {0, -infinite}}, Link::softmax);
  CHECK_EQ(p[1], -infinite);
  p = probabilities({{far, -far, 200, -infinite}, {far, -far, 300, -infinite}}, Link::sigmoid);
  CHECK_EQ(p[0], far);
  CHECK_EQ(p[1], -far);
  CHECK(is_near(p[2], 200 + std::log(W(2))));
  CHECK_EQ(p[3], -infinite);
  p = probabilities({{far}, {-far}}, Link::sigmoid);
  CHECK(is_near(p[0], 0));
  for (const Combine combine : {Combine::probabilities, Combine::geometric, Combine::scores, Combine::vote})
    for (const Link link : {Link::identity, Link::softmax, Link::sigmoid})
      for (const T value : combined_of<T>(isa, {{none, 0}, {1, 0}}, combine, link))
        CHECK(value != value || link != Link::softmax || combine == Combine::scores);
  p = combined_of<T>(isa, {{none, 0}, {1, 0}}, Combine::vote, Link::sigmoid);
  CHECK(p[0] != p[0] && p[1] == p[1]);
  p = combined_of<T>(isa, {{-T(0), none}}, Combine::scores, Link::softmax);
  CHECK(std::signbit(p[0]) && p[1] != p[1]);
}

}  // namespace

TEST("combined scores and their spread equal their formulas, the same bits on every ISA and however they are cut") {
  test::Sample sample(3);
  for (const size_t columns : {1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 65})
    for (const size_t members : {1, 2, 5, 17})
      if (sample.has_next()) check_all<float>(members, 3, columns), check_all<double>(members, 3, columns);
}

TEST("far scores keep their logarithms, and what is not a number stays so") {
  for_each_isa([](const Isa& isa) { check_far_ends<float>(isa), check_far_ends<double>(isa); });
}
