// Descriptors and data for the engine's tests, written briefly.
#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/library_device.h"
#include "engine/program.h"
#include "kernels/kernels.h"
#include "kernels/philox.h"

namespace gradus::test {

inline Value text(const std::string& s) { return {s}; }
inline Value number(double x) { return {x}; }
inline Value object(Value::Object fields) { return {std::move(fields)}; }
inline Value numbers(const std::vector<size_t>& list) {
  Value::Array array;
  for (size_t x : list) array.push_back(number(double(x)));
  return {array};
}

inline const Isa& best_isa() { return *available_isas()[0]; }
// As an environment has one for all its programs.
inline std::shared_ptr<Pool> shared_pool() {
  static const auto pool = std::make_shared<Pool>(8);
  return pool;
}

// A model under construction: each call adds a node and returns its number.
class Model {
 public:
  explicit Model(const std::string& dtype, double seed = 1) : dtype_(dtype), seed_(seed) {}

  size_t input(std::vector<size_t> shape, const std::string& kind = "real") {
    inputs_.push_back(object({{"name", text("x")}, {"shape", numbers(shape)}, {"kind", text(kind)}}));
    return inputs_.size() - 1;
  }
  size_t parameter(const std::string& name, std::vector<size_t> shape, Value::Object more = {}, bool trainable = true) {
    Value::Object initializer{{"kind", text("normal")}, {"mean", number(0)}, {"deviation", number(0.5)}};
    more.insert({"initializer", object(initializer)});
    more["name"] = text(name), more["shape"] = numbers(shape), more["trainable"] = Value{trainable};
    parameters_.push_back(object(more));
    return parameters_.size() - 1;
  }
  size_t node(const std::string& op, const std::vector<size_t>& inputs, Value::Object more = {},
              const std::vector<std::pair<std::string, size_t>>& parameters = {}) {
    Value::Object roles;
    for (const auto& [role, parameter] : parameters) roles[role] = number(double(parameter));
    more["op"] = text(op), more["name"] = text(op + std::to_string(nodes_.size()));
    more["inputs"] = numbers(inputs), more["parameters"] = object(roles);
    nodes_.push_back(object(more));
    return inputs_.size() + nodes_.size() - 1;
  }
  size_t dense(size_t from, size_t in, size_t out, Value::Object more = {}, bool trainable = true) {
    const std::string name = "dense" + std::to_string(nodes_.size());
    const size_t weight = parameter(name + ".weight", {in, out}, more, trainable);
    return node("dense", {from}, {}, {{"weight", weight}, {"bias", parameter(name + ".bias", {out}, {}, trainable)}});
  }
  size_t activation(size_t from, const std::string& kind) { return node("activation", {from}, {{"kind", text(kind)}}); }

  Value::Object loss, optimizer;
  Value::Array metrics;

  Value descriptor() const {
    Value::Object all{{"dtype", text(dtype_)},
                      {"seed", number(seed_)},
                      {"inputs", {inputs_}},
                      {"nodes", {nodes_}},
                      {"parameters", {parameters_}},
                      {"metrics", {metrics}},
                      {"output", number(double(inputs_.size() + nodes_.size() - 1))}};
    if (!loss.empty()) all["loss"] = object(loss);
    if (!optimizer.empty()) all["optimizer"] = object(optimizer);
    return object(all);
  }
  std::shared_ptr<Program> program(const Isa& isa = best_isa()) const {
    return Program::create(descriptor(), isa, shared_pool());
  }
  std::shared_ptr<Program> program(std::shared_ptr<gradus::OpenDevice> device,
                                   std::shared_ptr<Host> host = nullptr) const {
    return Program::create(descriptor(), best_isa(), shared_pool(), std::move(host), std::move(device));
  }

 private:
  std::string dtype_;
  double seed_;
  Value::Array inputs_, nodes_, parameters_;
};

inline Value::Object adam() {
  return {{"kind", text("adam")}, {"momentum", number(0.9)}, {"decayRate", number(0.999)}, {"epsilon", number(1e-8)}};
}
inline Value::Object kind(const std::string& name) { return {{"kind", text(name)}}; }

// Numbers in [-1, 1), the same everywhere.
inline double noise(uint64_t seed, uint64_t index) {
  return philox({seed, 77, 0}, index / 4).words[index % 4] / 2147483648.0 - 1;
}

inline Column column(DataType type, std::vector<size_t> shape) {
  Column column;
  column.name = "column";
  column.type = type;
  column.shape = std::move(shape);
  return column;
}

// Inputs of noise, and labels (classes > 0) or targets of noise in [0, 1).
inline std::shared_ptr<Dataset> noisy_data(size_t rows, size_t in, size_t classes, size_t outputs,
                                           bool weighted = false, uint64_t seed = 3) {
  const Column target = classes ? column(DataType::int32, {}) : column(DataType::float64, {outputs});
  std::vector<Column> weight;
  if (weighted) weight.push_back(column(DataType::float64, {}));
  auto data = std::make_shared<Dataset>(rows, std::vector<Column>{column(DataType::float64, {in})},
                                        std::vector<Column>{target}, weight);
  std::vector<double> x(rows * in), t(rows * outputs), w(rows);
  std::vector<int32_t> labels(rows);
  for (size_t i = 0; i < x.size(); ++i) x[i] = noise(seed, i);
  for (size_t i = 0; i < t.size(); ++i) t[i] = (noise(seed + 1, i) + 1) / 2;
  for (size_t i = 0; i < rows; ++i) labels[i] = int32_t((noise(seed + 2, i) + 1) / 2 * double(classes));
  for (size_t i = 0; i < rows; ++i) w[i] = 1 + noise(seed + 3, i) / 2;
  data->write(Dataset::Role::input, 0, 0, x.data(), x.size());
  if (classes)
    data->write(Dataset::Role::target, 0, 0, labels.data(), rows);
  else
    data->write(Dataset::Role::target, 0, 0, t.data(), t.size());
  if (weighted) data->write(Dataset::Role::weight, 0, 0, w.data(), rows);
  return data;
}

inline TrainCall call_of(std::shared_ptr<Dataset> data, size_t batch_size, size_t batches, size_t threads = 1,
                         double rate = 0.01) {
  TrainCall call;
  call.data = std::move(data);
  call.batch_size = batch_size, call.batches = batches, call.threads = threads;
  call.learning_rates.assign(batches, rate);
  return call;
}

// Inputs of row numbers below 4, five an example, and labels: for model_with(…, "embedding").
inline std::shared_ptr<Dataset> indexed_data() {
  auto data = std::make_shared<Dataset>(6, std::vector<Column>{column(DataType::int32, {5})},
                                        std::vector<Column>{column(DataType::int32, {})}, std::vector<Column>{});
  std::vector<int32_t> indices(30), labels(6);
  for (size_t i = 0; i < 30; ++i) indices[i] = int32_t(i * 7 % 4);
  for (size_t i = 0; i < 6; ++i) labels[i] = int32_t(i % 3);
  data->write(Dataset::Role::input, 0, 0, indices.data(), 30);
  data->write(Dataset::Role::target, 0, 0, labels.data(), 6);
  return data;
}

struct LossCase {
  const char* kind;
  bool labels;
};
constexpr LossCase losses[] = {{"softmax_cross_entropy", true}, {"softmax_cross_entropy", false},
                               {"multiclass_hinge", true},      {"one_vs_all_hinge", true},
                               {"mean_squared_error", false},   {"mean_absolute_error", false},
                               {"binary_cross_entropy", false}, {"huber", false}};
constexpr const char* activations[] = {"identity", "relu", "leaky_relu", "elu",     "gelu",
                                       "silu",     "tanh", "sigmoid",    "softplus"};
constexpr const char* ops[] = {"maxout", "softmax", "dropout", "reshape",  "layer_norm", "batch_norm",
                               "add",    "concat",  "shared",  "residual", "branch"};

// Five numbers, the op or what its name says, and three scores under cross-entropy.
inline Model model_with(const std::string& dtype, const std::string& op) {
  Model model(dtype);
  if (op == "embedding") {
    const size_t table = model.parameter("e.weight", {4, 3});
    const size_t rows = model.node(op, {model.input({5}, "index")}, {}, {{"weight", table}});
    model.dense(model.node("reshape", {rows}, {{"shape", numbers({15})}}), 15, 3);
    model.loss = kind("softmax_cross_entropy");
    return model;
  }
  const size_t x = model.dense(model.input({5}), 5, 6);
  size_t y = x, width = 6;
  const Value::Object epsilon{{"epsilon", number(1e-5)}, {"momentum", number(0.9)}};
  const auto norm = [&](bool running) {
    const Value::Object ones{{"initializer", object({{"kind", text("constant")}, {"value", number(1.5)}})}};
    std::vector<std::pair<std::string, size_t>> roles{{"gain", model.parameter("n.gain", {6})},
                                                      {"bias", model.parameter("n.bias", {6})}};
    if (running) roles.push_back({"mean", model.parameter("n.mean", {6}, {}, false)});
    if (running) roles.push_back({"variance", model.parameter("n.variance", {6}, ones, false)});
    return model.node(op, {x}, epsilon, roles);
  };
  if (op == "maxout") y = model.node(op, {x}, {{"pieces", number(2)}}), width = 3;
  if (op == "softmax") y = model.node(op, {x});
  if (op == "dropout") y = model.node(op, {x}, {{"rate", number(0.4)}});
  if (op == "reshape")
    y = model.node(op, {model.dense(model.node(op, {x}, {{"shape", numbers({2, 3})}}), 3, 3)},
                   {{"shape", numbers({6})}});
  if (op == "layer_norm" || op == "batch_norm") y = norm(op == "batch_norm");
  if (op == "add") y = model.node(op, {x, model.activation(x, "tanh"), x});
  if (op == "concat") y = model.node(op, {x, model.activation(x, "tanh"), x}), width = 18;
  if (op == "residual") y = model.node("add", {model.activation(model.dense(x, 6, 6), "sigmoid"), x});
  if (op == "branch") {  // an activation that a dense layer takes, but not alone
    const size_t h = model.activation(model.dense(x, 6, 6), "tanh");
    y = model.node("add", {model.dense(h, 6, 6), h});
  }
  if (op == "shared") {
    const size_t weight = model.parameter("s.weight", {6, 6}), bias = model.parameter("s.bias", {6});
    for (int i = 0; i < 2; ++i)
      y = model.activation(model.node("dense", {y}, {}, {{"weight", weight}, {"bias", bias}}), "tanh");
  }
  model.dense(model.activation(y, "tanh"), width, 3);
  model.loss = kind("softmax_cross_entropy");
  return model;
}

// The elements of one parameter in one arena.
template <class T>
std::vector<T> elements_of(const Program& program, const std::string& arena, size_t parameter) {
  std::vector<T> elements(program.parameters()[parameter].size);
  program.read(arena, parameter, elements.data());
  return elements;
}
template <class T>
void set_elements(Program& program, const std::string& arena, size_t parameter, const std::vector<T>& elements) {
  program.write(arena, parameter, 0, elements.size(), elements.data());
}

// The bytes of an arena, parameter after parameter.
inline std::vector<uint8_t> bytes_of(Program& program, const std::string& arena) {
  const size_t size = program.precision() == Precision::float32 ? 4 : 8;
  std::vector<uint8_t> bytes;
  for (size_t p = 0; p < program.parameters().size(); ++p) {
    const size_t first = bytes.size();
    bytes.resize(first + program.parameters()[p].size * size);
    program.read(arena, p, bytes.data() + first);
  }
  return bytes;
}

inline std::vector<std::vector<uint8_t>> state_of(Program& program) {
  std::vector<std::vector<uint8_t>> state;
  for (const std::string& arena : program.arenas())
    if (arena != "gradients") state.push_back(bytes_of(program, arena));
  return state;
}

}  // namespace gradus::test
