#include "layer_statistics.h"

#include <algorithm>

namespace gradus {

template <class T>
uint64_t hash_of_value(const Model<T>& model, Pass<T>& pass, size_t op) {
  uint64_t hash = 0;
  pass.device.fold_values(pass.value(model.op(op).node), value_size(model, pass, op), hash);
  return hash;
}

template <class T>
LayerInfo layer_of(const Model<T>& model, size_t op) {
  const Op<T>& of = model.op(op);
  return {of.name, of.kind(), of.units()};
}

namespace {
// Chan, Golub and LeVeque 1983.
void add(Moments& to, const Moments& part) {
  const double finite = double(to.finite + part.finite);
  if (part.finite > 0) {
    const double distance = part.mean - to.mean, share = double(part.finite) / finite;
    to.squares += part.squares + distance * distance * double(to.finite) * share;
    to.mean += distance * share;
  }
  to.finite += part.finite, to.nonfinite += part.nonfinite, to.denormal += part.denormal, to.outside += part.outside;
}
}  // namespace

// In chunks that are added up in order, whoever computes them: the bits do not depend on the threads.
template <class T>
Moments moments_of(const Model<T>& model, Pass<T>& pass, size_t op) {
  const std::string kind = model.op(op).kind();
  const bool is_tanh = kind == "tanh", is_sigmoid = kind == "sigmoid";
  const T low = T(is_tanh ? -0.98 : is_sigmoid ? 0.01 : -HUGE_VAL);
  const T high = T(is_tanh ? 0.98 : is_sigmoid ? 0.99 : HUGE_VAL);
  const size_t n = value_size(model, pass, op);
  Buffer<Moments>& there = pass.workspace.inspection.chunks;
  std::vector<Moments>& chunks = pass.workspace.inspection.seen_chunks;
  chunks.resize((n + moments_chunk - 1) / moments_chunk);
  there.grow(chunks.size(), pass.workspace.memory);
  pass.device.moments(pass.value(model.op(op).node), n, low, high, there.data());
  pass.workspace.memory.download(chunks.data(), there.data(), chunks.size() * sizeof(Moments));
  Moments all;
  for (const Moments& chunk : chunks) add(all, chunk);
  return all;
}

template <class T>
const T* unit_maxima(const Model<T>& model, Pass<T>& pass, size_t op) {
  const size_t node = model.op(op).node, units = model.op(op).units();
  Buffer<T>& there = pass.workspace.inspection.maxima;
  std::vector<T>& maxima = pass.workspace.inspection.seen_maxima;
  there.grow(units, pass.workspace.memory);
  maxima.resize(units);
  pass.device.column_maxima(pass.value(node), value_size(model, pass, op) / units, units, units, there.data());
  pass.workspace.memory.download(maxima.data(), there.data(), units * sizeof(T));
  return maxima.data();
}

template <class T>
LayerStatistics statistics_of(const Model<T>& model, Pass<T>& pass, size_t op) {
  const Moments moments = moments_of(model, pass, op);
  LayerStatistics of{layer_of(model, op)};
  of.mean = moments.finite > 0 ? moments.mean : NAN;
  of.deviation = std::sqrt(moments.squares / double(moments.finite));
  of.saturated = double(moments.outside) / double(value_size(model, pass, op));
  of.nonfinite = moments.nonfinite;
  of.denormal = moments.denormal;
  if (of.op != "relu") return of;
  const T* most = unit_maxima(model, pass, op);
  of.dead = size_t(std::count_if(most, most + of.units, [](T value) { return !(value > 0); }));
  return of;
}

#define INSTANTIATE(T)                                                   \
  template LayerInfo layer_of<T>(const Model<T>&, size_t);               \
  template uint64_t hash_of_value<T>(const Model<T>&, Pass<T>&, size_t); \
  template Moments moments_of<T>(const Model<T>&, Pass<T>&, size_t);     \
  template const T* unit_maxima<T>(const Model<T>&, Pass<T>&, size_t);   \
  template LayerStatistics statistics_of<T>(const Model<T>&, Pass<T>&, size_t);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace gradus
