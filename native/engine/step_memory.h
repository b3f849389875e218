// How much memory the passes of a step take, known before it is taken.
#pragma once
#include <functional>

#include "model.h"

namespace gradus {

// Bytes of values, of their gradients, of those of the weights and of what ops keep, for passes of so many examples:
// what there is beside the weights, what the optimizer keeps, and the data. Throws as decode() does.
size_t step_memory(const Value& descriptor, size_t examples);

// Takes memory in a workspace for passes of so many examples.
template <class T>
using TakePasses = std::function<void(size_t examples, Workspace<T>& in)>;

// Has it taken. Where there is not so much, what passes had before goes back as well, so that a smaller batch finds all
// that is free, and the error says how much is needed; and of how many examples there would be enough for, where that
// can be told.
template <class T>
void reserve_passes(const Model<T>& model, size_t examples, Workspace<T>& workspace, const TakePasses<T>& take);

// The same of several models that the same examples go through, each in a workspace of its own.
template <class T>
using TakeAllPasses = std::function<void(size_t examples, Workspace<T>* in)>;
template <class T>
void reserve_all_passes(const std::vector<const Model<T>*>& models, size_t examples, Workspace<T>* workspaces,
                        const TakeAllPasses<T>& take);

}  // namespace gradus
