// A net of dense layers with relu between them, as the benches train it: the engine's parts and nothing of JavaScript.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../../test/native/engine_models.h"
#include "engine/cpu_device.h"
#include "engine/train.h"

namespace bench {

using namespace gradus;
using Widths = std::vector<size_t>;

// "784,256,10"
inline Widths widths_of(const char* text) {
  Widths widths;
  for (char* end = nullptr; *text; text = *end == ',' ? end + 1 : end) widths.push_back(std::strtoull(text, &end, 10));
  return widths;
}

// He's initial weights, so that values are of one size however deep the net is. The optimizer is adam or nesterov.
inline std::shared_ptr<const Plan> plan_of(const Widths& widths, const std::string& optimizer) {
  using namespace gradus::test;
  gradus::test::Model model("float32");
  size_t node = model.input({widths[0]});
  for (size_t layer = 1; layer < widths.size(); ++layer) {
    const Value::Object normal{{"kind", text("normal")},
                               {"mean", number(0)},
                               {"deviation", number(std::sqrt(2.0 / double(widths[layer - 1])))}};
    node = model.dense(node, widths[layer - 1], widths[layer], {{"initializer", object(normal)}});
    if (layer + 1 < widths.size()) node = model.activation(node, "relu");
  }
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = optimizer == "adam" ? adam() : kind(optimizer);
  model.optimizer["momentum"] = number(0.9);
  return std::make_shared<const Plan>(decode(model.descriptor()));
}

// Labels, the same each time, beside inputs that are still to be written.
inline std::shared_ptr<Dataset> labels_for(Column inputs, size_t classes, size_t rows, std::minstd_rand& random) {
  auto data = std::make_shared<Dataset>(rows, std::vector<Column>{std::move(inputs)},
                                        std::vector<Column>{test::column(DataType::int32, {})}, std::vector<Column>{});
  std::vector<int32_t> labels(rows);
  for (int32_t& label : labels) label = int32_t(random() % classes);
  data->write(Dataset::Role::target, 0, 0, labels.data(), rows);
  return data;
}

// Inputs in [-1, 1) and labels, the same each time.
inline std::shared_ptr<Dataset> data_for(const std::vector<size_t>& input, size_t classes, size_t rows) {
  std::minstd_rand random(1);
  std::vector<float> inputs(rows * elements_of(input));
  for (float& input : inputs) input = float(random() % 2000000) * 1e-6f - 1;
  const auto data = labels_for(test::column(DataType::float32, input), classes, rows, random);
  data->write(Dataset::Role::input, 0, 0, inputs.data(), inputs.size());
  return data;
}

// The same as bytes.
inline std::shared_ptr<Dataset> image_bytes_for(const std::vector<size_t>& shape, size_t classes, size_t rows) {
  std::minstd_rand random(1);
  Column column = test::column(DataType::uint8, shape);
  column.scale = 2.0 / 255, column.offset = -1;
  std::vector<uint8_t> bytes(rows * elements_of(shape));
  for (uint8_t& byte : bytes) byte = uint8_t(random() >> 8);
  const auto data = labels_for(std::move(column), classes, rows, random);
  data->write(Dataset::Role::input, 0, 0, bytes.data(), bytes.size());
  return data;
}

// Steps of one call over resident rows, each of a batch of its own.
inline TrainCall call_for(const std::vector<size_t>& input, size_t classes, size_t batch, size_t batches) {
  TrainCall call;
  call.data = data_for(input, classes, batch * batches);
  call.shuffle = false;
  call.batch_size = batch, call.batches = batches;
  call.learning_rates.assign(batches, 1e-4);
  call.tensor_statistics = true;
  return call;
}

inline TrainCall call_for(const Widths& widths, size_t batch, size_t batches) {
  return call_for({widths[0]}, widths.back(), batch, batches);
}

// Four megabytes of rows: more than what the nearest caches hold.
inline size_t batches_for(const std::vector<size_t>& input, size_t batch) {
  return std::clamp<size_t>((size_t(1) << 20) / (batch * elements_of(input)), 4, 500);
}

struct Net {
  Net(std::shared_ptr<const Plan> plan, const Isa& isa, size_t threads)
      : model(std::move(plan)),
        share(pool, threads),
        device(isa, share),
        state(model, device),
        optimizer(model.plan(), isa),
        inspection(model) {}

  Context<float> context(const Device<float>& on) { return {model, state, workspace, on, nullptr}; }
  void train(const TrainCall& call, const Device<float>& on) {
    gradus::train(context(on), optimizer, inspection, call, stop, result);
    for (uint8_t refused : result.refused)
      if (refused) std::exit(3);
    if (result.updates != call.batches) std::exit(4);
  }

  const Model<float> model;
  Pool pool;
  const Pool::Share share;
  const CpuDevice<float> device;
  State<float> state;
  Workspace<float> workspace;
  const Optimizer<float> optimizer;
  const Inspection<float> inspection;
  const std::atomic<bool> stop{false};
  TrainResult result;
};

}  // namespace bench
