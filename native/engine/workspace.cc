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
  const PassMemory<T>& of = *this;
  size_t bytes = of.gradients.arena.bytes() + bytes_of(of.gradients.staged) + bytes_of(of.metrics.changed) +
                 residence.bytes() + bytes_of(of.gradient_places);
  for (const NodeMemory<T>& node : of.nodes)
    bytes += node.value.bytes() + node.tangent.bytes() + node.gradient_tangent.bytes() + node.indices.bytes();
  for (const OpMemory<T>& op : of.ops)
    bytes += bytes_of(op.reals) + bytes_of(op.of_parameters) + op.choices.bytes() + op.winners.bytes();
  for (const Buffer<T>* buffer :
       {&of.tangents, &of.gradient_tangents, &of.losses, &of.scratch, &of.predictions, &of.batch.targets,
        &of.batch.weights, &of.batch.view_scores, &of.batch.other_images, &of.batch.other_targets, &of.batch.shares,
        &of.update.directions, &of.update.host_gradient, &of.inspection.maxima, &of.ensemble.weights,
        &of.ensemble.norms, &of.ensemble.combined, &of.ensemble.spread})
    bytes += buffer->bytes();
  for (const Buffer<double>* buffer : {&of.loss_sums, &of.numbers, &of.metrics.sums, &of.metrics.kept})
    bytes += buffer->bytes();
  return bytes + of.batch.labels.bytes() + of.batch.other_labels.bytes() + bytes_of(of.update.slots) +
         bytes_of(of.update.orthogonalization) + of.ensemble.scores.bytes() + order.capacity() * sizeof(uint32_t);
}

template <class T>
double Workspace<T>::loss_of_passes(size_t passes) {
  constexpr size_t at_once = 64;
  double sum = 0, sums[at_once];
  for (size_t first = 0; first < passes; first += at_once) {
    const size_t count = std::min(at_once, passes - first);
    memory.download(sums, this->loss_sums.data() + first, count * sizeof(double));
    for (size_t i = 0; i < count; ++i) sum += sums[i];
  }
  return sum;
}

template struct Workspace<float>;
template struct Workspace<double>;

}  // namespace gradus
