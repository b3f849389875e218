// What callers ask of a program, and what they get.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "augmentation.h"

namespace gradus {

struct TrainCall {
  std::shared_ptr<const Dataset> data;
  bool shuffle = true;  // rows in the order permutation(seed, epoch), else as they lie
  uint64_t epoch = 0;
  size_t first_row = 0;                  // position in that order of the first row taken
  size_t batch_size = 32;                // the last batch of an epoch may be smaller
  size_t batches = 1;                    // how many updates; stops early at the end of the epoch
  size_t accumulate = 1;                 // gradients of this many batches are averaged into one update
  std::vector<double> learning_rates;    // one an accepted update, `batches` of them
  std::vector<double> momenta;           // likewise, or empty: the optimizer's own
  std::vector<double> weight_decays;     // likewise
  std::vector<double> average_decays;    // how much of the average of the weights each keeps; empty: it stays as it is
  double clip_norm = 0, clip_value = 0;  // 0: none
  std::vector<double> class_weights;     // by label, or empty
  std::shared_ptr<const Augmentation> augmentation;  // of images, or none
  uint64_t epoch_row = 0;                            // of the data's row 0 in the epoch, by which the draws of that go
  std::vector<double> metric_sums;                   // to go on from: those of the epoch's call before, or empty
  size_t max_refused = 10;                           // non-finite steps in a row that end the call
  bool tensor_statistics = false;
  // Looks at the layers in updates whose step is a multiple of this, and in the first refused one of a row; 0: never.
  uint64_t inspect_every = 0;
  bool inspect_histograms = false;
  size_t threads = 1;
  size_t ahead = 0;  // updates that a device of its own is called for at once; 0: as many as take some milliseconds
};

// The average of the weights follows them once, between updates.
struct AverageCall {
  double keep = 0;  // how much of it is kept
  size_t threads = 1;
};

// A refused update: where numbers stopped being finite.
struct Refusal {
  uint64_t step = 0;
  std::optional<std::string> layer;   // the first, in order of work, that holds such a value
  std::optional<std::string> tensor;  // the parameter nearest to the loss whose gradient has such an element
  uint64_t nonfinite = 0;             // such elements of that gradient
};

// One entry an inspection. A row of `values` holds, for each layer, inspection_statistics numbers: mean and deviation
// of the finite values, units of a relu that have not fired in the last ten inspections, the share of saturated values
// of tanh and sigmoid, the share of values that are not finite. With histograms these follow, each of histogram_bins
// counts: of each layer's values, then of each tensor's gradient, then of each tensor's weights before the update.
// Gradients are those of the whole update, before clipping and without the regularizers l1 and l2. Values are those of
// its first batch in training; of a refused update those of the batch where numbers stopped being finite.
struct Inspections {
  std::vector<double> steps;  // accepted updates before
  std::vector<uint8_t> refused;
  std::vector<float> values;
};

// One entry an update unless stated.
struct TrainResult {
  size_t updates = 0;        // attempted: fewer than asked when stopped, given up or at the end of the epoch
  size_t rows = 0;           // rows consumed
  std::vector<double> loss;  // weighted mean data loss of the batch
  std::vector<double> regularization_loss;  // of the weights before the update
  std::vector<double> weight;               // sum of the rows' weights; where it is 0 the loss and its gradient are 0
  std::vector<double> gradient_norm;        // before clipping
  std::vector<uint8_t> refused;
  std::vector<double> metric_sums;  // metric_widths: the call's, with the rows of accepted updates added
  // updates × trainable parameters × 4: ‖g‖, ‖w‖ before, ‖Δw‖, non-finite count; when asked for.
  std::vector<double> tensors;
  Inspections inspections;
  std::optional<Refusal> first_refusal;  // the first refused update of the call
  std::optional<Refusal> gave_up;        // the first of the row that was too long

  void clear();  // keeps its memory
};

struct EvaluateCall {
  std::shared_ptr<const Dataset> data;
  size_t batch_size = 32, threads = 1;
  std::vector<double> class_weights, metric_sums;  // as of a TrainCall
  Link link = Link::identity;                      // of predictions
  bool averaged = false;                           // by the average of the weights
  bool mirrored = false;                           // the mean of the outputs of images and their mirror images
};
// As long as it takes to hand work to a sleeping thread and to be woken by it, where that is slow.
constexpr double short_nanoseconds = 80e3;
struct EvaluateResult {
  double loss = 0, weight = 0, regularization_loss = 0;  // loss: weighted mean
  std::vector<double> metric_sums;
};

// Rows in the caller's own memory, one column an input: where a dataset would cost more than the work.
struct RowsCall {
  struct Column {
    const void* data = nullptr;
    DataType type = DataType::float32;
    size_t length = 0;                    // elements of all rows
    double scale = 1, offset = 0;         // as of a dataset's column
    std::vector<double> scales, offsets;  // in place of those, or none: of a row of pixels
  };
  std::vector<Column> inputs;
  size_t rows = 0, batch_size = 32;
};

// Forward passes over batches, which make the running statistics anew.
struct StatisticsCall {
  std::shared_ptr<const Dataset> data;
  size_t batch_size = 32, threads = 1;
};
struct StatisticsResult {
  size_t batches = 0;        // of at least two rows; others have no variance and are left out
  std::vector<double> sums;  // over them: the statistics' elements, one parameter after the other
};

enum class Term { data, regularization, total };

struct GradientCall {
  std::shared_ptr<const Dataset> data;
  bool training = false;   // batch statistics and dropout as in the given step
  bool randomness = true;  // false: no dropout in training either
  Term term = Term::total;
  size_t threads = 1;
};

struct HessianCall : GradientCall {
  std::vector<double> vector;  // the trainable parameters' elements, one parameter after the other
};

// Element `element` of a tensor moved by `offset`; with a direction, the whole tensor by offset · direction.
struct ProbePoint {
  size_t tensor = 0;  // number of a parameter, or of an input after them all
  size_t element = 0;
  double offset = 0;
};
struct ProbeCall : GradientCall {
  std::vector<ProbePoint> points;
  std::vector<double> direction;  // as many elements as each tensor of the points has, or none
};
constexpr size_t no_flip = SIZE_MAX;
// One entry a point unless stated. Fewer than asked when stopped.
struct ProbeResult {
  double base_loss = 0, base_regularization_loss = 0;  // of the weights as they are
  std::vector<uint64_t> hashes;                        // of the ops' values there
  std::vector<size_t> kinked;                          // the ops that chose at kinks there; op count for the loss
  std::vector<double> loss, penalty_change;            // the data loss; the regularization loss against the base
  // The first op that chose otherwise at a kink than with the weights as they are; op count for the loss, op count + 1
  // for the regularizer, no_flip for none.
  std::vector<size_t> flipped;
};

}  // namespace gradus
