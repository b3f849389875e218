// What a model reports beside the loss: sums over rows of scores against their targets, in double and in order, so that
// their bits do not depend on where one call ends and the next begins. Rows of weight 0 do not count.
#pragma once

constexpr size_t no_class = SIZE_MAX;  // where there is no number to tell a class by

// The place of the highest number, the first of equals; of a single one whether it is above `yes`.
template <class T>
INLINE size_t class_of(const T* numbers, size_t columns, T yes) {
  size_t highest = 0;
  for (size_t j = 0; j < columns; ++j) {
    if (numbers[j] <= numbers[highest]) continue;
    if (numbers[j] != numbers[j]) return no_class;
    highest = j;
  }
  return columns == 1 ? size_t(numbers[0] > yes) : highest;
}
template <class T>
INLINE size_t chosen_class(const Metric<T>& metric, size_t row) {
  return class_of(metric.scores + row * metric.columns, metric.columns, metric.threshold);
}
template <class T>
INLINE size_t right_class(const Metric<T>& metric, size_t row) {
  if (!metric.targets) return size_t(metric.labels[row]);
  return class_of(metric.targets + row * metric.columns, metric.columns, T(0.5));
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

template <class T>
static void accuracy(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const size_t right = right_class(metric, row);
    metric.sums[0] += right != no_class && chosen_class(metric, row) == right ? weight : 0;
  });
}

// The right class counts as among the k highest when fewer than k are above it; of equals the first is the higher.
template <class T>
static void top_k(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    const T* const scores = metric.scores + row * metric.columns;
    const size_t right = right_class(metric, row);
    if (right >= metric.columns || chosen_class(metric, row) == no_class) return;
    size_t above = 0;
    for (size_t j = 0; j < metric.columns; ++j)
      above += scores[j] > scores[right] || (scores[j] == scores[right] && j < right);
    metric.sums[0] += above < metric.k ? weight : 0;
  });
}

// A row for each right class, a column for each chosen one and one more for none.
template <class T>
static void confusion_matrix(const Metric<T>& metric) {
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

template <class T>
static void mean_absolute_error(const Metric<T>& metric) {
  for_weighted_rows(metric, [&](size_t row, double weight) INLINE_LAMBDA {
    double error = 0;
    for (size_t j = 0; j < metric.columns; ++j)
      error += __builtin_fabs(double(metric.scores[row * metric.columns + j]) - target_of(metric, row, j));
    metric.sums[0] += weight * error / double(metric.columns);
  });
}

// Σ weight; then for each output the first target, the mean of the targets' distances from it, Σ weight · (target −
// mean)² and Σ weight · (target − score)². Far from zero sums of squares would cancel; so would distances from a first
// target that lies apart from the others, so the mean moves with each row (West, "Updating mean and variance
// estimates", 1979).
template <class T>
static void r2(const Metric<T>& metric) {
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
