// What a model reports beside the loss: sums over rows of scores against their targets, in double and in order, so that
// their bits do not depend on where one call ends and the next begins. Rows of weight 0 do not count.
#pragma once
#include "losses-inl.h"

constexpr size_t no_class = SIZE_MAX;  // where there is no number to tell a class by

// The place of the highest number, the first of equals.
template <class T>
INLINE size_t highest_of(const T* numbers, size_t columns) {
  size_t highest = 0;
  for (size_t j = 0; j < columns; ++j) {
    if (numbers[j] <= numbers[highest]) continue;
    if (numbers[j] != numbers[j]) return no_class;
    highest = j;
  }
  return highest;
}
// The answer that a number gives: 1 for yes, 0 for no.
template <class T>
INLINE size_t answer_of(T number, T yes) {
  return number != number ? no_class : size_t(number > yes);
}
// Scores say yes above 0, targets above a half.
template <class T>
INLINE size_t chosen_answer(const Metric<T>& metric, size_t row, size_t j) {
  return answer_of(metric.scores[row * metric.columns + j], T(0));
}
template <class T>
INLINE size_t right_answer(const Metric<T>& metric, size_t row, size_t j) {
  return metric.targets ? answer_of(metric.targets[row * metric.columns + j], T(0.5)) : size_t(metric.labels[row] == 1);
}
// Of a single output the classes are its answers.
template <class T>
INLINE size_t chosen_class(const Metric<T>& metric, size_t row) {
  if (metric.columns == 1) return chosen_answer(metric, row, 0);
  return highest_of(metric.scores + row * metric.columns, metric.columns);
}
template <class T>
INLINE size_t right_class(const Metric<T>& metric, size_t row) {
  if (metric.columns == 1) return right_answer(metric, row, 0);
  if (!metric.targets) return size_t(metric.labels[row]);
  return highest_of(metric.targets + row * metric.columns, metric.columns);
}
template <class T>
INLINE double target_of(const Metric<T>& metric, size_t row, size_t j) {
  return metric.targets ? double(metric.targets[row * metric.columns + j]) : double(size_t(metric.labels[row]) == j);
}

// body(row, weight) for the rows that count.
template <class T, class F>
INLINE void for_weighted_rows(const Metric<T>& metric, F body) {
  for (size_t row = 0; row < metric.rows; ++row) {
    const double weight = metric.weights ? double(metric.weights[row]) : 1;
    if (weight != 0) body(row, weight);
  }
}

// Σ weight, Σ weight · whether the class is the right one; of answers both for each of them.
template <class T>
FUNCTION void accuracy(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    if (!metric.answers) {
      const size_t right = right_class(metric, row);
      metric.sums[0] += weight;
      metric.sums[1] += right != no_class && chosen_class(metric, row) == right ? weight : 0;
      return;
    }
    size_t count = 0;
    for (size_t j = 0; j < metric.columns; ++j) {
      const size_t right = right_answer(metric, row, j);
      count += right != no_class && chosen_answer(metric, row, j) == right;
    }
    metric.sums[0] += weight * double(metric.columns);
    metric.sums[1] += weight * double(count);
  });
}

// Σ weight, Σ weight · whether the right class is among the k highest. It counts as one of them when fewer than k
// are above it; of equals the first is the higher.
template <class T>
FUNCTION void top_k(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const T* const scores = metric.scores + row * metric.columns;
    const size_t right = right_class(metric, row);
    metric.sums[0] += weight;
    if (right >= metric.columns || chosen_class(metric, row) == no_class) return;
    size_t above = 0;
    for (size_t j = 0; j < metric.columns; ++j)
      above += scores[j] > scores[right] || (scores[j] == scores[right] && j < right);
    metric.sums[1] += above < metric.k ? weight : 0;
  });
}

// A row for each right class, a column for each chosen one and one more for none.
template <class T>
FUNCTION void confusion_matrix(const Metric<T>& metric) {
  const size_t classes = metric.columns < 2 ? 2 : metric.columns;  // no and yes for a single output
  for (size_t row = 0; metric.changed && row < metric.rows; ++row) metric.changed[row] = {no_class, 0};
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const size_t right = right_class(metric, row), chosen = chosen_class(metric, row);
    if (right == no_class) return;
    const size_t at = right * (classes + 1) + (chosen == no_class ? classes : chosen);
    if (metric.changed) metric.changed[row] = {at, metric.sums[at]};
    metric.sums[at] += weight;
  });
}

// Σ weight; then for each class, or for each answer, Σ weight where it is right, where it was chosen, and where both.
template <class T>
FUNCTION void class_counts(const Metric<T>& metric) {
  const auto count = [&](size_t one, double weight, bool is_right, bool is_chosen) INLINE_LAMBDA {
    double* const sums = metric.sums + 1 + 3 * one;
    if (is_right) sums[0] += weight;
    if (is_chosen) sums[1] += weight;
    if (is_right && is_chosen) sums[2] += weight;
  };
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    metric.sums[0] += weight;
    if (metric.answers || metric.columns == 1) {
      for (size_t j = 0; j < metric.columns; ++j)
        count(j, weight, right_answer(metric, row, j) == 1, chosen_answer(metric, row, j) == 1);
      return;
    }
    const size_t right = right_class(metric, row), chosen = chosen_class(metric, row);
    if (right != no_class) count(right, weight, true, chosen == right);
    if (chosen != no_class && chosen != right) count(chosen, weight, false, true);
  });
}

// Σ weight, and of the means over the outputs Σ weight · |score − target| and Σ weight · (score − target)².
template <class T>
FUNCTION void errors(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    double absolute = 0, squared = 0;
    for (size_t j = 0; j < metric.columns; ++j) {
      const double error = double(metric.scores[row * metric.columns + j]) - target_of(metric, row, j);
      absolute += __builtin_fabs(error);
      squared += error * error;
    }
    metric.sums[0] += weight;
    metric.sums[1] += weight * absolute / double(metric.columns);
    metric.sums[2] += weight * squared / double(metric.columns);
  });
}

// Σ weight, Σ weight · cross-entropy of the answers, or of the classes by softmax. As many losses are made at once as
// a vector has lanes, then added one after the other.
template <class T>
INLINE void add_log_losses(const Metric<T>& metric, T* losses) {
  constexpr size_t lanes = Vec<T>::lanes;
  double weights = metric.sums[0], total = metric.sums[1];
  Loss<T> all;
  all.columns = metric.columns, all.scores = metric.scores;
  all.labels = metric.labels, all.targets = metric.targets;
  const bool answers = metric.columns == 1 || (metric.answers && metric.targets);
  for (size_t first = 0; first < metric.rows; first += lanes) {
    Loss<T> loss = all.part(first, metric.rows - first < lanes ? metric.rows - first : lanes);
    loss.losses = losses;
    answers ? binary_cross_entropy(loss) : softmax_cross_entropy(loss);
    settle<T>();
    for (size_t i = 0; i < loss.rows; ++i) {
      const double weight = metric.weights ? double(metric.weights[first + i]) : 1;
      if (weight == 0) continue;
      weights += weight;
      total += weight * double(losses[i]);
    }
    settle<T>();
  }
  metric.sums[0] = weights, metric.sums[1] = total;
}
template <class T>
FUNCTION void log_loss(const Metric<T>& metric) {
  T losses[Vec<T>::lanes];
  add_log_losses(metric, losses);
}

// Where a number lies among score_bins that grow with it: 2¹⁰ to an octave on either side of 0, from 2⁻³² to 2³²; what
// is beyond lies in the first or last of its side. Numbers that are none have a bin of their own behind the others.
INLINE size_t score_bin(double number) {
  constexpr uint64_t half = score_bins / 2, lowest = uint64_t(1023 - 32) << 10;
  if (number != number) return score_bins;
  uint64_t bits = 0;
  const double size = __builtin_fabs(number);
  __builtin_memcpy(&bits, &size, sizeof bits);
  bits >>= 42;
  const uint64_t place = bits < lowest ? 0 : bits - lowest < half ? bits - lowest : half - 1;
  return size_t(number < 0 ? half - 1 - place : half + place);
}
// Σ weight of the rows whose answer is no, and of those where it is yes, for each bin of scores. Of two classes the
// second is yes, and its score counts from the first one's.
template <class T>
FUNCTION void answers_by_score(const Metric<T>& metric) {
  for (size_t row = 0; metric.changed && row < metric.rows; ++row) metric.changed[row] = {no_class, 0};
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const T* const scores = metric.scores + row * metric.columns;
    const size_t right = right_class(metric, row);
    if (right == no_class) return;
    const double score = metric.columns == 1 ? double(scores[0]) : double(scores[1]) - double(scores[0]);
    const size_t at = 2 * score_bin(score) + (right == 1);
    if (metric.changed) metric.changed[row] = {at, metric.sums[at]};
    metric.sums[at] += weight;
  });
}

// Σ weight; then for each output the first target, the mean of the targets' distances from it, Σ weight · (target −
// mean)² and Σ weight · (target − score)². Far from zero sums of squares would cancel; so would distances from a first
// target that lies apart from the others, so the mean moves with each row (West, "Updating mean and variance
// estimates", 1979).
template <class T>
FUNCTION void r2(const Metric<T>& metric) {
  double* const sums = metric.sums;
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const bool is_first = sums[0] == 0;
    sums[0] += weight;
    const double share = weight / sums[0];
    for (size_t j = 0; j < metric.columns; ++j) {
      double &first = sums[1 + 4 * j], &mean = sums[2 + 4 * j], &squares = sums[3 + 4 * j], &residual = sums[4 + 4 * j];
      const double target = target_of(metric, row, j), error = target - double(metric.scores[row * metric.columns + j]);
      if (is_first) first = target;
      const double distance = target - first, moved = distance - mean;
      mean += moved * share;
      squares += weight * moved * (distance - mean);
      residual += weight * error * error;
    }
  });
}

// As if the rows that have changed these sums had not been: the last of several changes first.
template <class T>
FUNCTION void put_back(const ChangedSum* changed, size_t n, double* sums) {
  for (size_t i = n; i-- > 0;)
    if (changed[i].at != SIZE_MAX) sums[changed[i].at] = changed[i].before;
}
