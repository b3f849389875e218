#include "workspace.h"

#include <algorithm>

namespace gradus {

namespace {
template <class Buffers>
size_t bytes_of(const Buffers& buffers) {
  size_t bytes = 0;
  for (const auto& buffer : buffers) bytes += buffer.bytes();
  return bytes;
}
}  // namespace

template <class T>
size_t Workspace<T>::bytes() const {
  size_t bytes = gradients.arena.bytes() + bytes_of(gradients.staged) + bytes_of(metrics.changed) + residence.bytes() +
                 bytes_of(gradient_places);
  for (const NodeMemory<T>& node : nodes)
    bytes += node.value.bytes() + node.tangent.bytes() + node.gradient_tangent.bytes() + node.indices.bytes();
  for (const OpMemory<T>& op : ops)
    bytes += bytes_of(op.reals) + bytes_of(op.of_parameters) + op.choices.bytes() + op.winners.bytes();
  for (const Buffer<T>* buffer : {&tangents, &gradient_tangents, &losses, &scratch, &predictions, &batch.targets,
                                  &batch.weights, &batch.view_scores, &batch.other_images, &batch.other_targets,
                                  &batch.shares, &update.directions, &update.host_gradient, &inspection.maxima})
    bytes += buffer->bytes();
  for (const Buffer<double>* buffer : {&loss_sums, &numbers, &metrics.sums, &metrics.kept}) bytes += buffer->bytes();
  return bytes + batch.labels.bytes() + batch.other_labels.bytes() + bytes_of(update.slots) +
         bytes_of(update.orthogonalization) + order.capacity() * sizeof(uint32_t);
}

template <class T>
double Workspace<T>::loss_of_passes(size_t passes) {
  constexpr size_t at_once = 64;
  double sum = 0, sums[at_once];
  for (size_t first = 0; first < passes; first += at_once) {
    const size_t count = std::min(at_once, passes - first);
    memory.download(sums, loss_sums.data() + first, count * sizeof(double));
    for (size_t i = 0; i < count; ++i) sum += sums[i];
  }
  return sum;
}

template struct Workspace<float>;
template struct Workspace<double>;

}  // namespace gradus
