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
LayerInfo Graph<T>::layer(size_t op) const {
  return {ops_[op]->name, ops_[op]->kind(), pass.nodes[pass.home[ops_[op]->node]].size};
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
  to.finite += part.finite, to.nonfinite += part.nonfinite, to.outside += part.outside;
}
}  // namespace

// In chunks that are added up in order, whoever computes them: the bits do not depend on the threads.
template <class T>
Moments Graph<T>::moments(size_t op) {
  const std::string kind = ops_[op]->kind();
  const bool is_tanh = kind == "tanh", is_sigmoid = kind == "sigmoid";
  const T low = T(is_tanh ? -0.98 : is_sigmoid ? 0.01 : -HUGE_VAL);
  const T high = T(is_tanh ? 0.98 : is_sigmoid ? 0.99 : HUGE_VAL);
  const T* values = value(op);
  const size_t n = value_size(op);
  chunks_.resize((n + moments_chunk - 1) / moments_chunk);
  pass.stretches(n, [&](size_t first, size_t count) {
    pass.kernels->moments(values + first, count, low, high, chunks_.data() + first / moments_chunk);
  });
  Moments all;
  for (const Moments& chunk : chunks_) add(all, chunk);
  return all;
}

template <class T>
const T* Graph<T>::unit_maxima(size_t op) {
  const T* values = value(op);
  const size_t units = pass.at(ops_[op]->node).size;
  maxima_.grow(units);
  pass.column_blocks(units, pass.batch, [&](size_t first, size_t n) {
    pass.kernels->column_maxima(values + first, pass.batch, n, units, maxima_.data() + first);
  });
  return maxima_.data();
}

template <class T>
LayerStatistics Graph<T>::statistics(size_t op) {
  const Moments moments = this->moments(op);
  LayerStatistics of{layer(op)};
  of.mean = moments.finite > 0 ? moments.mean : NAN;
  of.deviation = std::sqrt(moments.squares / double(moments.finite));
  of.saturated = double(moments.outside) / double(value_size(op));
  of.nonfinite = moments.nonfinite;
  if (of.op != "relu") return of;
  const T* most = unit_maxima(op);
  of.dead = size_t(std::count_if(most, most + of.units, [](T value) { return !(value > 0); }));
  return of;
}

template class Graph<float>;
template class Graph<double>;

}  // namespace gradus
