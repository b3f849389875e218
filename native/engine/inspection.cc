#include "inspection.h"

#include "layer_statistics.h"

namespace gradus {

namespace {
constexpr size_t stretch_size = size_t(1) << 15;  // elements that one thread counts at once
}

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
Inspection<T>::Inspection(const Model<T>& model) : model_(model) {
  for (size_t op = 0; op < model.op_count(); ++op) {
    if (!model.holds_value(op)) continue;
    ops_.push_back(op);
    layout_.layers.push_back(layer_of(model, op));
  }
  for (size_t p = 0; p < model.parameters().size(); ++p) {
    if (!model.parameters()[p].trainable) continue;
    parameters_.push_back(p);
    layout_.tensors.push_back(model.parameters()[p].name);
  }
}

template <class T>
void Inspection<T>::add_tensor(InspectionMemory<T>& memory, const T* x, size_t n) const {
  const size_t tensor = memory.tensors.empty() ? 0 : memory.tensors.back() + 1;
  for (size_t first = 0; first < n; first += stretch_size) {
    memory.stretches.push_back({x + first, std::min(stretch_size, n - first)});
    memory.tensors.push_back(tensor);
  }
}

template <class T>
void Inspection<T>::look_at_values(const Context<T>& context, Pass<T>& pass, bool histograms) const {
  InspectionMemory<T>& memory = context.workspace.inspection;
  memory.row.assign(layout_.width(histograms), 0);
  memory.stretches.clear(), memory.tensors.clear(), memory.fired.clear();
  float* to = memory.row.data();
  for (size_t layer = 0; layer < ops_.size(); ++layer, to += inspection_statistics) {
    const size_t op = ops_[layer], n = value_size(model_, pass, op);
    const Moments moments = moments_of(model_, pass, op);
    to[0] = moments.finite > 0 ? float(moments.mean) : NAN;
    to[1] = float(std::sqrt(moments.squares / double(moments.finite)));
    to[2] = float(dead_units(context, pass, layer));
    to[3] = float(double(moments.outside) / double(n));
    to[4] = float(double(moments.nonfinite) / double(n));
    add_tensor(memory, pass.value(model_.op(op).node), n);
  }
  if (histograms) count(context, to);
}

// A relu's units that have fired in none of the last inspections, this one included.
template <class T>
double Inspection<T>::dead_units(const Context<T>& context, Pass<T>& pass, size_t layer) const {
  const Watching& watching = context.state.watching;
  const std::vector<int64_t>& last = watching.last_fired[layer];
  if (last.empty()) return 0;
  const T* most = unit_maxima(model_, pass, ops_[layer]);
  size_t dead = 0;
  for (size_t unit = 0; unit < last.size(); ++unit) {
    const bool fires = most[unit] > 0;
    context.workspace.inspection.fired.push_back(fires);
    dead += !fires && watching.finished - last[unit] >= inspections_to_live;
  }
  return double(dead);
}

template <class T>
void Inspection<T>::finish(const Context<T>& context, const TrainCall& call, bool refused, Inspections& to) const {
  InspectionMemory<T>& memory = context.workspace.inspection;
  if (call.inspect_histograms) {
    memory.stretches.clear(), memory.tensors.clear();
    for (const T* arena : {static_cast<const T*>(context.workspace.gradients.arena.data()),
                           static_cast<const T*>(context.state.parameters())})
      for (size_t p : parameters_)
        add_tensor(memory, arena + model_.parameters()[p].offset, model_.parameters()[p].size);
    count(context, memory.row.data() + memory.row.size() - 2 * parameters_.size() * histogram_bins);
  }
  to.steps.push_back(double(context.state.step));
  to.refused.push_back(refused);
  to.values.insert(to.values.end(), memory.row.begin(), memory.row.end());
  Watching& watching = context.state.watching;
  size_t at = 0;
  for (std::vector<int64_t>& last : watching.last_fired)
    for (int64_t& unit : last)
      if (memory.fired[at++]) unit = watching.finished;
  ++watching.finished;
}

template <class T>
void Inspection<T>::count(const Context<T>& context, float* to) const {
  InspectionMemory<T>& memory = context.workspace.inspection;
  const size_t stretches = memory.stretches.size();
  memory.counts.resize(stretches * histogram_bins);
  context.device.histograms(memory.stretches.data(), stretches, memory.counts.data());
  for (size_t i = 0; i < stretches;) {
    const size_t tensor = memory.tensors[i];
    double sums[histogram_bins] = {};
    for (; i < stretches && memory.tensors[i] == tensor; ++i)
      for (size_t bin = 0; bin < histogram_bins; ++bin) sums[bin] += memory.counts[i * histogram_bins + bin];
    for (size_t bin = 0; bin < histogram_bins; ++bin) to[tensor * histogram_bins + bin] = float(sums[bin]);
  }
}

template <class T>
size_t Inspection<T>::first_nonfinite(Pass<T>& pass) const {
  for (size_t op : ops_)
    if (moments_of(model_, pass, op).nonfinite > 0) return op;
  return model_.op_count();
}

template class Inspection<float>;
template class Inspection<double>;

}  // namespace gradus
