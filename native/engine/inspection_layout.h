// What the rows of inspections are about, and what a look at a layer tells.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gradus {

struct LayerInfo {
  std::string layer, op;  // "relu1", "relu"
  size_t units = 0;       // elements of the last dimension
};

constexpr size_t inspection_statistics = 5;
struct InspectionLayout {
  std::vector<LayerInfo> layers;     // of the ops that hold their value, in order of work
  std::vector<std::string> tensors;  // the trainable parameters
  size_t width(bool histograms) const;
};
// Bin i of a histogram lies between edges i and i + 1; the first and the last are infinite.
std::vector<double> histogram_edges();

// What an op's values look like over a batch.
struct LayerStatistics : LayerInfo {
  double mean = 0, deviation = 0;  // of the finite ones
  size_t dead = 0;                 // of a relu: units that are 0 for every example
  double saturated = 0;            // of tanh and sigmoid: share of the values within a hundredth of an end
  uint64_t nonfinite = 0;
  uint64_t denormal = 0;  // too small to be normal numbers, which some processors are slow with; zeros do not count
};

}  // namespace gradus
