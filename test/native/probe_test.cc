// Losses at points near the weights, and the fingerprints that tell of kinks on the way there.
#include <algorithm>

#include "engine/host.h"
#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

double loss_of(Program& program, std::shared_ptr<Dataset> data) {
  return program.gradient({data, true, true, Term::data, 1}).loss;
}

struct Kinked {
  const char* name;
  const char* activation;
  const char* loss;
  Value::Object terms;
};
// The functions of one weight are made of straight lines, so a second difference is 0 unless it crosses a kink.
const std::vector<Kinked> kinked = {{"relu", "relu", "linear", {}},
                                    {"leaky relu", "leaky_relu", "linear", {}},
                                    {"maxout", "maxout", "linear", {}},
                                    {"multiclass hinge", "identity", "multiclass_hinge", {}},
                                    {"one-vs-all hinge", "identity", "one_vs_all_hinge", {}},
                                    {"l1", "identity", "linear", {{"l1", number(0.1)}}}};

// A loss that is linear in the scores: the host's.
class Linear final : public Host {
 public:
  void run(HostCall& call) override {
    const double* scores = static_cast<const double*>(call.inputs[0].data);
    const size_t columns = call.inputs[0].size / call.batch;
    double* out = static_cast<double*>(call.outputs[0].data);
    for (size_t i = 0; i < call.batch; ++i) {
      if (call.kind == HostCall::Kind::loss) out[i] = 0;
      for (size_t j = 0; j < columns; ++j) {
        const double slope = noise(9, i * columns + j);
        if (call.kind == HostCall::Kind::loss)
          out[i] += slope * scores[i * columns + j];
        else
          out[i * columns + j] = slope;
      }
    }
  }
};

std::shared_ptr<Program> program_of(const Kinked& kind) {
  Model model("float64");
  const size_t z = model.dense(model.input({5}), 5, 6, kind.terms);
  const std::string activation = kind.activation;
  if (activation == "maxout")
    model.dense(model.node("maxout", {z}, {{"pieces", number(2)}}), 3, 3);
  else
    model.dense(model.activation(z, activation), 6, 3);
  model.loss = test::kind(kind.loss);
  if (std::string(kind.loss) == "linear") model.loss = {{"kind", text("custom")}, {"targets", text("labels")}};
  return Program::create(model.descriptor(), test::best_isa(), test::shared_pool(), std::make_shared<Linear>());
}

}  // namespace

TEST("a probe gives the losses of the moved weights, in any order, and leaves the weights as they were") {
  for (const char* op : {"relu", "tanh"})
    for (size_t threads : {1, 3}) {
      Model model("float64");
      size_t x = model.input({5});
      for (size_t in : {5, 7, 7}) x = model.activation(model.dense(x, in, 7, {{"l2", number(0.3)}}), op);
      const size_t skip = model.node("add", {x, model.activation(model.dense(x, 7, 7), op)});
      model.dense(skip, 7, 3);
      model.loss = kind("softmax_cross_entropy");
      const auto program = model.program(), other = model.program();
      const auto data = noisy_data(9, 5, 3, 3, true);
      ProbeCall call;
      call.data = data, call.training = true, call.threads = threads;
      for (size_t i = 0; i < 40; ++i) {
        const size_t parameter = size_t(std::fabs(noise(5, i)) * double(program->parameters().size()));
        const size_t element = size_t(std::fabs(noise(6, i)) * double(program->parameters()[parameter].size));
        call.points.push_back({parameter, element, noise(7, i)});
      }
      const auto before = state_of(*program);
      const ProbeResult result = program->probe(call);
      CHECK(state_of(*program) == before);
      const EvaluateResult base = other->gradient({data, true, true, Term::data, threads});
      CHECK_EQ(result.base_loss, base.loss);
      CHECK_EQ(result.base_regularization_loss, base.regularization_loss);
      for (size_t i = 0; i < call.points.size(); ++i) {
        const auto& [tensor, element, offset] = call.points[i];
        const double kept = elements_of<double>(*other, "parameters", tensor)[element], there = kept + offset;
        other->write("parameters", tensor, element, 1, &there);
        const EvaluateResult moved = other->gradient({data, true, true, Term::data, threads});
        other->write("parameters", tensor, element, 1, &kept);
        CHECK_EQ(result.loss[i], moved.loss);
        CHECK_NEAR(result.penalty_change[i], moved.regularization_loss - base.regularization_loss, 1e-13);
      }
    }
}

TEST("a probe along a direction moves the whole tensor; along an input, the examples") {
  Model model("float64");
  const size_t x = model.input({5});
  model.dense(model.activation(model.dense(x, 5, 6, {{"l1", number(0.1)}}), "tanh"), 6, 3);
  model.loss = kind("softmax_cross_entropy");
  const auto program = model.program();
  const auto data = noisy_data(4, 5, 3, 3);
  ProbeCall call;
  call.data = data, call.training = true;
  call.points = {{0, 0, 0.5}};
  for (size_t i = 0; i < 30; ++i) call.direction.push_back(noise(8, i));
  const double along = program->probe(call).loss[0];
  const std::vector<double> kept = elements_of<double>(*program, "parameters", 0);
  std::vector<double> w = kept;
  for (size_t i = 0; i < 30; ++i) w[i] += 0.5 * call.direction[i];
  set_elements(*program, "parameters", 0, w);
  CHECK_EQ(loss_of(*program, data), along);
  set_elements(*program, "parameters", 0, kept);

  call.direction.clear();
  call.points = {{4, 7, 0.25}};
  const double moved = program->probe(call).loss[0];
  const auto changed = noisy_data(4, 5, 3, 3);
  const double value = noise(3, 7) + 0.25;
  changed->write(Dataset::Role::input, 0, 7, &value, 1);
  CHECK_EQ(loss_of(*program, changed), moved);
}

TEST("fingerprints differ where a kink is crossed, and nowhere else") {
  for (const Kinked& kind : kinked) {
    Scope scope(kind.name);
    const auto program = program_of(kind);
    ProbeCall call;
    call.data = noisy_data(9, 5, 3, 3), call.training = true;
    constexpr double h = 0.1;
    for (size_t p = 0; p < program->parameters().size(); ++p)
      for (size_t i = 0; i < program->parameters()[p].size; ++i)
        for (double offset : {h, -h}) call.points.push_back({p, i, offset});
    const ProbeResult result = program->probe(call);
    size_t crossed = 0, bent = 0;
    for (size_t i = 0; i < call.points.size(); i += 2) {
      const double bend = result.loss[i] + result.penalty_change[i] + result.loss[i + 1] +
                          result.penalty_change[i + 1] - 2 * result.base_loss;
      if (result.flipped[i] != no_flip || result.flipped[i + 1] != no_flip) {
        ++crossed;
        bent += std::fabs(bend) > 1e-12;
      } else {
        CHECK_NEAR(bend, 0, 1e-12);
      }
    }
    CHECK(crossed > 0);
    CHECK(2 * bent > crossed);
    CHECK(2 * crossed < call.points.size());  // and some do not
  }
}

TEST("smooth functions have no fingerprints; kinks are named by the op that flips first") {
  for (const char* activation : {"tanh", "sigmoid", "softplus", "gelu", "silu", "relu", "elu"}) {
    Model model("float64");
    size_t x = model.input({5});
    for (size_t in : {5, 6}) x = model.activation(model.dense(x, in, 6), activation);
    model.dense(x, 6, 3);
    model.loss = kind("softmax_cross_entropy");
    const auto program = model.program();
    ProbeCall call;
    call.data = noisy_data(9, 5, 3, 3);
    call.points = {{2, 0, 3}};
    for (size_t i = 0; i < 30; ++i) call.points.push_back({0, i, 3});
    const ProbeResult result = program->probe(call);
    const bool smooth = std::string(activation) != "relu" && std::string(activation) != "elu";
    CHECK_EQ(result.kinked.size(), smooth ? 0u : 2u);
    CHECK_EQ(result.flipped[0], smooth ? no_flip : 3u);
    const auto flips = [&](size_t op) { return std::count(result.flipped.begin(), result.flipped.end(), op); };
    CHECK(smooth ? flips(no_flip) == 31 : flips(1) >= 25);
  }
}

TEST("equal passes have equal hashes of values; others do not") {
  Model model("float64");
  model.dense(model.node("dropout", {model.dense(model.input({5}), 5, 6)}, {{"rate", number(0.5)}}), 6, 3);
  model.loss = kind("softmax_cross_entropy");
  const auto program = model.program();
  ProbeCall call;
  call.data = noisy_data(9, 5, 3, 3), call.training = true;
  const auto first = program->probe(call).hashes;
  CHECK(program->probe(call).hashes == first);
  call.randomness = false;
  const auto still = program->probe(call).hashes;
  CHECK_EQ(still[0], first[0]);
  CHECK(still[1] != first[1] && still[2] != first[2]);
}

TEST("statistics of the ops' values") {
  Model model("float64");
  const size_t x = model.input({2});
  const size_t hidden = model.activation(model.dense(x, 2, 3), "relu");
  model.activation(model.dense(hidden, 3, 2), "tanh");
  const auto program = model.program();
  const std::vector<double> w = {1, -1, 0.5, 0, 0, 0}, b = {0, 0, -9};
  set_elements(*program, "parameters", 0, w);
  set_elements(*program, "parameters", 1, b);
  set_elements(*program, "parameters", 2, std::vector<double>(6, 5.0));
  set_elements(*program, "parameters", 3, std::vector<double>(2, 0.0));
  const auto data = std::make_shared<Dataset>(3, std::vector<Column>{column(DataType::float64, {2})},
                                              std::vector<Column>{}, std::vector<Column>{});
  const std::vector<double> rows = {1, 7, 2, 7, 0, 7};
  data->write(Dataset::Role::input, 0, 0, rows.data(), 6);
  const auto statistics = program->inspect({data, false, false, Term::data, 1});
  CHECK_EQ(statistics.size(), 2u);  // the dense ops write what the activations hold
  const LayerStatistics &relu = statistics[0], &tanh = statistics[1];
  CHECK(relu.op == "relu" && tanh.op == "tanh");
  CHECK_EQ(relu.units, 3u);
  CHECK_EQ(relu.dead, 2u);
  CHECK_NEAR(relu.mean, 3.0 / 9, 1e-15);
  CHECK_NEAR(relu.deviation, std::sqrt(5.0 / 9 - 1.0 / 9), 1e-15);
  CHECK_NEAR(tanh.saturated, 4.0 / 6, 1e-15);  // of the inputs 5, 10 and 0
  CHECK_EQ(tanh.dead, 0u);
}
