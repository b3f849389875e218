#include "metrics.h"

#include <algorithm>

#include "host_call.h"

namespace gradus {

template <class T>
Metrics<T>::Metrics(const Model<T>& model, Workspace<T>& workspace)
    : workspace_(workspace), memory_(workspace.metrics) {
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
      places_.push_back({metric, metric.width, false, width_});
      width_ += metric.width;
      continue;
    }
    const auto& [name, width, is_scattered] = traits[metric.kind];
    if (name == "confusion_matrix" && n > most_confusion_classes)
      throw Error("GRADUS_TOO_LARGE", "metrics[" + std::to_string(places_.size()) + "]: " + name + " takes at most " +
                                          std::to_string(most_confusion_classes) + " classes, received an output of " +
                                          std::to_string(n));
    places_.push_back({metric, width, is_scattered, width_});
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
void Metrics<T>::go_on(const std::vector<double>& from) {
  if (!from.empty() && from.size() != width_)
    throw Error("GRADUS_INVALID_ARGUMENT", "metricSums: expected a Float64Array of length " + std::to_string(width_) +
                                               ", received one of length " + std::to_string(from.size()));
  memory_.sums.grow(width_, workspace_.memory);
  if (from.empty())
    workspace_.memory.clear(memory_.sums.data(), width_ * sizeof(double));
  else
    workspace_.memory.upload(memory_.sums.data(), from.data(), width_ * sizeof(double));
}

template <class T>
void Metrics<T>::read(std::vector<double>& sums) const {
  sums.resize(width_);
  workspace_.memory.download(sums.data(), memory_.sums.data(), width_ * sizeof(double));
}

// Of metrics that each example moves as a whole all sums are kept; of the others those that rows have changed.
template <class T>
void Metrics<T>::reserve_memory_of(size_t rows, Workspace<T>& in) {
  remembers_ = true;
  MetricMemory& memory = in.metrics;
  memory.sums.grow(width_, in.memory), memory.kept.grow(width_, in.memory);
  memory.changed.resize(std::max(memory.changed.size(), places_.size()));
  for (size_t number = 0; number < places_.size(); ++number)
    if (places_[number].is_scattered) memory.changed[number].grow(rows, in.memory);
}

namespace {
// By a kernel, so that a guard holds for it; which moves bits, whatever they mean.
template <class T>
void copy(const Device<T>& device, const double* from, size_t n, double* to) {
  device.copy(reinterpret_cast<const T*>(from), n * sizeof(double) / sizeof(T), reinterpret_cast<T*>(to));
}
}  // namespace

template <class T>
void Metrics<T>::remember(const Device<T>& device) {
  rows_ = 0;
  for (const Place& place : places_)
    if (!place.is_scattered)
      copy(device, memory_.sums.data() + place.first, place.width, memory_.kept.data() + place.first);
}

template <class T>
void Metrics<T>::restore(const Device<T>& device, size_t rows) {
  for (size_t number = 0; number < places_.size(); ++number) {
    const Place& place = places_[number];
    double* const sums = memory_.sums.data() + place.first;
    if (place.is_scattered)
      device.put_back(memory_.changed[number].data(), rows, sums);
    else
      copy(device, memory_.kept.data() + place.first, place.width, sums);
  }
}

template <class T>
void Metrics<T>::add(const Batch<T>& batch, const Pass<T>& pass, const T* scores) {
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
  for (size_t number = 0; number < places_.size(); ++number) {
    const Place& place = places_[number];
    if (place.plan.kind == custom_metric) {
      add_custom(number, batch, pass, scores);
      continue;
    }
    metric.sums = memory_.sums.data() + place.first;
    metric.changed = remembers_ && place.is_scattered ? memory_.changed[number].data() + rows_ : nullptr;
    metric.k = place.plan.k, metric.answers = place.plan.answers;
    (pass.device.*kernels[place.plan.kind])(metric);
  }
  rows_ += pass.batch;
}

// The host gives the sums of these rows alone.
template <class T>
void Metrics<T>::add_custom(size_t number, const Batch<T>& batch, const Pass<T>& pass, const T* scores) {
  if (!pass.host) throw Error("GRADUS_BAD_DESCRIPTOR", "metrics: a custom metric needs a host");
  const size_t rows = pass.batch, n = rows * batch.columns(), width = places_[number].width;
  std::vector<double> added(width), sums(width);
  HostCall call;
  call.kind = HostCall::Kind::metric;
  call.number = number;
  call.batch = rows;
  call.training = pass.training;
  call.inputs = {{scores, n}};
  call.inputs.push_back(batch.labels() ? HostInput{batch.labels(), rows, true} : HostInput{batch.targets(), n});
  call.inputs.push_back({batch.example_weights(), batch.example_weights() ? rows : 0});
  call.outputs = {{added.data(), width, true, true}};
  ask<T>(*pass.host, workspace_.memory, call);
  double* const there = memory_.sums.data() + places_[number].first;
  workspace_.memory.download(sums.data(), there, width * sizeof(double));
  for (size_t i = 0; i < width; ++i) sums[i] += added[i];
  workspace_.memory.upload(there, sums.data(), width * sizeof(double));
}

template class Metrics<float>;
template class Metrics<double>;

}  // namespace gradus
