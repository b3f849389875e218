#include "curvature.h"

#include "objective.h"

namespace gradus {

template <class T>
std::vector<double> Curvature<T>::product(const HessianCall& call, Batch<T>& batch,
                                          const std::vector<ParameterState<T>>& parameters, T* losses) {
  take(call.vector, parameters);
  if (call.term != Term::regularization) add_data_term(batch, losses);
  if (call.term != Term::data) add_regularization();
  std::vector<double> product;
  for (const ParameterState<T>& parameter : graph_.pass.parameters)
    if (parameter.trainable) {
      const T* from = parameter.gradient_tangent.data();
      product.insert(product.end(), from, from + parameter.size);
    }
  return product;
}

template <class T>
void Curvature<T>::take(const std::vector<double>& direction, const std::vector<ParameterState<T>>& parameters) {
  size_t elements = 0;
  for (const ParameterInfo& info : plan_.infos) elements += info.trainable ? info.size : 0;
  if (direction.size() != elements)
    throw Error("GRADUS_INVALID_ARGUMENT", "vector: expected one element for each of the " + std::to_string(elements) +
                                               " trainable ones, received " + std::to_string(direction.size()));
  graph_.reserve_tangents();
  gradients_.grow(plan_.arena_size);
  const double* from = direction.data();
  for (size_t p = 0; p < parameters.size(); ++p) {
    ParameterState<T>& to = graph_.pass.parameters[p];
    to.w = parameters[p].w;
    to.gradient = gradients_.data() + plan_.infos[p].offset;
    to.written = to.is_staged = false;
    if (!to.trainable) continue;
    std::copy_n(from, to.size, to.tangent.data());
    from += to.size;
  }
}

template <class T>
void Curvature<T>::add_data_term(Batch<T>& batch, T* losses) {
  Pass<T>& pass = graph_.pass;
  if (!pass.wanted(plan_.output)) return;
  const double weight = batch.weight(0, batch.size());
  const double scale = weight > 0 ? 1 / weight : 0;
  batch.gather(0, batch.size(), graph_);
  graph_.forward();
  graph_.forward_tangent();
  loss_of(*plan_.loss, batch, pass, graph_.output(), scale, losses, graph_.output_gradient());
  graph_.backward();
  loss_gradient_tangent(*plan_.loss, batch, pass, graph_.output(), graph_.output_tangent(), scale,
                        graph_.output_gradient_tangent());
  graph_.backward_tangent();
}

// l2 / 2 · w² has the second derivative l2, l1 · |w| none but at its kink.
template <class T>
void Curvature<T>::add_regularization() {
  for (size_t p = 0; p < plan_.infos.size(); ++p) {
    ParameterState<T>& parameter = graph_.pass.parameters[p];
    if (!parameter.trainable) continue;
    if (plan_.parameters[p].host_regularizer)
      throw Error("GRADUS_NO_SECOND_DERIVATIVE", plan_.infos[p].name + ": a custom regularizer has none");
    T* to = parameter.gradient_tangent.data();
    for (size_t i = 0; i < parameter.size; ++i) to[i] += T(plan_.parameters[p].l2) * parameter.tangent.data()[i];
  }
}

template class Curvature<float>;
template class Curvature<double>;

}  // namespace gradus
