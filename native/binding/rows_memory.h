// A prediction on the calling thread: for rows so few that a promise would take longer than the work.
#pragma once
#include <functional>

#include "engine/memory.h"
#include "engine/calls.h"
#include "errors.h"

namespace gradus::binding {

// Kept from call to call.
struct RowsMemory {
  RowsCall call;
  Buffer<uint8_t> result;

  // What predictRows(rows, batchSize, to, …inputs) does: compute() makes the result of the call. It is copied at the
  // end, when no JavaScript of a custom layer can take its array away any more.
  void answer(const Napi::CallbackInfo& info, size_t output_size, bool is_double, bool may_run_javascript,
              const std::function<void()>& compute);
};

}  // namespace gradus::binding
