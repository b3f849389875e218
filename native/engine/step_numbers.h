// What changes from one step to the next.
#pragma once
#include <cstddef>
#include <cstdint>

#include "corrections.h"

namespace gradus {

// Every number that changes from step to step.
struct StepNumbers {
  uint64_t step = 0;               // accepted updates before this one
  size_t first_row = 0, rows = 0;  // in the order of the epoch
  double weight = 0;               // Σ of the rows' weights
  double learning_rate = 0, momentum = 0, weight_decay = 0;
  double average_decay = 1;  // how much of the average of the weights is kept
  double clip_norm = 0, clip_value = 0;
  Corrections corrections;

  double loss_scale() const { return weight > 0 ? 1 / weight : 0; }
};

}  // namespace gradus
