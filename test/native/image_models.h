// Networks for images, of every op that only they have.
#pragma once
#include "engine_models.h"

namespace gradus::test {

// Examples of 72 numbers, 5 classes.
inline Model imaged(const std::string& dtype) {
  Model model(dtype, 12345);
  const auto windows = [](std::vector<size_t> stride, std::vector<size_t> padding) {
    return Value::Object{{"stride", numbers(stride)}, {"padding", numbers(padding)}};
  };
  const auto pool = [&](const std::string& op, size_t from, std::vector<size_t> kernel, Value::Object more) {
    more["kernel"] = numbers(kernel);
    if (op == "average_pool") more["countPadding"] = Value{false};
    return model.node(op, {from}, more);
  };
  const auto convolution = [&](const std::string& name, size_t from, std::vector<size_t> weights, size_t outputs,
                               Value::Object more) {
    more["dilation"] = numbers({1, 1}), more["groups"] = number(1);
    return model.node(
        "convolution", {from}, more,
        {{"weight", model.parameter(name + ".weight", weights)}, {"bias", model.parameter(name + ".bias", {outputs})}});
  };
  const Value::Object ones{{"initializer", object({{"kind", text("constant")}, {"value", number(1)}})}};
  const auto norm = [&](const std::string& op, size_t from, size_t channels, Value::Object more, bool running) {
    more["epsilon"] = number(1e-5);
    std::vector<std::pair<std::string, size_t>> roles{{"gain", model.parameter(op + ".gain", {channels}, ones)},
                                                      {"bias", model.parameter(op + ".bias", {channels})}};
    if (running) roles.push_back({"mean", model.parameter(op + ".mean", {channels}, {}, false)});
    if (running) roles.push_back({"variance", model.parameter(op + ".variance", {channels}, ones, false)});
    return model.node(op, {from}, more, roles);
  };
  size_t at = model.node("reshape", {model.input({72})}, {{"shape", numbers({6, 6, 2})}});
  at = convolution("a", at, {3, 3, 2, 6}, 6, windows({1, 1}, {1, 1, 1, 1}));
  at = model.activation(norm("batch_norm", at, 6, {{"momentum", number(0.9)}}, true), "relu");
  at = pool("max_pool", at, {3, 3}, windows({2, 2}, {1, 1, 1, 1}));
  Value::Object transposed = windows({2, 2}, {0, 0, 0, 0});
  transposed["outputPadding"] = numbers({1, 0});
  at = model.activation(convolution("b", at, {2, 3, 4, 6}, 4, transposed), "tanh");
  at = norm("group_norm", at, 4, {{"groups", number(2)}}, false);
  at = model.node("spatial_dropout", {at}, {{"rate", number(0.25)}});
  at = model.node("frame", {at}, {{"added", numbers({1, 0, 0, 2})}, {"taken", numbers({0, 1, 1, 0})}});
  at = model.node("upsample", {at}, {{"factor", numbers({2, 1})}, {"bilinear", Value{true}}});
  at = pool("average_pool", at, {4, 4}, windows({4, 4}, {0, 0, 0, 0}));
  const size_t elements = 3 * 2 * 4;
  model.dense(model.node("reshape", {at}, {{"shape", numbers({elements})}}), elements, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = {{"kind", text("nesterov")}, {"momentum", number(0.9)}};
  return model;
}

}  // namespace gradus::test
