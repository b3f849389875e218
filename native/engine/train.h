// Training: the updates of one call, one after the other.
#pragma once
#include <atomic>

#include "calls.h"
#include "inspection.h"
#include "optimizer.h"

namespace gradus {

// Overwrites the result, in the memory that it has: fresh pages for every call would cost more than what is written.
template <class T>
void train(const Context<T>& context, const Optimizer<T>& optimizer, const Inspection<T>& inspection,
           const TrainCall& call, const std::atomic<bool>& stop_requested, TrainResult& result);

}  // namespace gradus
