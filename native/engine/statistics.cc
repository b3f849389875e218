// The part of a Graph that looks at what its ops have computed.
#include "graph.h"

namespace gradus {

template <class T>
uint64_t Graph<T>::hash_of_value(size_t op) {
  const size_t node = ops_[op]->node;
  const T* value = pass.value(node);
  uint64_t hash = 0;
  for (size_t i = 0; i < pass.batch * pass.at(node).size; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, value + i, sizeof(T));
    hash = fold(hash, bits);
  }
  return hash;
}

template <class T>
void Graph<T>::count_dead(const T* value, LayerStatistics& of) const {
  std::vector<bool> lives(of.units);
  for (size_t i = 0; i < pass.batch * of.units; ++i)
    if (value[i] > 0) lives[i % of.units] = true;
  of.dead = size_t(std::count(lives.begin(), lives.end(), false));
}

template <class T>
LayerStatistics Graph<T>::statistics(size_t op) {
  const size_t node = ops_[op]->node;
  const T* value = pass.value(node);
  LayerStatistics of;
  of.layer = ops_[op]->name, of.op = ops_[op]->kind();
  of.units = pass.at(node).size;
  const size_t n = pass.batch * of.units;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!std::isfinite(value[i])) ++of.nonfinite;
    sum += double(value[i]);
  }
  of.mean = sum / double(n);
  for (size_t i = 0; i < n; ++i) squares += (double(value[i]) - of.mean) * (double(value[i]) - of.mean);
  of.deviation = std::sqrt(squares / double(n));
  if (of.op == "relu") count_dead(value, of);
  if (of.op != "tanh" && of.op != "sigmoid") return of;
  const double low = of.op == "tanh" ? -0.98 : 0.01, high = of.op == "tanh" ? 0.98 : 0.99;
  const auto is_saturated = [=](T y) { return y < low || y > high; };
  of.saturated = double(std::count_if(value, value + n, is_saturated)) / double(n);
  return of;
}

template class Graph<float>;
template class Graph<double>;

}  // namespace gradus
