#include "metrics.h"

#include <algorithm>
#include <cmath>

namespace gradus {
namespace {

constexpr size_t none = SIZE_MAX;  // in place of a class, where there is no number to tell it by

// One row: its output, its target as a label or as numbers, its weight.
template <class T>
struct Row {
  size_t columns;
  const T* scores;
  const T* targets;  // or none
  int32_t label;
  double weight, threshold;

  double target(size_t j) const { return targets ? double(targets[j]) : double(size_t(label) == j); }
  size_t right() const { return targets ? class_of(targets, T(0.5)) : size_t(label); }
  size_t chosen() const { return class_of(scores, T(threshold)); }
  // The place of the highest number, the first of equals; of a single one whether it is above the threshold.
  size_t class_of(const T* numbers, T above) const {
    size_t highest = 0;
    for (size_t j = 0; j < columns; ++j) {
      if (numbers[j] <= numbers[highest]) continue;
      if (std::isnan(numbers[j])) return none;
      highest = j;
    }
    return columns == 1 ? size_t(numbers[0] > above) : highest;
  }
};

// Where a row's metric is added, from place `first` of all sums on.
struct Sums {
  double* all;
  size_t first;
  std::vector<ChangedSum>& changed;

  double& operator[](size_t i) const { return all[first + i]; }
  void add_remembered(size_t i, double amount) const {
    changed.push_back({first + i, all[first + i]});
    all[first + i] += amount;
  }
};

template <class T>
void accuracy(const Row<T>& row, const MetricPlan&, const Sums& sums) {
  const size_t right = row.right();
  sums[0] += right != none && row.chosen() == right ? row.weight : 0;
}

// The right class counts as among the k highest when fewer than k are above it; of equals the first is the higher.
template <class T>
void top_k(const Row<T>& row, const MetricPlan& metric, const Sums& sums) {
  const size_t right = row.right();
  if (right >= row.columns || row.chosen() == none) return;
  size_t above = 0;
  for (size_t j = 0; j < row.columns; ++j)
    above += row.scores[j] > row.scores[right] || (row.scores[j] == row.scores[right] && j < right);
  sums[0] += above < metric.k ? row.weight : 0;
}

// A row for each right class, a column for each chosen one and one more for none.
template <class T>
void confusion_matrix(const Row<T>& row, const MetricPlan&, const Sums& sums) {
  const size_t classes = std::max<size_t>(row.columns, 2);  // no and yes for a single output
  const size_t right = row.right();
  if (right != none) sums.add_remembered(right * (classes + 1) + std::min(row.chosen(), classes), row.weight);
}

template <class T>
void mean_absolute_error(const Row<T>& row, const MetricPlan&, const Sums& sums) {
  double error = 0;
  for (size_t j = 0; j < row.columns; ++j) error += std::fabs(double(row.scores[j]) - row.target(j));
  sums[0] += row.weight * error / double(row.columns);
}

// Σ weight; then for each output the first target, the mean of the targets' distances from it, Σ weight · (target −
// mean)² and Σ weight · (target − score)². Far from zero sums of squares would cancel; so would distances from a first
// target that lies apart from the others, so the mean moves with each row (West, "Updating mean and variance
// estimates", 1979).
template <class T>
void r2(const Row<T>& row, const MetricPlan&, const Sums& sums) {
  const bool is_first = sums[0] == 0;
  sums[0] += row.weight;
  const double share = row.weight / sums[0];
  for (size_t j = 0; j < row.columns; ++j) {
    double &first = sums[1 + 4 * j], &mean = sums[2 + 4 * j], &squares = sums[3 + 4 * j], &residual = sums[4 + 4 * j];
    const double target = row.target(j), error = target - double(row.scores[j]);
    if (is_first) first = target;
    const double distance = target - first, moved = distance - mean;
    mean += moved * share;
    squares += row.weight * moved * (distance - mean);
    residual += row.weight * error * error;
  }
}

}  // namespace

template <class T>
Metrics<T>::Metrics(const Model<T>& model) {
  const size_t n = model.output_size();
  product(n, 4);
  const struct {
    const char* name;
    size_t width;
    bool is_scattered;
  } traits[] = {
#define METRIC(name, ...) {#name, __VA_ARGS__},
#include "metrics.def"
#undef METRIC
  };
  for (const MetricPlan& metric : model.plan().metrics) {
    const auto& [name, width, is_scattered] = traits[metric.kind];
    if (is_scattered && n > most_confusion_classes)
      throw Error("GRADUS_TOO_LARGE", "metrics[" + std::to_string(places_.size()) + "]: " + name + " takes at most " +
                                          std::to_string(most_confusion_classes) + " classes, received an output of " +
                                          std::to_string(n));
    places_.push_back({metric, width, is_scattered});
    width_ += width;
  }
  if (model.plan().loss) yes_threshold_ = model.plan().loss->yes_threshold;
}

template <class T>
void Metrics<T>::go_on(const std::vector<double>& from, std::vector<double>& sums) const {
  if (from.empty()) return sums.assign(width_, 0);
  if (from.size() != width_)
    throw Error("GRADUS_INVALID_ARGUMENT", "metricSums: expected a Float64Array of length " + std::to_string(width_) +
                                               ", received one of length " + std::to_string(from.size()));
  sums = from;
}

template <class T>
void Metrics<T>::remember(const double* sums) {
  kept_.clear();
  changed_.clear();
  for (const Place& metric : places_) {
    if (!metric.is_scattered) kept_.insert(kept_.end(), sums, sums + metric.width);
    sums += metric.width;
  }
}

template <class T>
void Metrics<T>::restore(double* sums) const {
  for (auto sum = changed_.rbegin(); sum != changed_.rend(); ++sum) sums[sum->at] = sum->before;
  const double* kept = kept_.data();
  for (const Place& metric : places_) {
    if (!metric.is_scattered) std::copy_n(kept, metric.width, sums), kept += metric.width;
    sums += metric.width;
  }
}

template <class T>
void Metrics<T>::add(const Batch<T>& batch, size_t rows, const T* scores, double* sums) {
  using Add = void (*)(const Row<T>&, const MetricPlan&, const Sums&);
  const Add add[] = {
#define METRIC(name, ...) name<T>,
#include "metrics.def"
#undef METRIC
  };
  const size_t columns = batch.columns();
  for (size_t i = 0; i < rows; ++i) {
    const Row<T> row{columns,
                     scores + i * columns,
                     batch.targets() ? batch.targets() + i * columns : nullptr,
                     batch.labels() ? batch.labels()[i] : 0,
                     batch.weights() ? double(batch.weights()[i]) : 1,
                     yes_threshold_};
    if (row.weight == 0) continue;
    size_t first = 0;
    for (const Place& metric : places_) {
      add[metric.plan.kind](row, metric.plan, {sums, first, changed_});
      first += metric.width;
    }
  }
}

template class Metrics<float>;
template class Metrics<double>;

}  // namespace gradus
