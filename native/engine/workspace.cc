#include "workspace.h"

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
  size_t bytes = gradients.arena.bytes() + bytes_of(gradients.staged);
  for (const NodeMemory<T>& node : nodes)
    bytes += node.value.bytes() + node.gradient.bytes() + node.tangent.bytes() + node.gradient_tangent.bytes() +
             node.indices.bytes();
  for (const OpMemory<T>& op : ops) bytes += bytes_of(op.reals) + bytes_of(op.of_parameters) + op.choices.bytes();
  for (const Buffer<T>* buffer : {&tangents, &gradient_tangents, &losses, &scratch, &batch.targets, &batch.weights,
                                  &update.directions, &update.host_gradient, &inspection.maxima})
    bytes += buffer->bytes();
  return bytes + batch.labels.bytes() + bytes_of(update.slots) + bytes_of(update.orthogonalization) +
         order.capacity() * sizeof(uint32_t);
}

template struct Workspace<float>;
template struct Workspace<double>;

}  // namespace gradus
