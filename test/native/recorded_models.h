// The networks whose bits are recorded, and what becomes of them: the same on every instruction set, number of threads
// and device.
#pragma once
#include <array>
#include <map>

#include "engine_models.h"

namespace gradus::test {

// 64-bit FNV-1a.
inline uint64_t hash(const std::vector<uint8_t>& bytes) {
  uint64_t hash = 14695981039346656037u;
  for (uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

inline Model classifier(const std::string& dtype, size_t hidden = 40, double rate = 0.25) {
  Model model(dtype, 12345);
  const size_t first = model.activation(model.dense(model.input({20}), 20, hidden, {{"l2", number(1e-3)}}), "relu");
  const size_t dropped = model.node("dropout", {first}, {{"rate", number(rate)}});
  model.dense(model.activation(model.dense(dropped, hidden, hidden), "tanh"), hidden, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  model.metrics = {object(kind("accuracy")), object(kind("confusion_matrix"))};
  return model;
}

// Both norms between dense layers, with all that changes from step to step and more blocks of rows than one.
inline Model normed(const std::string& dtype) {
  Model model(dtype, 12345);
  const auto norm = [&](const std::string& op, size_t from, size_t width, bool running) {
    const Value::Object ones{{"initializer", object({{"kind", text("constant")}, {"value", number(1)}})}};
    std::vector<std::pair<std::string, size_t>> roles{{"gain", model.parameter(op + ".gain", {width}, ones)},
                                                      {"bias", model.parameter(op + ".bias", {width})}};
    if (running) roles.push_back({"mean", model.parameter(op + ".mean", {width}, {}, false)});
    if (running) roles.push_back({"variance", model.parameter(op + ".variance", {width}, ones, false)});
    return model.node(op, {from}, {{"epsilon", number(1e-5)}, {"momentum", number(0.9)}}, roles);
  };
  const size_t first = model.activation(norm("batch_norm", model.dense(model.input({20}), 20, 300), 300, true), "relu");
  const size_t second = model.activation(norm("layer_norm", model.dense(first, 300, 37), 37, false), "tanh");
  model.dense(second, 37, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = {{"kind", text("nesterov")}, {"momentum", number(0.9)}, {"averages", {true}}};
  return model;
}

// 150 examples of seven row numbers below 90.
inline Model embedded(const std::string& dtype) {
  Model model(dtype, 12345);
  const size_t table = model.parameter("e.weight", {90, 19});
  const size_t rows = model.node("embedding", {model.input({7}, "index")}, {}, {{"weight", table}});
  model.dense(model.node("reshape", {rows}, {{"shape", numbers({133})}}), 133, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  return model;
}
inline std::shared_ptr<Dataset> words() {
  auto data = std::make_shared<Dataset>(150, std::vector<Column>{column(DataType::int32, {7})},
                                        std::vector<Column>{column(DataType::int32, {})}, std::vector<Column>{});
  std::vector<int32_t> indices(150 * 7), labels(150);
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = int32_t((noise(8, i) + 1) * 45);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = int32_t(i % 5);
  data->write(Dataset::Role::input, 0, 0, indices.data(), indices.size());
  data->write(Dataset::Role::target, 0, 0, labels.data(), labels.size());
  return data;
}

// Of all that a program keeps, after so many steps of all rows at once with clipped gradients and a rising momentum.
inline uint64_t state_after(Program& program, std::shared_ptr<Dataset> data, size_t threads = 1, size_t steps = 100) {
  const size_t rows = data->size();
  for (size_t step = 0; step < steps; ++step) {
    TrainCall call = call_of(data, rows, 1, threads);
    call.epoch = step;
    call.clip_norm = 0.5;
    call.momenta = {0.5 + 0.4 * double(step) / 100};
    if (program.arenas().back() == "average") call.average_decays = {0.99};
    program.train(call);
  }
  std::vector<uint8_t> bytes;
  for (const std::vector<uint8_t>& arena : state_of(program)) bytes.insert(bytes.end(), arena.begin(), arena.end());
  return hash(bytes);
}

// The parameters after so many steps of batches of noise.
inline std::vector<uint8_t> weights_after(Program& program, size_t rows, size_t batch, size_t steps, size_t threads = 1,
                                          size_t ahead = 0) {
  const auto data = noisy_data(rows, 20, 5, 5, true);
  for (uint64_t epoch = 0; program.step() < steps; ++epoch) {
    TrainCall call = call_of(data, batch, steps - program.step(), threads);
    call.epoch = epoch, call.ahead = ahead;
    program.train(call);
  }
  return bytes_of(program, "parameters");
}

// By type: of weights_after() 100 steps of the classifier in batches of 32 of 150 rows.
inline const std::map<std::string, uint64_t> recorded_classifier = {{"float32", 15768102359257711138u},
                                                                    {"float64", 10512648048655188868u}};
// Of state_after() with the norms, and with the embedding.
inline const std::map<std::string, std::array<uint64_t, 2>> recorded_states = {
    {"float32", {16961025607371919153u, 17796942832440369509u}},
    {"float64", {17375667670972762466u, 7426071810564914491u}}};

}  // namespace gradus::test
