#include "inspection.h"

namespace gradus {
namespace {

constexpr int64_t window = 10;  // inspections in which a unit that lives has fired
constexpr size_t elements_worth_sharing = size_t(1) << 15;
constexpr size_t stretch_size = size_t(1) << 15;  // elements that one thread counts at once

}  // namespace

size_t InspectionLayout::width(bool histograms) const {
  const size_t statistics = layers.size() * inspection_statistics;
  return statistics + (histograms ? (layers.size() + 2 * tensors.size()) * histogram_bins : 0);
}

std::vector<double> histogram_edges() {
  std::vector<double> edges(histogram_bins + 1, HUGE_VAL);
  for (size_t i = 0; histogram_middle + 1 + i < histogram_bins; ++i)
    edges[histogram_middle + 1 + i] = std::ldexp(i % 2 ? 1.5 : 1, histogram_exponent + int(i / 2));
  for (size_t i = 0; i <= histogram_middle; ++i) edges[i] = -edges[histogram_bins - i];
  return edges;
}

template <class T>
Inspection<T>::Inspection(const Plan& plan, Graph<T>& graph) : graph_(&graph), infos_(plan.infos) {
  for (size_t op = 0; op < graph.op_count(); ++op) {
    if (!graph.holds_value(op)) continue;
    ops_.push_back(op);
    layout_.layers.push_back(graph.layer(op));
    last_fired_.emplace_back(layout_.layers.back().op == "relu" ? layout_.layers.back().units : 0, -window);
  }
  for (size_t p = 0; p < infos_.size(); ++p) {
    if (!infos_[p].trainable) continue;
    parameters_.push_back(p);
    layout_.tensors.push_back(infos_[p].name);
  }
}

template <class T>
void Inspection<T>::look_at_values(bool histograms) {
  row_.assign(layout_.width(histograms), 0);
  tensors_.clear();
  float* to = row_.data();
  for (size_t layer = 0; layer < ops_.size(); ++layer, to += inspection_statistics) {
    const size_t op = ops_[layer], n = graph_->value_size(op);
    const Moments moments = graph_->moments(op);
    to[0] = moments.finite > 0 ? float(moments.mean) : NAN;
    to[1] = float(std::sqrt(moments.squares / double(moments.finite)));
    to[2] = float(dead_units(layer));
    to[3] = float(double(moments.outside) / double(n));
    to[4] = float(double(moments.nonfinite) / double(n));
    tensors_.push_back({graph_->value(op), n});
  }
  if (histograms) count(tensors_, to);
}

// A relu's units that have fired in none of the last inspections, this one included.
template <class T>
double Inspection<T>::dead_units(size_t layer) {
  std::vector<int64_t>& last = last_fired_[layer];
  if (last.empty()) return 0;
  const T* most = graph_->unit_maxima(ops_[layer]);
  size_t dead = 0;
  for (size_t unit = 0; unit < last.size(); ++unit) {
    if (most[unit] > 0) last[unit] = finished_;
    dead += finished_ - last[unit] >= window;
  }
  return double(dead);
}

template <class T>
void Inspection<T>::finish(const TrainCall& call, uint64_t step, bool refused, Inspections& to) {
  if (call.inspect_histograms) {
    tensors_.clear();
    for (size_t p : parameters_) tensors_.push_back({graph_->pass.parameters[p].gradient, infos_[p].size});
    for (size_t p : parameters_) tensors_.push_back({graph_->pass.parameters[p].w, infos_[p].size});
    count(tensors_, row_.data() + row_.size() - tensors_.size() * histogram_bins);
  }
  to.steps.push_back(double(step));
  to.refused.push_back(refused);
  to.values.insert(to.values.end(), row_.begin(), row_.end());
  ++finished_;
}

// Whole numbers: neither the cuts nor the threads change them.
template <class T>
void Inspection<T>::count(const std::vector<Tensor>& tensors, float* to) {
  stretches_.clear();
  size_t elements = 0;
  for (size_t tensor = 0; tensor < tensors.size(); elements += tensors[tensor++].n)
    for (size_t first = 0; first < tensors[tensor].n; first += stretch_size)
      stretches_.push_back({tensors[tensor].x + first, std::min(stretch_size, tensors[tensor].n - first), tensor});
  Pass<T>& pass = graph_->pass;
  const size_t threads = elements < elements_worth_sharing ? 1 : pass.pool->threads();
  const size_t size = tensors.size() * histogram_bins;
  counts_.assign(threads * size, 0);
  const auto count_stretch = [&](size_t i, size_t thread) {
    const Stretch& stretch = stretches_[i];
    pass.kernels->histogram(stretch.x, stretch.n, &counts_[thread * size + stretch.tensor * histogram_bins]);
  };
  if (threads == 1)
    for (size_t i = 0; i < stretches_.size(); ++i) count_stretch(i, 0);
  else
    pass.pool->parallel(stretches_.size(), count_stretch);
  for (size_t i = 0; i < size; ++i) {
    uint32_t sum = 0;
    for (size_t thread = 0; thread < threads; ++thread) sum += counts_[thread * size + i];
    to[i] = float(sum);
  }
}

template <class T>
size_t Inspection<T>::first_nonfinite() {
  for (size_t op : ops_)
    if (graph_->moments(op).nonfinite > 0) return op;
  return graph_->op_count();
}

// Gradients come from the loss downwards: the trouble began in the last tensor, in the order of work, that has any.
template <class T>
std::optional<std::string> Inspection<T>::nonfinite_tensor(const std::vector<UpdateSums>& sums) const {
  for (size_t op = graph_->op_count(); op-- > 0;) {
    const std::vector<size_t>& used = graph_->parameters_of(op);
    for (size_t i = used.size(); i-- > 0;)
      if (infos_[used[i]].trainable && sums[used[i]].nonfinite > 0) return infos_[used[i]].name;
  }
  return std::nullopt;
}

template class Inspection<float>;
template class Inspection<double>;

}  // namespace gradus
