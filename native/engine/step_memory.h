// How much memory the passes of a step take, known before it is taken.
#pragma once
#include "model.h"

namespace gradus {

// Bytes of values, of their gradients, of those of the weights and of what ops keep, for passes of so many examples:
// what there is beside the weights, what the optimizer keeps, and the data. Throws as decode() does.
size_t step_memory(const Value& descriptor, size_t examples);

// Model::reserve(); where there is not so much memory the error says how much is needed.
template <class T>
void reserve_step(const Model<T>& model, size_t examples, Workspace<T>& workspace);

}  // namespace gradus
