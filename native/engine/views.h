// What a model makes of rows; of a batch that is mirrored, the mean over its images and their mirror images. And how
// that comes to the host.
#pragma once
#include "batch.h"
#include "context.h"
#include "rows.h"

namespace gradus {

template <class T>
const T* outputs_of(const Model<T>& model, const Rows<T>& rows, size_t first, Pass<T>& pass) {
  rows.gather(first, pass);
  model.forward(pass);
  return pass.value(model.output());
}

template <class T>
const T* outputs_of(const Model<T>& model, const Batch<T>& batch, size_t first, Pass<T>& pass) {
  batch.gather(first, pass);
  model.forward(pass);
  T* const outputs = pass.value(model.output());
  if (!batch.is_mirrored()) return outputs;
  const size_t n = pass.batch * model.output_size();
  Buffer<T>& of_views = pass.workspace.batch.view_scores;
  of_views.grow(n, pass.workspace.memory);
  pass.device.copy(outputs, n, of_views.data());
  batch.gather_mirrored(first, pass);
  model.forward(pass);
  pass.device.add(outputs, of_views.data(), n, outputs);
  pass.device.scale(T(0.5), n, outputs);
  return outputs;
}

// What the link makes of the model's scores: straight into the host's memory where kernels can write there.
template <class T>
void link_to_host(const Context<T>& context, Link link, const T* scores, size_t rows, T* out) {
  Memory& memory = context.workspace.memory;
  Buffer<T>& predictions = context.workspace.predictions;
  const size_t columns = context.model.output_size(), n = rows * columns;
  if (link == Link::identity && !memory.is_host()) return memory.download(out, scores, n * sizeof(T));
  if (!memory.is_host()) predictions.grow(n, memory);
  T* const to = memory.is_host() ? out : predictions.data();
  if (link == Link::identity) context.device.copy(scores, n, to);
  if (link == Link::softmax) context.device.softmax(scores, rows, columns, to);
  if (link == Link::sigmoid) context.device.activation_forward(Activation::sigmoid, T(0), scores, n, to);
  if (!memory.is_host()) memory.download(out, to, n * sizeof(T));
}

}  // namespace gradus
