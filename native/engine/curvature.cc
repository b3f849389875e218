#include "curvature.h"

#include <algorithm>

#include "objective.h"

namespace gradus {

template <class T>
std::vector<double> Curvature<T>::product(State<T>& state, const Device<T>& device, Host* host,
                                          const HessianCall& call) {
  const Context<T> context{model_, state, workspace_, device, host};
  const size_t rows = std::max<size_t>(call.data->size(), 1);
  model_.reserve(rows, workspace_);
  model_.reserve_tangents(workspace_);
  workspace_.reserve_losses(rows, 1);
  take(call.vector, device);
  if (call.term != Term::regularization) add_data_term(context, call);
  if (call.term != Term::data) add_regularization(device);
  std::vector<double> product;
  for (const ParameterInfo& info : model_.parameters()) {
    const T* from = workspace_.gradient_tangents.data() + info.offset;
    if (info.trainable) product.insert(product.end(), from, from + info.size);
  }
  return product;
}

template <class T>
void Curvature<T>::take(const std::vector<double>& direction, const Device<T>& device) {
  size_t elements = 0;
  for (const ParameterInfo& info : model_.parameters()) elements += info.trainable ? info.size : 0;
  if (direction.size() != elements)
    throw Error("GRADUS_INVALID_ARGUMENT", "vector: expected one element for each of the " + std::to_string(elements) +
                                               " trainable ones, received " + std::to_string(direction.size()));
  device.fill(T(0), model_.plan().arena_size, workspace_.gradient_tangents.data());
  const double* from = direction.data();
  for (const ParameterInfo& info : model_.parameters()) {
    if (!info.trainable) continue;
    std::copy_n(from, info.size, workspace_.tangents.data() + info.offset);
    from += info.size;
  }
}

template <class T>
void Curvature<T>::add_data_term(const Context<T>& context, const HessianCall& call) {
  Batch<T> batch(model_, *call.data, workspace_);
  batch.use_targets({});
  batch.reserve(batch.size());
  if (!model_.is_trainable()) return;
  const LossPlan& loss = *model_.plan().loss;
  const size_t output = model_.output();
  const double weight = batch.weight(0, batch.size());
  const double scale = weight > 0 ? 1 / weight : 0;
  Pass<T> pass = context.pass(call.training, call.randomness, batch.size());
  workspace_.begin_gradients();
  batch.gather(0, pass);
  model_.forward(pass);
  model_.forward_tangent(pass);
  find_loss(loss, batch, pass, pass.value(output), scale, 0, pass.begin_backward(output));
  model_.backward(pass);
  loss_gradient_tangent(loss, batch, pass, pass.value(output), pass.tangent(output), scale,
                        pass.begin_backward_tangent(output));
  model_.backward_tangent(pass);
}

// l2 / 2 · w² has the second derivative l2, l1 · |w| none but at its kink.
template <class T>
void Curvature<T>::add_regularization(const Device<T>& device) {
  const Plan& plan = model_.plan();
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    const ParameterInfo& info = plan.infos[p];
    if (!info.trainable) continue;
    if (plan.parameters[p].host_regularizer)
      throw Error("GRADUS_NO_SECOND_DERIVATIVE", info.name + ": a custom regularizer has none");
    device.multiply_add(T(plan.parameters[p].l2), workspace_.tangents.data() + info.offset, info.size,
                        workspace_.gradient_tangents.data() + info.offset);
  }
}

template class Curvature<float>;
template class Curvature<double>;

}  // namespace gradus
