// float64 gradients of whole programs against central differences of their loss.
#include <algorithm>

#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

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
    const std::vector<double> gradient = elements_of<double>(program, "gradients", p);
    const std::vector<double> w = elements_of<double>(program, "parameters", p);
    for (size_t i = 0; i < info.size; ++i) {
      const auto loss_at = [&](double element) {
        program.write("parameters", p, i, 1, &element);
        return loss();
      };
      const auto slope = [&](double h) {
        const double above = loss_at(w[i] + h), below = loss_at(w[i] - h);
        program.write("parameters", p, i, 1, &w[i]);
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

const std::vector<std::pair<const char*, Value::Object>> regularizers = {
    {"none", {}},
    {"l1", {{"l1", number(0.01)}}},
    {"l2", {{"l2", number(0.1)}}},
    {"elastic", {{"l1", number(0.01)}, {"l2", number(0.1)}}}};

}  // namespace

TEST("gradients of every activation, loss and regularizer") {
  Sample sample(5);
  for (const LossCase& loss : losses)
    for (const char* activation : activations)
      for (const auto& [regularizer, terms] : regularizers) {
        if (!sample.has_next()) continue;
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
    for (const char* op : ops) {
      const Model model = model_with("float64", op);
      check_gradient(model, noisy_data(7, 5, 3, 3), op + std::string(training ? ", training" : ", not training"),
                     training);
    }
}

TEST("gradients of an embedding") { check_gradient(model_with("float64", "embedding"), indexed_data(), "embedding"); }
