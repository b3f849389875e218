#include "metrics.h"

#include <algorithm>

#include "host.h"

namespace gradus {

template <class T>
Metrics<T>::Metrics(const Model<T>& model) {
  const size_t n = model.output_size();
  product(n, 4);
  const struct {
    std::string name;
    size_t width;
    bool is_scattered;
  } traits[] = {
#define METRIC(name, ...) {#name, __VA_ARGS__},
#include "metrics.def"
#undef METRIC
  };
  for (const MetricPlan& metric : model.plan().metrics) {
    if (metric.kind == custom_metric) {
      places_.push_back({metric, metric.width, false, {}});
      width_ += metric.width;
      continue;
    }
    const auto& [name, width, is_scattered] = traits[metric.kind];
    if (name == "confusion_matrix" && n > most_confusion_classes)
      throw Error("GRADUS_TOO_LARGE", "metrics[" + std::to_string(places_.size()) + "]: " + name + " takes at most " +
                                          std::to_string(most_confusion_classes) + " classes, received an output of " +
                                          std::to_string(n));
    places_.push_back({metric, width, is_scattered, {}});
    width_ += width;
  }
}

template <class T>
std::vector<size_t> Metrics<T>::widths() const {
  std::vector<size_t> widths;
  for (const Place& place : places_) widths.push_back(place.width);
  return widths;
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
  remembers_ = true;
  kept_.clear();
  for (Place& metric : places_) {
    metric.changed.clear();
    if (!metric.is_scattered) kept_.insert(kept_.end(), sums, sums + metric.width);
    sums += metric.width;
  }
}

template <class T>
void Metrics<T>::restore(double* sums) const {
  const double* kept = kept_.data();
  for (const Place& metric : places_) {
    for (auto sum = metric.changed.rbegin(); sum != metric.changed.rend(); ++sum)
      if (sum->at != SIZE_MAX) sums[sum->at] = sum->before;
    if (!metric.is_scattered) std::copy_n(kept, metric.width, sums), kept += metric.width;
    sums += metric.width;
  }
}

template <class T>
void Metrics<T>::add(const Batch<T>& batch, const Pass<T>& pass, const T* scores, double* sums) {
  if (places_.empty()) return;
  using Kernel = void (Device<T>::*)(const Metric<T>&) const;
  constexpr Kernel kernels[] = {
#define METRIC(name, ...) &Device<T>::name,
#include "metrics.def"
#undef METRIC
  };
  Metric<T> metric;
  metric.rows = pass.batch, metric.columns = batch.columns();
  metric.scores = scores;
  metric.labels = batch.labels(), metric.targets = batch.targets();
  metric.weights = batch.example_weights();
  metric.sums = sums;
  for (size_t number = 0; number < places_.size(); ++number) {
    Place& place = places_[number];
    if (place.plan.kind == custom_metric) {
      add_custom(number, batch, pass, scores, metric.sums);
      metric.sums += place.width;
      continue;
    }
    const size_t changed = place.changed.size();
    if (remembers_ && place.is_scattered) place.changed.resize(changed + metric.rows);
    metric.changed = remembers_ ? place.changed.data() + changed : nullptr;
    metric.k = place.plan.k, metric.answers = place.plan.answers;
    (pass.device.*kernels[place.plan.kind])(metric);
    metric.sums += place.width;
  }
}

// The host gives the sums of these rows alone.
template <class T>
void Metrics<T>::add_custom(size_t number, const Batch<T>& batch, const Pass<T>& pass, const T* scores, double* sums) {
  if (!pass.host) throw Error("GRADUS_BAD_DESCRIPTOR", "metrics: a custom metric needs a host");
  const size_t rows = pass.batch, n = rows * batch.columns();
  added_.assign(places_[number].width, 0);
  HostCall call;
  call.kind = HostCall::Kind::metric;
  call.number = number;
  call.batch = rows;
  call.training = pass.training;
  call.inputs = {{scores, n}};
  call.inputs.push_back(batch.labels() ? HostInput{batch.labels(), rows, true} : HostInput{batch.targets(), n});
  call.inputs.push_back({batch.example_weights(), batch.example_weights() ? rows : 0});
  call.outputs = {{added_.data(), added_.size(), true}};
  pass.host->run(call);
  for (size_t i = 0; i < added_.size(); ++i) sums[i] += added_[i];
}

template class Metrics<float>;
template class Metrics<double>;

}  // namespace gradus
