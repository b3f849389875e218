// Hessian-vector products against differences of gradients, and the algebra that any Hessian obeys.
#include <algorithm>

#include "engine/host.h"
#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

using Vector = std::vector<double>;

size_t trainable_elements(const Program& program) {
  size_t n = 0;
  for (const ParameterInfo& info : program.parameters()) n += info.trainable ? info.size : 0;
  return n;
}

Vector direction(const Program& program, uint64_t seed) {
  Vector v(trainable_elements(program));
  for (size_t i = 0; i < v.size(); ++i) v[i] = noise(seed, i);
  return v;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double distance(const Vector& a, const Vector& b) {
  Vector difference(a.size());
  for (size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return std::sqrt(dot(difference, difference));
}

Vector gradient_at(Program& program, const GradientCall& call, const Vector& offset, double scale) {
  std::vector<Vector> kept;
  size_t at = 0;
  for (size_t p = 0; p < program.parameters().size(); ++p) {
    const ParameterInfo& info = program.parameters()[p];
    Vector w = elements_of<double>(program, "parameters", p);
    kept.push_back(w);
    for (size_t i = 0; info.trainable && i < info.size; ++i) w[i] += scale * offset[at++];
    set_elements(program, "parameters", p, w);
  }
  program.gradient(call);
  Vector gradient;
  for (size_t p = 0; p < program.parameters().size(); ++p) {
    const ParameterInfo& info = program.parameters()[p];
    const Vector g = elements_of<double>(program, "gradients", p);
    if (info.trainable) gradient.insert(gradient.end(), g.begin(), g.end());
    set_elements(program, "parameters", p, kept[p]);
  }
  return gradient;
}

// Central differences of the gradient, the error of second order taken out (Richardson).
Vector differences(Program& program, const GradientCall& call, const Vector& v) {
  const double h = 1e-4;
  const auto slope = [&](double h) {
    Vector above = gradient_at(program, call, v, h);
    const Vector below = gradient_at(program, call, v, -h);
    for (size_t i = 0; i < above.size(); ++i) above[i] = (above[i] - below[i]) / (2 * h);
    return above;
  };
  Vector narrow = slope(h);
  const Vector wide = slope(2 * h);
  for (size_t i = 0; i < narrow.size(); ++i) narrow[i] = (4 * narrow[i] - wide[i]) / 3;
  return narrow;
}

void check_hessian(const Model& model, std::shared_ptr<Dataset> data, const std::string& what, bool training = true) {
  Scope scope(what);
  const auto program = model.program();
  const GradientCall call{data, training, true, Term::total, 1};
  const auto product = [&](const Vector& v) { return program->hessian_vector({call, v}); };
  const Vector u = direction(*program, 21), v = direction(*program, 22);
  const Vector hu = product(u), hv = product(v), expected = differences(*program, call, v);
  const double size = std::sqrt(dot(expected, expected));
  CHECK(size > 1e-6);
  CHECK_NEAR(distance(hv, expected) / size, 0, 1e-6);
  CHECK_NEAR(dot(u, hv), dot(hu, v), 1e-12 * std::sqrt(dot(u, u) * dot(hv, hv)));
  Vector combined(u.size());
  for (size_t i = 0; i < u.size(); ++i) combined[i] = 2 * u[i] - 3 * v[i];
  Vector sum(u.size());
  for (size_t i = 0; i < u.size(); ++i) sum[i] = 2 * hu[i] - 3 * hv[i];
  CHECK_NEAR(distance(product(combined), sum), 0, 1e-12 * std::sqrt(dot(sum, sum)) + 1e-15);
}

Model with_activation(const std::string& dtype, const LossCase& loss, const char* activation) {
  Model model(dtype);
  const Value::Object terms{{"l1", number(0.01)}, {"l2", number(0.1)}};
  const size_t hidden = model.activation(model.dense(model.input({5}), 5, 4, terms), activation);
  model.dense(model.activation(model.dense(hidden, 4, 4), activation), 4, 3, terms);
  model.loss = kind(loss.kind);
  return model;
}

// A host that doubles what an op is given.
class Twice final : public Host {
 public:
  void run(HostCall& call) override {
    const double* from = static_cast<const double*>(call.inputs[0].data);
    double* to = static_cast<double*>(call.outputs[0].data);
    for (size_t i = 0; to && i < call.outputs[0].size; ++i) to[i] = 2 * from[i];
  }
};

std::string code_of(Program& program, std::shared_ptr<Dataset> data, const Vector& v) {
  try {
    program.hessian_vector({{std::move(data), true, true, Term::total, 1}, v});
  } catch (const Error& error) {
    return error.code + std::string(": ") + error.what();
  }
  return "none";
}

}  // namespace

TEST("Hessians of every activation under every loss, with weights of examples and regularizers") {
  for (const LossCase& loss : losses)
    for (const char* activation : activations)
      check_hessian(with_activation("float64", loss, activation), noisy_data(7, 5, loss.labels ? 3 : 0, 3, true),
                    std::string(loss.kind) + ", " + activation);
}

TEST("Hessians of every op, in training and outside") {
  for (bool training : {true, false}) {
    for (const char* op : ops)
      check_hessian(model_with("float64", op), noisy_data(7, 5, 3, 3, true),
                    op + std::string(training ? ", training" : ", not training"), training);
    check_hessian(model_with("float64", "embedding"), indexed_data(), "embedding", training);
  }
}

TEST("the terms of a Hessian: the data's and l2, which add up") {
  const auto program = with_activation("float64", losses[0], "tanh").program();
  const auto data = noisy_data(7, 5, 3, 3);
  const Vector v = direction(*program, 5);
  const auto of = [&](Term term) { return program->hessian_vector({{data, true, true, term, 1}, v}); };
  const Vector total = of(Term::total), alone = of(Term::regularization);
  Vector sum = of(Term::data), expected(v.size());
  for (size_t i = 0; i < v.size(); ++i) sum[i] += alone[i];
  for (size_t i = 0; i < v.size(); ++i) expected[i] = i < 20 || (i >= 44 && i < 56) ? 0.1 * v[i] : 0;
  CHECK_NEAR(distance(total, sum), 0, 1e-14);
  CHECK_NEAR(distance(alone, expected), 0, 1e-15);
}

TEST("float32 Hessians are those of float64 rounded, for any number of threads and beside frozen layers") {
  for (const char* op : ops) {
    Scope scope(op);
    const auto single = model_with("float32", op).program(), exact = model_with("float64", op).program();
    for (size_t p = 0; p < exact->parameters().size(); ++p) {
      const std::vector<float> w = elements_of<float>(*single, "parameters", p);
      set_elements(*exact, "parameters", p, Vector(w.begin(), w.end()));
    }
    const auto data = noisy_data(7, 5, 3, 3);
    const Vector v = direction(*single, 5);
    const auto of = [&](Program& program, size_t threads) {  // the masks of dropout differ by type
      return program.hessian_vector({{data, true, false, Term::total, threads}, v});
    };
    const Vector rounded = of(*single, 1), expected = of(*exact, 1);
    CHECK_NEAR(distance(rounded, expected), 0, 2e-5 * std::sqrt(dot(expected, expected)));
    CHECK(rounded == of(*single, 3));
  }
  Model model("float64");
  const size_t hidden = model.activation(model.dense(model.input({5}), 5, 4, {}, false), "tanh");
  model.dense(model.activation(model.dense(hidden, 4, 4), "gelu"), 4, 3);
  model.loss = kind("softmax_cross_entropy");
  check_hessian(model, noisy_data(7, 5, 3, 3), "frozen");
}

TEST("a Hessian-vector product leaves weights, gradients and later training as they were") {
  const auto data = noisy_data(9, 5, 3, 3);
  const auto trained = [&](bool looks) {
    Model model = model_with("float32", "batch_norm");
    model.optimizer = adam();
    const auto program = model.program();
    for (int i = 0; i < 3; ++i) {
      if (looks) program->hessian_vector({{data, true, true, Term::total, 1}, direction(*program, 5)});
      program->train(call_of(data, 4, 2));
    }
    return state_of(*program);
  };
  CHECK(trained(false) == trained(true));
}

TEST("what has no second derivative says so, and vectors of another length are refused") {
  const auto data = noisy_data(4, 5, 0, 3);
  for (const char* what : {"op", "loss", "regularizer"}) {
    Scope scope(what);
    const bool of_op = what == std::string("op");
    Model model("float64");
    Value::Object more;
    if (what == std::string("regularizer")) more["customRegularizer"] = Value{true};
    size_t y = model.dense(model.input({5}), 5, 3, more);
    if (of_op) y = model.node("custom", {y}, {{"shape", numbers({3})}, {"operands", numbers({})}});
    model.loss = kind("mean_squared_error");
    if (what == std::string("loss")) model.loss = {{"kind", text("custom")}, {"targets", text("dense")}};
    const auto program =
        Program::create(model.descriptor(), test::best_isa(), test::shared_pool(), std::make_shared<Twice>());
    CHECK_EQ(code_of(*program, data, Vector(18)).substr(0, 27), std::string("GRADUS_NO_SECOND_DERIVATIVE"));
    CHECK_EQ(code_of(*program, data, Vector(17)).substr(0, 23), std::string("GRADUS_INVALID_ARGUMENT"));
  }
}
