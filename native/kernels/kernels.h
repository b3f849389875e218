// The kernels: plain functions on pointers and sizes. They check nothing, allocate nothing and never throw; each runs
// on the calling thread. Whoever wants threads cuts the work by output and calls once a piece.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "convolution.h"
#include "images.h"

namespace gradus {

// Long sums over rows are made in blocks of so many rows, each for itself, which are then added in order: rows cut at
// multiples of it give the same sums, on whatever device.
constexpr size_t block_rows = 64;
static inline constexpr size_t blocks_of(size_t rows) { return (rows + block_rows - 1) / block_rows; }

enum class Activation : int32_t {
#define ACTIVATION(name, parameter) name,
#include "activations.def"
#undef ACTIVATION
};

// C(m, n) = activation(alpha · op(A)(m, k) · op(B)(k, n) + beta · C + bias), then multiplied by gate'(·) if there is
// one. Each element sums over k in order, in blocks of fixed size; the result does not depend on ISA or on how C is
// cut.
template <class T>
struct Matmul {
  size_t m = 0, n = 0, k = 0;
  const T* a = nullptr;  // element (i, p) of op(A) at a[i * a_row + p * a_column]; one of the two strides is 1
  size_t a_row = 0, a_column = 1;
  const T* b = nullptr;  // element (p, j) of op(B) at b[p * b_row + j * b_column]; one of the two strides is 1
  size_t b_row = 0, b_column = 1;
  T* c = nullptr;  // element (i, j) at c[i * c_row + j]
  size_t c_row = 0;
  T alpha = 1, beta = 0;    // beta = 0: C is written, never read
  const T* bias = nullptr;  // (n), or none
  Activation activation = Activation::identity;
  T activation_parameter = 0;
  // For dX = (dY · Wᵀ) ⊙ f'(Z): the output y of the activation below, laid out as C with row stride gate_row. Only
  // activations whose derivative follows from y: relu, leaky_relu, elu, tanh, sigmoid, softplus.
  const T* gate = nullptr;
  size_t gate_row = 0;
  Activation gate_kind = Activation::identity;
  T gate_parameter = 0;
  bool* nonfinite = nullptr;  // set (never cleared) when an element written is not finite
};
// Elements of workspace that a matmul call may use, for either type, aligned to 64 bytes.
constexpr size_t matmul_workspace = size_t(1) << 20;
// Bytes of a core's second cache as the system tells them, or so many where it does not or tells more: blocks are cut
// by it, which the bits do not show.
size_t second_cache();
constexpr size_t largest_second_cache = size_t(2) << 20;

// Where in the counter-based generator (Philox 4×32-10) a draw lies: see cpu/random-inl.h.
struct Counter {
  uint64_t seed = 0;
  uint32_t stream = 0;
  uint64_t step = 0;  // at most largest_step: those beyond would repeat draws
};
constexpr uint64_t largest_step = (uint64_t(1) << 48) - 1;

// Scores (rows, columns) against integer labels (rows) or dense targets (rows, columns), exactly one of them given; of
// softmax_cross_entropy, labels may be two a row, each with its share.
template <class T>
struct Loss {
  size_t rows = 0, columns = 0;
  const T* scores = nullptr;
  const int32_t* labels = nullptr;
  const int32_t* other_labels = nullptr;  // (rows), or none
  const T* shares = nullptr;              // (rows), beside other labels: what `labels` count; those count the rest
  const T* targets = nullptr;
  const T* weights = nullptr;  // (rows), or none: all one
  T scale = 1;                 // gradient of Σ scale · weight · loss(row); 1 / rows for the mean
  T parameter = 1;             // margin of the hinges, delta of huber, temperature of softmax_cross_entropy
  T smoothing = 0;             // of softmax_cross_entropy: (1 − it) · target + it / columns is what counts
  const T* tangent = nullptr;  // (rows, columns): how the scores move; of the tangents only
  T* losses = nullptr;         // (rows): weight · loss(row), unscaled
  T* gradient = nullptr;       // (rows, columns), or none; the tangents write here how it moves

  constexpr Loss part(size_t first, size_t count) const {
    Loss part = *this;
    part.rows = count;
    part.scores += first * columns;
    if (labels) part.labels += first;
    if (other_labels) part.other_labels += first, part.shares += first;
    if (targets) part.targets += first * columns;
    if (weights) part.weights += first;
    if (tangent) part.tangent += first * columns;
    if (losses) part.losses += first;
    if (gradient) part.gradient += first * columns;
    return part;
  }
};

// What makes probabilities of a model's outputs: nothing, softmax of each example's scores, sigmoid of each output.
enum class Link { identity, softmax, sigmoid };

// How the outputs of several models become one's; cpu/combine-inl.h has the formulas.
enum class Combine { probabilities, geometric, scores, vote };

// Scores (rows, columns) of each member against those of all together.
template <class T>
struct Combination {
  Combine combine = Combine::probabilities;
  Link link = Link::identity;
  size_t members = 0, rows = 0, columns = 0;
  size_t first = 0;                  // the row of all members' scores that is row 0 here
  const T* const* scores = nullptr;  // by member; the pointers lie where the scores do
  const T* weights = nullptr;        // by member: normal numbers that sum to 1
  T temperature = 1;
  T* norms = nullptr;     // (rows, 2 · members): memory to work in, of softmax only
  T* combined = nullptr;  // (rows, columns)
  T* spread = nullptr;    // (rows, columns), or none: the weighted standard deviation of the members' probabilities

  constexpr Combination part(size_t from, size_t count) const {
    Combination part = *this;
    part.rows = count, part.first += from;
    if (norms) part.norms += from * 2 * members;
    part.combined += from * columns;
    if (spread) part.spread += from * columns;
    return part;
  }
};

// A sum of many that a row has changed, and what it was before.
struct ChangedSum {
  size_t at = 0;  // SIZE_MAX: the row has changed none
  double before = 0;
};
// Scores (rows, columns) against labels (rows) or dense targets (rows, columns), exactly one of them given, as metrics
// see them: the sums of one metric over the rows are added into its own. cpu/metrics-inl.h says what they are.
template <class T>
struct Metric {
  size_t rows = 0, columns = 0;
  const T* scores = nullptr;
  const int32_t* labels = nullptr;
  const T* targets = nullptr;
  const T* weights = nullptr;     // (rows), or none: all one
  bool answers = false;           // each column answers yes or no; else the columns are classes
  size_t k = 1;                   // of top_k
  double* sums = nullptr;         // added into
  ChangedSum* changed = nullptr;  // (rows), of confusion_matrix and answers_by_score, or none
};
constexpr size_t score_bins = size_t(1) << 17;  // of answers_by_score

// Where the examples of a batch lie among those of a dataset, and as what.
struct Examples {
  const uint8_t* data = nullptr;  // of the whole dataset, example by example
  ElementType type = ElementType::float32;
  size_t elements = 1;           // of one example
  double scale = 1, offset = 0;  // a uint8 element v stands for v * scale + offset
  // In place of those, on a processor only, or none: (period), element i of an example has the i % period-th.
  const double *scales = nullptr, *offsets = nullptr;
  size_t period = 1;
  // Row i of the batch is example view[order[first + i]]; where one of the two is not given, numbers stay as they are.
  const uint32_t *order = nullptr, *view = nullptr;
  size_t first = 0;

  constexpr Examples from_row(size_t row) const {
    Examples part = *this;
    part.first += row;
    return part;
  }
};

// Layer norm normalises each row over columns; batch norm each column over rows, and may apply the activation above it:
// y = above(x̂ · gain + bias), and dy is the gradient of that.
template <class T>
struct Norm {
  size_t rows = 0, columns = 0, stride = 0;  // x, y, dy, dx: element (i, j) at [i * stride + j]
  const T* x = nullptr;
  const T* gain = nullptr;  // (columns)
  const T* bias = nullptr;  // (columns)
  T epsilon = 0;
  T* mean = nullptr;               // (rows) for layer norm, written by its forward; (columns) for batch norm
  T* inverse_deviation = nullptr;  // likewise
  T* y = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;  // or none
  Activation above = Activation::identity;
  T above_parameter = 0;
  T* dz =
      nullptr;  // written by batch_norm_block_gradients where there is an activation: dy · above'(·), maybe in place
  // (blocks, columns): the gradients' sums over each block of rows, written; of batch_norm_backward (columns), the sums
  // over all rows, read.
  T *dgain = nullptr, *dbias = nullptr;

  // Parts of a layer norm and of a batch norm, of sums at whole blocks: what is not given stays so.
  constexpr Norm rows_from(size_t first, size_t count) const {
    Norm part = examples_from(first, count);
    if (part.mean) part.mean += first;
    if (part.inverse_deviation) part.inverse_deviation += first;
    return part.with_blocks_from(first);
  }
  constexpr Norm examples_from(size_t first, size_t count) const {
    Norm part = *this;
    part.rows = count;
    if (part.x) part.x += first * stride;
    if (part.dy) part.dy += first * stride;
    if (part.y) part.y += first * stride;
    if (part.dx) part.dx += first * stride;
    if (part.dz) part.dz += first * stride;
    return part;
  }
  constexpr Norm blocks_from(size_t first, size_t count) const {
    return examples_from(first, count).with_blocks_from(first);
  }

 private:
  constexpr Norm with_blocks_from(size_t first) const {
    Norm part = *this;
    if (part.dgain) part.dgain += first / block_rows * columns;
    if (part.dbias) part.dbias += first / block_rows * columns;
    return part;
  }
};

// How what a norm computes moves when its inputs move; x_tangent and the others are laid out as what they are tangents
// of.
template <class T>
struct NormTangent {
  Norm<T> norm;  // x, gain, dy, mean and inverse_deviation of it
  const T *x_tangent = nullptr, *gain_tangent = nullptr, *bias_tangent = nullptr, *dy_tangent = nullptr;
  T* y_tangent = nullptr;                                // of the forward
  T* dx_tangent = nullptr;                               // of the backward, or none
  T *dgain_tangent = nullptr, *dbias_tangent = nullptr;  // of the backward, added into
  bool follows = true;                                   // whether mean and deviation follow x
};

// Whoever makes many updates clears what has decayed in one of so many: see cpu/updates/rules-inl.h.
constexpr uint64_t clearing_interval = 32;

// One stretch of the arenas that belongs to one tensor. The gradient that counts is
//   g = clamp(gradient_scale · (gradient + l2 · w + l1 · sign(w)), ±clip_value)
template <class T>
struct Update {
  size_t n = 0;
  const T* gradient = nullptr;
  T* w = nullptr;
  T* slots[3] = {nullptr, nullptr, nullptr};
  T* average = nullptr;           // running average of w, or none
  const T* directions = nullptr;  // of blocks that are directed
  // Of adam_bfloat16: the slots as upper halves of floats, and where the randomness of their rounding lies: value
  // `first` + i of the counter is the i-th element's.
  uint16_t* short_slots[2] = {nullptr, nullptr};
  Counter counter;
  size_t first = 0;
  bool clears_remnants = true;  // of weights, slots and average: what has decayed to almost nothing becomes 0
  T gradient_scale = 1, clip_value = 0 /* none */, l1 = 0, l2 = 0;
  const double* judged_scale = nullptr;  // in place of gradient_scale, where a kernel finds it: see Verdict
  T learning_rate = 0, weight_decay = 0 /* decoupled: w -= learning_rate · weight_decay · w */, average_decay = 0;
  T momentum = 0;    // beta1 for adam and its kin
  T decay_rate = 0;  // rmsprop's and adadelta's rho, beta2 for adam and its kin
  T epsilon = 0;
  T correction1 = 1, correction2 = 1;  // adam: 1 / (1 − beta1ᵗ), 1 / (1 − beta2ᵗ)
  T gradient_share = 0;                // nadam: how much of g itself is added to correction1 · firstMoment
};
// Static, as kernels call it: an inline member could escape from the objects of an instruction set.
template <class T>
static inline constexpr T scale_of(const Update<T>& update) {
  return update.judged_scale ? T(*update.judged_scale) : update.gradient_scale;
}

// A stretch of one tensor as updates take it, and what of an update is the tensor's own. Arenas begin where Update's
// pointers point.
template <class T>
struct UpdateBlock {
  size_t parameter = 0, offset = 0, n = 0;
  T l1 = 0, l2 = 0, rate_multiplier = 1;
  T weight_decay = -1;       // below 0: the update's
  bool averages = true;      // false: the running average waits until the weights are limited
  bool is_directed = false;  // w += its part of Update::directions, by a step of gradient descent of rate 1

  // What sets the kernels of blocks apart: a sum of these, below `kinds`.
  static constexpr unsigned regularized = 1, averaged = 2, directed = 4, kinds = 8;
  constexpr unsigned kind() const {
    return (l1 != 0 || l2 != 0) * regularized + averages * averaged + is_directed * directed;
  }
};

// The kernels that move parameters, by their names.
enum class UpdateRule {
#define KERNEL(name, arguments, ...)
#define UPDATE(name) name,
#include "kernels.def"
#undef UPDATE
#undef KERNEL
};

// What an update adds up on its way, over the stretch it was given. Where floats cannot hold the squares (from 1e19 on)
// those of the gradient are added up again in double, and where nothing is updated those of the weights too.
struct UpdateSums {
  double weight_squares = 0, weight_absolutes = 0;  // of w before the update
  double change_squares = 0;                        // of w after − w before
  double gradient_squares = 0;                      // of gradient + l2 · w + l1 · sign(w), before scale and clamp
  uint64_t nonfinite = 0;                           // elements of gradient that are not finite
};
// Sums are made in chunks of this many elements from the start of a stretch, each reduced in one fixed tree; a stretch
// cut at multiples of it gives the same sums when they are added in order.
constexpr size_t update_chunk = 4096;

// What an update is judged by before it changes anything, all of it where kernels compute.
struct Evidence {
  const bool* nonfinite = nullptr;  // flags that were raised where something is not finite
  size_t flags = 0;
  const double* losses = nullptr;  // sums of the passes
  size_t passes = 0;
  double loss_scale = 0;  // of their sum
  // What gradient_norm has found, by block, and the parameter that each block is of; or none: the norm is not asked
  // for.
  const UpdateSums* sums = nullptr;
  const uint32_t* parameters = nullptr;
  size_t blocks = 0;
  double clip_norm = 0;  // 0: none
};
struct Verdict {
  double loss = 0;
  double gradient_scale = 1;  // of clipping by norm
  uint64_t refused = 0;       // something is not finite
};

// A histogram counts by sign and size, two bins to an octave. The middle bin is that of zero and of all that is smaller
// than histogram_smallest; a size s = 2^e · (1 + f) is 1 + 2 · (e − histogram_exponent) + (f ≥ ½) bins away from it, up
// or down, from histogram_largest on as far as there are bins. What is not finite is in none. Counts are added to.
constexpr size_t histogram_bins = 129, histogram_middle = 64;
constexpr int histogram_exponent = -24;
constexpr float histogram_smallest = 0x1p-24f, histogram_largest = 0x1.8p7f;

template <class T>
struct Stretch {
  const T* x = nullptr;
  size_t n = 0;
};

// What one chunk of values looks like; mean and squares are of the finite ones.
struct Moments {
  uint64_t finite = 0, nonfinite = 0;
  uint64_t outside = 0;          // below `low` or above `high`
  uint64_t denormal = 0;         // smaller than the smallest normal number of its type, but not zero
  double mean = 0, squares = 0;  // squares: Σ (x − mean)²
};
// The kernel writes one for each so many elements.
constexpr size_t moments_chunk = 4096;

template <class T>
struct Kernels {
#define KERNEL(name, arguments, ...) void(*name) arguments;
#include "kernels.def"
#undef KERNEL
};

struct Isa {
  const char* name;
  Kernels<float> float32;
  Kernels<double> float64;
};

// The ISAs compiled in that this host can run, best first; the last is always "scalar". Ends with a null pointer.
const Isa* const* available_isas();
// The best of them, or the one that GRADUS_ISA names; null when it names none of them.
const Isa* chosen_isa();

template <class T>
const Kernels<T>& kernels_of(const Isa& isa);
template <>
inline const Kernels<float>& kernels_of(const Isa& isa) {
  return isa.float32;
}
template <>
inline const Kernels<double>& kernels_of(const Isa& isa) {
  return isa.float64;
}

}  // namespace gradus
