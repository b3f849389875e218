// What the ops of a model have computed, after a forward pass.
#pragma once
#include "inspection_layout.h"
#include "model.h"

namespace gradus {

template <class T>
LayerInfo layer_of(const Model<T>& model, size_t op);
template <class T>
uint64_t hash_of_value(const Model<T>& model, Pass<T>& pass, size_t op);
template <class T>
size_t value_size(const Model<T>& model, const Pass<T>& pass, size_t op) {
  return pass.batch * pass.size(model.op(op).node);
}
// Of an op that holds its value; `outside`: near an end of tanh or sigmoid.
template <class T>
Moments moments_of(const Model<T>& model, Pass<T>& pass, size_t op);
template <class T>
const T* unit_maxima(const Model<T>& model, Pass<T>& pass, size_t op);  // over the batch; there until the next call
template <class T>
LayerStatistics statistics_of(const Model<T>& model, Pass<T>& pass, size_t op);

}  // namespace gradus
