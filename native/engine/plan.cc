#include "plan.h"

#include <algorithm>

#include "names.h"

namespace gradus {

namespace {

size_t line_of(const std::vector<std::string>& names, const Fields& fields) {
  const std::string& kind = fields.text("kind");
  const auto at = std::find(names.begin(), names.end(), kind);
  if (at == names.end()) fields.fail("kind: there is no \"" + kind + "\"");
  return size_t(at - names.begin());
}

std::vector<InputPlan> decode_inputs(const Fields& all) {
  std::vector<InputPlan> inputs;
  for (const Value& value : all.array("inputs")) {
    const Fields fields(value, "inputs[" + std::to_string(inputs.size()) + "]");
    const std::string& kind = fields.text("kind");
    if (kind != "real" && kind != "index") fields.fail("kind: expected real or index, received " + kind);
    const bool differentiated = fields.find("differentiated") && fields.flag("differentiated");
    if (differentiated && kind == "index") fields.fail("differentiated: expected false for an input of row numbers");
    inputs.push_back({fields.text("name"), fields.shape("shape"), kind == "index", differentiated});
  }
  if (inputs.empty()) all.fail("inputs: expected at least one");
  return inputs;
}

ParameterPlan decode_parameter(const Fields& fields) {
  ParameterPlan plan;
  const Value* value = fields.find("initializer");
  if (!value) fields.fail("initializer: expected an object");
  const Fields initializer(*value, fields.place() + ": initializer");
  plan.initializer = initializer.text("kind");
  if (plan.initializer == "constant") {
    plan.low = initializer.number("value");
  } else if (plan.initializer == "uniform") {
    plan.low = initializer.number("low"), plan.high = initializer.number("high");
  } else if (plan.initializer == "normal") {
    plan.low = initializer.number("mean"), plan.high = initializer.number("deviation");
  } else if (plan.initializer == "identity") {
    plan.groups = initializer.find("groups") ? initializer.count("groups") : 1;
  } else {
    initializer.fail("kind: expected constant, uniform, normal or identity, received " + plan.initializer);
  }
  plan.l1 = fields.number_within("l1", 0, 0, HUGE_VAL);
  plan.l2 = fields.number_within("l2", 0, 0, HUGE_VAL);
  plan.host_regularizer = fields.find("customRegularizer") && fields.flag("customRegularizer");
  plan.rate_multiplier = fields.number_within("learningRateMultiplier", 1, 0, HUGE_VAL);
  if (fields.find("weightDecay")) plan.weight_decay = fields.number_within("weightDecay", 0, 0, HUGE_VAL);
  plan.max_norm = fields.number_within("maxNorm", 0, 0, HUGE_VAL);
  return plan;
}

void check_identity(const Fields& fields, const ParameterPlan& plan, const ParameterInfo& info) {
  if (plan.initializer != "identity") return;
  if (!info.is_matrix()) fields.fail("initializer: identity: expected a parameter of at least two dimensions");
  if (plan.groups == 0 || info.columns() % plan.groups != 0)
    fields.fail("initializer: groups: expected a divisor of " + std::to_string(info.columns()) + ", received " +
                std::to_string(plan.groups));
}

void decode_parameters(const Fields& all, Plan& plan) {
  for (const Value& value : all.array("parameters")) {
    const Fields fields(value, "parameters[" + std::to_string(plan.infos.size()) + "]");
    ParameterInfo info;
    info.name = fields.text("name");
    info.shape = fields.shape("shape");
    info.size = elements_of(info.shape);
    info.offset = plan.arena_size;
    info.trainable = fields.flag("trainable");
    plan.arena_size += round_up(info.size, 16);
    product(plan.arena_size, sizeof(double));
    plan.infos.push_back(info);
    plan.parameters.push_back(decode_parameter(fields));
    if (plan.parameters.back().max_norm > 0 && !info.is_matrix())
      fields.fail("maxNorm: expected a parameter of at least two dimensions");
    check_identity(fields, plan.parameters.back(), info);
  }
}

// A loss of the host's has { kind: "custom", targets: "labels" or "dense" }.
LossPlan decode_loss(const Value& value) {
  constexpr struct {
    bool labels, dense;
  } traits[] = {
#define LOSS(name, labels, dense, ...) {labels, dense},
#include "losses.def"
#undef LOSS
  };
  const Fields fields(value, "loss");
  if (fields.text("kind") == "custom") {
    const std::string& targets = fields.text("targets");
    if (targets != "labels" && targets != "dense")
      fields.fail("targets: expected labels or dense, received " + targets);
    return {custom_loss, 1, 0, targets == "labels", targets == "dense"};
  }
  const size_t kind = line_of(loss_names(), fields);
  const double smoothing = fields.number_within("smoothing", 0, 0, 1);
  if (smoothing > 0 && !(traits[kind].labels && traits[kind].dense))
    fields.fail("smoothing: expected none of this loss");
  return {kind, fields.number("parameter", 1), smoothing, traits[kind].labels, traits[kind].dense};
}

MuonPlan decode_muon(const Fields& fields) {
  MuonPlan muon;
  muon.momentum = fields.number_within("matrixMomentum", 0, 0, 1);
  muon.rate_multiplier = fields.number_within("adamMultiplier", 1, 0, HUGE_VAL);
  muon.steps = fields.count("orthogonalizationSteps");
  muon.nesterov = fields.flag("nesterov");
  return muon;
}

// Slots that the host's optimizer asks for: they become arenas beside those that there are.
std::vector<std::string> decode_slots(const Fields& fields) {
  std::vector<std::string> slots;
  for (const Value& value : fields.array("slots")) {
    const std::string* name = std::get_if<std::string>(&value.data);
    const bool taken = name && (*name == "parameters" || *name == "gradients" || *name == "average" ||
                                std::find(slots.begin(), slots.end(), *name) != slots.end());
    if (!name || name->empty() || taken) fields.fail("slots: expected names, each once and none of the core's own");
    slots.push_back(*name);
  }
  return slots;
}

OptimizerPlan decode_optimizer(const Value& value) {
  const Fields fields(value, "optimizer");
  OptimizerPlan plan;
  const std::vector<std::string> slots[] = {
#define OPTIMIZER(name, ...) {__VA_ARGS__},
#include "optimizers.def"
#undef OPTIMIZER
  };
  plan.custom = fields.text("kind") == "custom";
  if (fields.text("kind") == "muon") plan.muon = decode_muon(fields);
  plan.kind = plan.custom ? OptimizerKind::sgd
              : plan.muon ? OptimizerKind::adam
                          : OptimizerKind(line_of(optimizer_names(), fields));
  plan.bfloat16 = fields.find("bfloat16") && fields.flag("bfloat16");
  if (plan.bfloat16 && (plan.custom || plan.muon || plan.kind != OptimizerKind::adam))
    fields.fail("bfloat16: expected false for any optimizer but adam");
  plan.slots = plan.custom ? decode_slots(fields) : slots[size_t(plan.kind)];
  plan.momentum = fields.number_within("momentum", 0, 0, 1);
  plan.decay_rate = fields.number_within("decayRate", 0, 0, 1);
  plan.epsilon = fields.number_within("epsilon", 0, 0, HUGE_VAL);
  plan.weight_decay = fields.number_within("weightDecay", 0, 0, HUGE_VAL);
  plan.momentum_decay = fields.number_within("momentumDecay", 0, 0, HUGE_VAL);
  if (fields.find("biasCorrection")) plan.corrects_bias = fields.flag("biasCorrection");
  plan.averages = fields.find("averages") && fields.flag("averages");
  return plan;
}

std::vector<NodePlan> decode_nodes(const Fields& all, size_t inputs) {
  std::vector<NodePlan> nodes;
  for (const Value& value : all.array("nodes")) {
    const std::string place = "nodes[" + std::to_string(nodes.size()) + "]";
    const Fields fields(value, place);
    NodePlan node{fields.text("op"), fields.text("name"), fields.counts("inputs"), value, {}};
    node.place = place + " (" + node.op + " " + node.name + ")";
    for (size_t input : node.inputs)
      if (input >= inputs + nodes.size())
        Fields(value, node.place).fail("inputs: expected numbers of earlier nodes, received " + std::to_string(input));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<MetricPlan> decode_metrics(const Fields& all) {
  std::vector<MetricPlan> metrics;
  if (!all.find("metrics")) return metrics;
  for (const Value& value : all.array("metrics")) {
    const Fields fields(value, "metrics[" + std::to_string(metrics.size()) + "]");
    MetricPlan metric;
    metric.k = fields.find("k") ? fields.count("k") : 1;
    metric.answers = fields.find("answers") && fields.flag("answers");
    if (fields.text("kind") == "custom") {
      metric.kind = custom_metric;
      metric.width = fields.count("width");
      if (metric.width > most_custom_sums) fields.fail("width: expected at most " + std::to_string(most_custom_sums));
    } else {
      metric.kind = line_of(metric_names(), fields);
    }
    metrics.push_back(metric);
  }
  return metrics;
}

}  // namespace

Plan decode(const Value& descriptor) {
  const Fields all(descriptor, "descriptor");
  Plan plan;
  const std::string& dtype = all.text("dtype");
  if (dtype != "float32" && dtype != "float64") all.fail("dtype: expected float32 or float64, received " + dtype);
  plan.precision = dtype == "float32" ? Precision::float32 : Precision::float64;
  plan.seed = all.count("seed");
  if (all.find("initialize")) plan.initializes = all.flag("initialize");
  plan.inputs = decode_inputs(all);
  decode_parameters(all, plan);
  plan.nodes = decode_nodes(all, plan.inputs.size());
  plan.output = all.count("output");
  if (plan.output < plan.inputs.size() || plan.output >= plan.inputs.size() + plan.nodes.size())
    all.fail("output: expected the number of a node that is no input");
  if (const Value* value = all.find("loss")) plan.loss = decode_loss(*value);
  plan.metrics = decode_metrics(all);
  if (const Value* value = all.find("optimizer")) plan.optimizer = decode_optimizer(*value);
  return plan;
}

}  // namespace gradus
