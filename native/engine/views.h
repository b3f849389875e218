// What a model makes of rows; of a batch that is mirrored, the mean over its images and their mirror images.
#pragma once
#include "batch.h"
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

}  // namespace gradus
