// float64 gradients of whole programs against central differences of their loss.
#include <algorithm>

#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

double* values(Program& program, const char* arena, size_t parameter) {
  return static_cast<double*>(program.slice(arena, parameter));
}

// The largest relative error over all trainable elements. Differences at two widths whose results disagree lie at a
// kink and are left out; there must be few.
double largest_error(Program& program, std::shared_ptr<Dataset> data, bool training, bool regularization,
                     size_t& kinks) {
  double largest = 0;
  const auto loss = [&] {
    const EvaluateResult result =
        program.gradient({data, training, true, regularization ? Term::total : Term::data, 1});
    return result.loss + (regularization ? result.regularization_loss : 0);
  };
  for (size_t p = 0; p < program.parameters().size(); ++p) {
    const ParameterInfo& info = program.parameters()[p];
    if (!info.trainable) continue;
    loss();  // fills the gradients
    const std::vector<double> gradient(values(program, "gradients", p), values(program, "gradients", p) + info.size);
    double* w = values(program, "parameters", p);
    for (size_t i = 0; i < info.size; ++i) {
      const double kept = w[i];
      const auto slope = [&](double h) {
        w[i] = kept + h;
        const double above = loss();
        w[i] = kept - h;
        const double below = loss();
        w[i] = kept;
        return (above - below) / (2 * h);
      };
      const double wide = slope(2e-5), narrow = slope(1e-5);
      const double scale = std::max({std::fabs(gradient[i]), std::fabs(narrow), 1e-3});
      if (std::fabs(wide - narrow) / scale > 1e-6) {
        ++kinks;
        continue;
      }
      largest = std::max(largest, std::fabs(narrow - gradient[i]) / scale);
    }
  }
  return largest;
}

void check_gradient(const Model& model, std::shared_ptr<Dataset> data, const std::string& what, bool training = true) {
  Scope scope(what);
  const auto program = model.program();
  size_t kinks = 0, elements = 0;
  for (const ParameterInfo& info : program->parameters()) elements += info.size;
  const double error = largest_error(*program, data, training, true, kinks);
  CHECK_NEAR(error, 0, 1e-6);
  CHECK(kinks * 10 <= elements);
}

struct LossCase {
  const char* kind;
  bool labels;
};
constexpr LossCase losses[] = {{"softmax_cross_entropy", true},
                               {"softmax_cross_entropy", false},
                               {"multiclass_hinge", true},
                               {"one_vs_all_hinge", true},
                               {"mean_squared_error", false},
                               {"binary_cross_entropy", false},
                               {"huber", false}};
constexpr const char* activations[] = {"identity", "relu", "leaky_relu", "elu",     "gelu",
                                       "silu",     "tanh", "sigmoid",    "softplus"};
const std::vector<std::pair<const char*, Value::Object>> regularizers = {
    {"none", {}},
    {"l1", {{"l1", number(0.01)}}},
    {"l2", {{"l2", number(0.1)}}},
    {"elastic", {{"l1", number(0.01)}, {"l2", number(0.1)}}}};

}  // namespace

TEST("gradients of every activation, loss and regularizer") {
  for (const LossCase& loss : losses)
    for (const char* activation : activations)
      for (const auto& [regularizer, terms] : regularizers) {
        Model model("float64");
        const size_t hidden = model.activation(model.dense(model.input({5}), 5, 4, terms), activation);
        model.dense(model.activation(model.dense(hidden, 4, 4, terms), activation), 4, 3, terms);
        model.loss = kind(loss.kind);
        const auto data = noisy_data(7, 5, loss.labels ? 3 : 0, 3, true);
        check_gradient(model, data, std::string(loss.kind) + ", " + activation + ", " + regularizer);
      }
}

TEST("gradients of every op, in training and outside") {
  for (bool training : {true, false})
    for (const std::string op : {"maxout", "softmax", "dropout", "reshape", "layer_norm", "batch_norm", "add", "concat",
                                 "shared", "residual", "branch"}) {
      Model model("float64");
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
      check_gradient(model, noisy_data(7, 5, 3, 3), op + (training ? ", training" : ", not training"), training);
    }
}

TEST("gradients of an embedding") {
  Model model("float64");
  const size_t table = model.parameter("e.weight", {4, 3});
  const size_t rows = model.node("embedding", {model.input({5}, "index")}, {}, {{"weight", table}});
  model.dense(model.node("reshape", {rows}, {{"shape", numbers({15})}}), 15, 3);
  model.loss = kind("softmax_cross_entropy");
  const auto dataset =
      std::make_shared<Dataset>(6, std::vector<Column>{column(DataType::int32, {5})},
                                std::vector<Column>{column(DataType::int32, {})}, std::vector<Column>{});
  Dataset& data = *dataset;
  std::vector<int32_t> indices(30), labels(6);
  for (size_t i = 0; i < 30; ++i) indices[i] = int32_t(i * 7 % 4);
  for (size_t i = 0; i < 6; ++i) labels[i] = int32_t(i % 3);
  data.write(Dataset::Role::input, 0, 0, indices.data(), 30);
  data.write(Dataset::Role::target, 0, 0, labels.data(), 6);
  check_gradient(model, dataset, "embedding");
}
