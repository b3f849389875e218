// A network for images as bench/convnet/nets.json writes it, "28x28x1: conv 16 5, relu, pool 2, …, dense 10", as a plan
// of the engine's.
#pragma once
#include <cmath>
#include <sstream>

#include "net.h"

namespace bench {

class LayersReader {
 public:
  LayersReader(const std::string& text, const std::string& optimizer) : model_("float32") {
    const size_t colon = text.find(':');
    std::stringstream sides(text.substr(0, colon)), layers(text.substr(colon + 1));
    for (std::string side; std::getline(sides, side, 'x');) input.push_back(std::strtoull(side.c_str(), nullptr, 10));
    shape_ = input, node_ = model_.input(input);
    for (std::string layer; std::getline(layers, layer, ',');) add(layer);
    model_.loss = test::kind("softmax_cross_entropy");
    model_.optimizer = optimizer == "adam" ? test::adam() : test::kind(optimizer);
    model_.optimizer["momentum"] = test::number(0.9);
  }
  std::shared_ptr<const Plan> plan() const { return std::make_shared<const Plan>(decode(model_.descriptor())); }
  size_t classes() const { return shape_.back(); }

  std::vector<size_t> input;

 private:
  using Object = Value::Object;

  void add(const std::string& layer) {
    std::stringstream words(layer);
    std::string name, option;
    size_t first = 0, second = 0;
    words >> name >> first >> second, words.clear(), words >> option;
    if (name == "conv") add_convolution(first, second, option);
    if (name == "norm") add_norm(layer.find("plain") == std::string::npos);
    if (name == "relu" || name == "gelu") node_ = model_.activation(node_, name);
    if (name == "pool") add_pool("max_pool", first, first);
    if (name == "average") add_pool("average_pool", shape_[0], shape_[1]), reshape({shape_[2]});
    if (name == "flatten") reshape({shape_[0] * shape_[1] * shape_[2]});
    if (name == "dense") {
      node_ = model_.dense(node_, shape_[0], first, he(shape_[0]));
      shape_ = {first};
    }
  }
  // He's initial weights for so many terms.
  static Object he(size_t terms) {
    return {{"initializer", test::object({{"kind", test::text("normal")},
                                          {"mean", test::number(0)},
                                          {"deviation", test::number(std::sqrt(2.0 / double(terms)))}})}};
  }
  static Object constant(double value) {
    return {{"initializer", test::object({{"kind", test::text("constant")}, {"value", test::number(value)}})}};
  }
  size_t parameter(const char* role, std::vector<size_t> shape, Object more, bool trainable = true) {
    return model_.parameter(role + std::to_string(parameters_++), std::move(shape), std::move(more), trainable);
  }

  void add_convolution(size_t filters, size_t kernel, const std::string& option) {
    const size_t before = option == "valid" ? 0 : (kernel - 1) / 2, after = option == "valid" ? 0 : kernel / 2;
    std::vector<std::pair<std::string, size_t>> roles{
        {"weight", parameter("weight", {kernel, kernel, shape_[2], filters}, he(kernel * kernel * shape_[2]))}};
    if (option != "plain") roles.push_back({"bias", parameter("bias", {filters}, constant(0))});
    node_ = model_.node("convolution", {node_},
                        {{"stride", test::numbers({1, 1})},
                         {"padding", test::numbers({before, after, before, after})},
                         {"dilation", test::numbers({1, 1})},
                         {"groups", test::number(1)}},
                        roles);
    for (size_t i : {0, 1}) shape_[i] = shape_[i] + before + after - kernel + 1;
    shape_[2] = filters;
  }
  void add_norm(bool with_gain) {
    const std::vector<size_t> channels{shape_.back()};
    std::vector<std::pair<std::string, size_t>> roles{
        {"bias", parameter("bias", channels, constant(0))},
        {"mean", parameter("mean", channels, constant(0), false)},
        {"variance", parameter("variance", channels, constant(1), false)}};
    if (with_gain) roles.push_back({"gain", parameter("gain", channels, constant(1))});
    node_ =
        model_.node("batch_norm", {node_}, {{"epsilon", test::number(1e-5)}, {"momentum", test::number(0.9)}}, roles);
  }
  void add_pool(const std::string& op, size_t height, size_t width) {
    Object windows{{"kernel", test::numbers({height, width})},
                   {"stride", test::numbers({height, width})},
                   {"padding", test::numbers({0, 0, 0, 0})}};
    if (op == "average_pool") windows["countPadding"] = Value{false};
    node_ = model_.node(op, {node_}, windows);
    shape_[0] /= height, shape_[1] /= width;
  }
  void reshape(std::vector<size_t> shape) {
    node_ = model_.node("reshape", {node_}, {{"shape", test::numbers(shape)}});
    shape_ = std::move(shape);
  }

  test::Model model_;
  std::vector<size_t> shape_;
  size_t node_ = 0, parameters_ = 0;
};

}  // namespace bench
