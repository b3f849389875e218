// A compiled model: ops and offsets into arenas, decoded once from a descriptor. Not re-entrant: one call at a time,
// which the binding guards; several programs may run side by side.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataset.h"
#include "value.h"

namespace gradus {

enum class Precision { float32, float64 };

struct ParameterInfo {
  std::string name;  // "dense1.weight"
  std::vector<size_t> shape;
  size_t size = 0, offset = 0;  // in elements of the arenas; offset a multiple of 16
  bool trainable = true;
};

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
  double clip_norm = 0, clip_value = 0;  // 0: none
  std::vector<double> class_weights;     // by label, or empty
  size_t max_refused = 10;               // non-finite steps in a row that end the call with a failure
  bool tensor_statistics = false;
  // Looks at the layers in updates whose step is a multiple of this, and in the first refused one of a row; 0: never.
  // An update that is looked at does not defer.
  uint64_t inspect_every = 0;
  bool inspect_histograms = false;
  std::vector<double> metric_sums;  // to go on from: those of the epoch's call before, or empty
  bool defers = false;  // gradients of large weights are made right before their update, where nothing forbids it
  size_t threads = 1;
};

struct Failure {
  uint64_t step = 0;  // of the first refused update of the row
  std::string layer, tensor;
  uint64_t nonfinite = 0;  // elements of that tensor's gradient; 0 when only the loss was not finite
};

// The first refused update of a call: where numbers stopped being finite.
struct Refusal {
  uint64_t step = 0;
  std::optional<std::string> layer;   // the first, in order of work, that holds such a value
  std::optional<std::string> tensor;  // the parameter nearest to the loss whose gradient has such an element
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
constexpr size_t inspection_statistics = 5;

// One entry an update unless stated.
struct TrainResult {
  size_t updates = 0;        // attempted: fewer than asked when stopped, failed or at the end of the epoch
  size_t rows = 0;           // rows consumed
  std::vector<double> loss;  // weighted mean data loss of the batch
  std::vector<double> regularization_loss;  // of the weights before the update
  std::vector<double> weight;               // sum of the rows' weights; where it is 0 the loss and its gradient are 0
  std::vector<double> gradient_norm;        // before clipping
  std::vector<uint8_t> refused;
  std::vector<double> metric_sums;  // metric_width: the call's, with the rows of accepted updates added
  // updates × trainable parameters × 4: ‖g‖, ‖w‖ before, ‖Δw‖, non-finite count; when asked for.
  std::vector<double> tensors;
  Inspections inspections;
  std::optional<Refusal> first_refusal;
  std::optional<Failure> failure;

  void clear();  // keeps its memory
};

struct EvaluateResult {
  double loss = 0, weight = 0, regularization_loss = 0;  // loss: weighted mean
  std::vector<double> metric_sums;
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

struct LayerInfo {
  std::string layer, op;  // "relu1", "relu"
  size_t units = 0;       // elements of one example
};

// What the rows of inspections are about.
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
};

// Element `element` of a tensor moved by `offset`; with a direction, the whole tensor by offset · direction.
struct ProbePoint {
  size_t tensor = 0;  // number of a parameter, or of an input after them all
  size_t element = 0;
  double offset = 0;
};
struct ProbeCall {
  std::shared_ptr<const Dataset> data;
  bool training = false, randomness = true;
  size_t threads = 1;
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

class Host;
struct Isa;

// A stretch of memory in the program's precision.
struct Elements {
  const void* data = nullptr;
  size_t size = 0;
};

class Program {
 public:
  // Throws Error: GRADUS_BAD_DESCRIPTOR names the node and what is wrong, GRADUS_TOO_LARGE when sizes overflow.
  static std::shared_ptr<Program> create(const Value& descriptor, const Isa& isa, std::shared_ptr<Host> host = nullptr);
  virtual ~Program() = default;

  virtual Precision precision() const = 0;
  virtual const std::vector<ParameterInfo>& parameters() const = 0;
  virtual std::vector<std::string> arenas() const = 0;  // "parameters", "gradients", the optimizer's slots, "average"
  virtual size_t output_size() const = 0;               // elements of one example
  virtual std::vector<size_t> output_shape() const = 0;
  virtual size_t metric_width() const = 0;
  virtual std::vector<std::string> op_names() const = 0;  // of the ops that lead to the output, in order

  // The elements of one parameter in one arena; null for an arena that is not there.
  virtual void* slice(const std::string& arena, size_t parameter) = 0;
  // Whether that arena holds upper halves of floats, two bytes an element.
  virtual bool is_bfloat16(const std::string& arena) = 0;
  virtual size_t memory() const = 0;  // bytes held now, arenas and what calls have made grow
  virtual uint64_t step() const = 0;  // accepted updates so far
  virtual void set_step(uint64_t step) = 0;

  // Overwrites the result, in the memory that it has: fresh pages for every call would cost more than what is written.
  virtual void train(const TrainCall& call, TrainResult& result) = 0;
  TrainResult train(const TrainCall& call) {
    TrainResult result;
    train(call, result);
    return result;
  }
  virtual EvaluateResult evaluate(const Dataset& data, size_t batch_size, size_t threads,
                                  const std::vector<double>& class_weights,
                                  const std::vector<double>& metric_sums = {}) = 0;
  // out: data.size() × output_size() elements of the program's precision.
  virtual void predict(const Dataset& data, size_t batch_size, size_t threads, void* out) = 0;
  // Forward and backward over all rows as one batch, no update: fills the gradients arena with the gradient of the
  // term, returns the losses.
  virtual EvaluateResult gradient(const GradientCall& call) = 0;
  // The Hessian of the term times the vector, laid out as that; all rows as one batch. Throws
  // GRADUS_NO_SECOND_DERIVATIVE where the host computes something on the way.
  virtual std::vector<double> hessian_vector(const HessianCall& call) = 0;
  // Of the last gradient() by an input that the descriptor calls differentiated: rows × elements of it, else empty.
  virtual Elements input_gradient(size_t input) = 0;
  // A forward pass over all rows as one batch; one entry an op, but none where the op above holds the same memory.
  virtual std::vector<LayerStatistics> inspect(const GradientCall& call) = 0;
  virtual const InspectionLayout& inspection() const = 0;
  // The losses of all rows as one batch at points near the weights, which stay as they are.
  virtual ProbeResult probe(const ProbeCall& call) = 0;

  std::atomic<bool> stop_requested{false};  // looked at between steps and batches; cleared by whoever starts a call
};

}  // namespace gradus
