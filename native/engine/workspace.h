// The memory that passes and updates work in. Nothing in it outlives an update but the memory itself, and the order of
// an epoch: a program needs one, and whoever runs two of its passes at once needs two.
#pragma once
#include <array>
#include <vector>

#include "kernels/kernels.h"
#include "memory.h"
#include "residence.h"

namespace gradus {

template <class T>
struct NodeMemory {
  Buffer<T> value, gradient;
  Buffer<T> tangent, gradient_tangent;  // how they move with the parameters; only where that is asked for
  Buffer<int32_t> indices;              // of an input of row numbers, in place of the value
};

// What an op keeps from forward to backward.
template <class T>
struct OpMemory {
  std::array<Buffer<T>, 4> reals;
  std::vector<Buffer<T>> of_parameters;
  Buffer<int32_t> choices;
  Buffer<uint8_t> winners;  // of windows of up to 256
  uint64_t fingerprint = 0;
};

// What has been written of one parameter's gradient in this update.
struct GradientState {
  bool written = false;
  bool watched = false;    // whoever wrote the gradient has looked for elements that are not finite
  bool is_staged = false;  // the value after this update waits in `staged`
  size_t uses = 0;         // of a statistic: how often it has been moved
};

// The gradient of one update, of one or several passes, and the values of parameters that forward passes move.
template <class T>
struct Gradients {
  Buffer<T> arena;                    // laid out as the parameters
  std::vector<Buffer<T>> staged;      // by parameter
  std::vector<GradientState> states;  // likewise
  // Whether anything that is not finite has been seen: by parameter in its gradient, then by parameter in what is
  // staged of it, then in what is looked at by itself.
  Buffer<bool> nonfinite;
  double host_penalty = 0;  // of the regularizers that the host computes

  bool* nonfinite_staged(size_t parameter) { return nonfinite.data() + states.size() + parameter; }
  bool* nonfinite_alone() { return nonfinite.data() + 2 * states.size(); }
};

// Of a batch: the rows gathered last.
template <class T>
struct BatchMemory {
  Buffer<int32_t> labels;
  Buffer<T> targets, weights, example_weights;
  Buffer<double> class_weights;
  Buffer<uint8_t> rows;  // of inputs that are no dataset
  // Of images that are changed on their way: of those that others are mixed with as well.
  std::vector<ImageChange> changes;
  std::vector<Rectangle> erased, areas;
  std::vector<double> scales, offsets;
  std::vector<uint32_t> view_rows, partners;
  Buffer<int32_t> other_labels;
  Buffer<T> view_scores;  // of images as they are, while their mirror images are looked at
  Buffer<T> other_images, other_targets, shares;
};

// Of metrics: their sums, what those were before an update, and by metric which of its sums the update's rows changed.
struct MetricMemory {
  Buffer<double> sums, kept;
  std::vector<Buffer<ChangedSum>> changed;
};

// Of updates, as many as are called before the host looks at what has become of the first.
template <class T>
struct UpdateMemory {
  Buffer<Verdict> verdicts;       // by update
  Buffer<uint32_t> halted;        // one: an update was refused, and no later one may change anything
  Buffer<UpdateSums> block_sums;  // by update: of the gradients before it by block, then of itself by block
  Buffer<UpdateBlock<T>> blocks;
  Buffer<uint32_t> parameters;                    // of the blocks
  std::vector<UpdateSums> seen_block_sums, sums;  // the host's; and by parameter, of one update
  // Of tensors whose change comes as a whole, laid out as the parameters: the change, and the slots after it.
  Buffer<T> directions;
  std::vector<Buffer<T>> slots;
  Buffer<T> host_gradient;
  std::array<Buffer<T>, 4> orthogonalization;
};

// Of looks at the layers.
template <class T>
struct InspectionMemory {
  std::vector<float> row;
  std::vector<Stretch<T>> stretches;
  std::vector<size_t> tensors;  // by stretch
  std::vector<double> counts;   // stretches × bins
  std::vector<uint8_t> fired;   // units of all relus, by layer
  Buffer<Moments> chunks;
  Buffer<T> maxima;
  std::vector<Moments> seen_chunks;
  std::vector<T> seen_maxima;
};

// Of members that predict as one, in the workspace of the first.
template <class T>
struct EnsembleMemory {
  Buffer<const T*> scores;  // of the active members' last passes
  Buffer<T> weights;        // of those
  Buffer<T> norms, combined, spread;
};

// All that may be let go of between calls.
template <class T>
struct PassMemory {
  std::vector<NodeMemory<T>> nodes;
  std::vector<Buffer<T>> gradient_places;  // that nodes share
  std::vector<OpMemory<T>> ops;            // by node
  std::vector<uint8_t> written;            // by node: its gradient has been given once in this pass
  Gradients<T> gradients;
  Buffer<T> tangents, gradient_tangents;  // of the parameters: a direction, and how the gradient moves along it
  Buffer<T> losses;                       // of the rows
  Buffer<double> loss_sums;               // by pass
  Buffer<double> numbers;                 // that the host asks for
  Buffer<T> scratch;                      // for gradients that are added to others
  Buffer<T> predictions;                  // on their way to the host
  uint64_t loss_fingerprint = 0;          // of the last loss that the host computed
  BatchMemory<T> batch;
  MetricMemory metrics;
  UpdateMemory<T> update;
  InspectionMemory<T> inspection;
  EnsembleMemory<T> ensemble;
};

template <class T>
struct Workspace : PassMemory<T> {
  explicit Workspace(Memory& memory = host_memory()) : memory(memory) {}

  // An update begins: nothing of its gradient has been written.
  void begin_gradients() {
    for (GradientState& state : this->gradients.states) state = {};
    this->gradients.host_penalty = 0;
    memory.clear(this->gradients.nonfinite.data(), this->gradients.nonfinite.bytes());
  }
  // Memory for the losses of passes over so many rows, and for their sums.
  void reserve_losses(size_t rows, size_t passes) {
    this->losses.grow(rows, memory);
    this->loss_sums.grow(passes, memory);
  }
  double loss_of_passes(size_t passes);  // their sum, in order
  // Gives back what passes and updates work in, but for the gradients of the last update, which callers may read.
  void forget_passes() {
    Buffer<T> kept = std::move(this->gradients.arena);
    static_cast<PassMemory<T>&>(*this) = PassMemory<T>();
    this->gradients.arena = std::move(kept);
  }

  Memory& memory;               // that all buffers lie in
  std::vector<uint32_t> order;  // of the rows in epoch `order_epoch`
  uint64_t order_epoch = 0;
  Residence residence;  // of datasets

  size_t bytes() const;
};

}  // namespace gradus
