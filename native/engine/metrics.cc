#include <cmath>

#include "objective.h"

namespace gradus {
namespace {

// One row: its output, its target as a label or as numbers, its weight.
template <class T>
struct Row {
  size_t columns;
  const T* scores;
  const T* targets;  // or none
  int32_t label;
  double weight, threshold;

  double target(size_t j) const { return targets ? double(targets[j]) : double(size_t(label) == j); }
  size_t largest(const T* of) const { return size_t(std::max_element(of, of + columns) - of); }
  size_t right() const {
    if (!targets) return size_t(label);
    return columns == 1 ? size_t(targets[0] > T(0.5)) : largest(targets);
  }
  size_t chosen() const { return columns == 1 ? size_t(scores[0] > T(threshold)) : largest(scores); }
};

template <class T>
void accuracy(const Row<T>& row, const MetricPlan&, double* sums) {
  sums[0] += row.chosen() == row.right() ? row.weight : 0;
}

// The right class counts as among the k highest when fewer than k are above it; of equals the first is the higher.
template <class T>
void top_k(const Row<T>& row, const MetricPlan& metric, double* sums) {
  const size_t right = row.right();
  if (right >= row.columns || std::isnan(row.scores[right])) return;
  size_t above = 0;
  for (size_t j = 0; j < row.columns; ++j)
    above += row.scores[j] > row.scores[right] || (row.scores[j] == row.scores[right] && j < right);
  sums[0] += above < metric.k ? row.weight : 0;
}

template <class T>
void confusion_matrix(const Row<T>& row, const MetricPlan&, double* sums) {
  const size_t classes = std::max<size_t>(row.columns, 2);  // no and yes for a single output
  sums[row.right() * classes + row.chosen()] += row.weight;
}

template <class T>
void mean_absolute_error(const Row<T>& row, const MetricPlan&, double* sums) {
  double error = 0;
  for (size_t j = 0; j < row.columns; ++j) error += std::fabs(double(row.scores[j]) - row.target(j));
  sums[0] += row.weight * error / double(row.columns);
}

template <class T>
void r2(const Row<T>& row, const MetricPlan&, double* sums) {
  for (size_t j = 0; j < row.columns; ++j, sums += 3) {
    const double target = row.target(j), error = target - double(row.scores[j]);
    sums[0] += row.weight * target;
    sums[1] += row.weight * target * target;
    sums[2] += row.weight * error * error;
  }
}

}  // namespace

template <class T>
void add_metrics(const std::vector<MetricPlan>& metrics, double threshold, const Batch<T>& batch, size_t rows,
                 const T* scores, double* sums) {
  using Add = void (*)(const Row<T>&, const MetricPlan&, double*);
  const Add add[] = {
#define METRIC(name, width) name<T>,
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
                     threshold};
    double* at = sums;
    for (const MetricPlan& metric : metrics) {
      add[metric.kind](row, metric, at);
      at += metric.width;
    }
  }
}

template void add_metrics<float>(const std::vector<MetricPlan>&, double, const Batch<float>&, size_t, const float*,
                                 double*);
template void add_metrics<double>(const std::vector<MetricPlan>&, double, const Batch<double>&, size_t, const double*,
                                  double*);

}  // namespace gradus
