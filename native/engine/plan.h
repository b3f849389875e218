// A descriptor decoded and checked, as far as it does not depend on the type of the numbers.
#pragma once
#include <optional>

#include "fields.h"
#include "parameter.h"

namespace gradus {

enum class Precision { float32, float64 };

struct InputPlan {
  std::string name;
  Shape shape;
  bool index = false;           // row numbers for an embedding
  bool differentiated = false;  // the gradient by it is made as well
};

struct ParameterPlan {
  std::string initializer;
  double low = 0, high = 0;  // constant: low; uniform: low, high; normal: mean, deviation
  size_t groups = 1;         // of identity: parts of the columns
  double l1 = 0, l2 = 0, max_norm = 0;
  double rate_multiplier = 1;          // of the learning rate
  std::optional<double> weight_decay;  // in place of the optimizer's
  bool host_regularizer = false;       // a penalty that the host computes as well
};

struct LossPlan {
  size_t kind = 0;  // line of losses.def; custom_loss for one that the host computes
  double parameter = 1, smoothing = 0;
  bool takes_labels = false, takes_dense = false;
};
constexpr size_t custom_loss = SIZE_MAX;

struct MetricPlan {
  size_t kind = 0;  // line of metrics.def; custom_metric for one that the host adds up
  size_t k = 0;
  bool answers = false;  // the outputs answer yes or no; else they are scores of classes
  size_t width = 0;      // of the host's: how many sums
};
constexpr size_t custom_metric = SIZE_MAX;
constexpr size_t most_custom_sums = 1 << 16;

constexpr size_t most_confusion_classes = 2000;  // 32 MB of sums

struct MuonPlan {
  double momentum = 0, rate_multiplier = 1;  // the latter of the parameters that are no matrices, which Adam moves
  size_t steps = 0;
  bool nesterov = false;
};

enum class OptimizerKind {
#define OPTIMIZER(name, ...) name,
#include "optimizers.def"
#undef OPTIMIZER
};

struct OptimizerPlan {
  OptimizerKind kind = OptimizerKind::sgd;  // for muon adam, for the host's own sgd
  std::vector<std::string> slots;
  std::optional<MuonPlan> muon;
  bool bfloat16 = false;  // adam's slots as upper halves of floats
  bool custom = false;    // the host says how each tensor changes
  double momentum = 0, decay_rate = 0, epsilon = 0, weight_decay = 0;
  double momentum_decay = 0;  // nadam's
  bool averages = false;      // keeps an average of the weights, which calls say how to move
  bool corrects_bias = true;
};

// A node as it stands in the descriptor; its op reads the rest of the fields.
struct NodePlan {
  std::string op, name;
  std::vector<size_t> inputs;  // numbers of earlier nodes
  Value fields;
  std::string place;  // for errors
};

// Node i < inputs.size() is input i itself; nodes[j] is node inputs.size() + j.
struct Plan {
  Precision precision = Precision::float32;
  uint64_t seed = 0;
  bool initializes = true;  // false: the parameters begin as zeros, for whoever writes them all
  std::vector<InputPlan> inputs;
  std::vector<ParameterInfo> infos;  // by number, like the next
  std::vector<ParameterPlan> parameters;
  size_t arena_size = 0;  // elements
  std::vector<NodePlan> nodes;
  size_t output = 0;  // number of a node
  std::optional<LossPlan> loss;
  std::vector<MetricPlan> metrics;
  std::optional<OptimizerPlan> optimizer;
};

// Throws Error: GRADUS_BAD_DESCRIPTOR names the place and what is wrong, GRADUS_TOO_LARGE when sizes overflow.
Plan decode(const Value& descriptor);

}  // namespace gradus
