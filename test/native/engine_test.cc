// Programs as a whole: the same bits everywhere, refused steps, accumulation, fusion, resuming, stopping.
#include <cstdlib>
#include <limits>

#include "engine/names.h"
#include "recorded_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

void check_near(const std::vector<double>& values, const std::vector<double>& expected, double tolerance) {
  for (size_t i = 0; i < expected.size(); ++i) CHECK_NEAR(values[i], expected[i], tolerance);
}

// How work is cut for threads is the same on every ISA but for its pieces' sizes: one count shows that of the others.
std::vector<size_t> thread_counts(const Isa& isa) {
  // Where everything takes long, the scalar table takes as long as all others together.
  if (is_quick() && std::string(isa.name) == "scalar") return {};
  return &isa == &best_isa() && !is_quick() ? std::vector<size_t>{1, 2, 3, 4} : std::vector<size_t>{3};
}

}  // namespace

TEST("100 steps with dropout, shuffle and Adam give the same bits on every ISA and any number of threads") {
  for (const auto& [dtype, expected] : recorded_classifier)
    for_each_isa([&, &dtype = dtype, &expected = expected](const Isa& isa) {
      for (size_t threads : thread_counts(isa)) {
        Scope scope(dtype + ", " + std::to_string(threads) + " threads");
        CHECK_EQ(hash(weights_after(*classifier(dtype).program(isa), 150, 32, 100, threads)), expected);
      }
    });
}

TEST("100 steps with norms or an embedding, clipping, average and momenta give the recorded bits, however made") {
  for (const auto& [dtype, expected] : recorded_states)
    for_each_isa([&, &dtype = dtype, &expected = expected](const Isa& isa) {
      for (size_t threads : thread_counts(isa)) {
        Scope scope(dtype + ", " + std::to_string(threads) + " threads");
        CHECK_EQ(state_after(*normed(dtype).program(isa), noisy_data(150, 20, 5, 5, true), threads), expected[0]);
        CHECK_EQ(state_after(*embedded(dtype).program(isa), words(), threads), expected[1]);
      }
    });
}

TEST("work large enough to be shared gives the same bits on any number of threads") {
  const Model model = classifier("float32", 300);
  const std::vector<uint8_t> expected = weights_after(*model.program(), 300, 150, 4, 1);
  for (size_t threads = 2; threads <= 4; ++threads)
    CHECK(weights_after(*model.program(), 300, 150, 4, threads) == expected);
}

TEST("training lowers the loss and evaluation agrees with prediction") {
  const auto program = classifier("float64", 40, 0).program();
  const auto data = noisy_data(64, 20, 5, 5);
  TrainCall call = call_of(data, 64, 1);
  const double first = program->train(call).loss[0];
  for (int i = 0; i < 200; ++i) program->train(call);
  const EvaluateResult result = program->evaluate({data, 10, 2, {}, {}});
  CHECK(result.loss < first / 10);
  std::vector<double> scores(64 * 5);
  program->predict({data, 7, 1, {}, {}}, scores.data());
  double right = 0;
  const int32_t* labels = reinterpret_cast<const int32_t*>(data->columns(Dataset::Role::target)[0].data.get());
  for (size_t i = 0; i < 64; ++i)
    right += std::max_element(&scores[i * 5], &scores[i * 5] + 5) - &scores[i * 5] == labels[i];
  CHECK_EQ(result.metric_sums[0], 64.0);
  CHECK_EQ(result.metric_sums[1], right);
  double diagonal = 0;
  for (size_t j = 0; j < 5; ++j) diagonal += result.metric_sums[2 + 7 * j];
  CHECK_EQ(diagonal, right);
}

TEST("a refused step changes nothing, and enough of them in a row end the call") {
  Model model = classifier("float32");
  const auto program = model.program();
  program->train(call_of(noisy_data(32, 20, 5, 5), 8, 4));
  const auto before = state_of(*program);
  auto broken = noisy_data(32, 20, 5, 5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (size_t row = 0; row < 32; ++row) broken->write(Dataset::Role::input, 0, row * 20, &nan, 1);
  TrainCall call = call_of(broken, 8, 4);
  call.max_refused = 3;
  const TrainResult result = program->train(call);
  CHECK_EQ(result.updates, size_t(3));
  CHECK(result.refused == std::vector<uint8_t>({1, 1, 1}));
  CHECK(state_of(*program) == before);
  CHECK_EQ(program->step(), uint64_t(4));
  CHECK(result.gave_up.has_value());
  CHECK_EQ(result.gave_up->step, uint64_t(4));
  CHECK_EQ(result.gave_up->tensor.value_or(""), std::string("dense5.bias"));
  CHECK_EQ(result.gave_up->layer.value_or(""), std::string("activation1"));
  CHECK(result.gave_up->nonfinite > 0);
}

// The loss is finite in both: only a look at the gradients can tell.
TEST("an infinity in one gradient alone refuses the step") {
  for (bool in_table : {false, true}) {
    Scope scope(in_table ? "of an embedding" : "of a dense layer's weight");
    Model model("float64");
    const Value::Object huge{{"initializer", object({{"kind", text("constant")}, {"value", number(1e308)}})}};
    const Value::Object zero{{"initializer", object({{"kind", text("constant")}, {"value", number(0)}})}};
    size_t x = model.input({1}, in_table ? "index" : "real");
    if (in_table) x = model.node("embedding", {x}, {}, {{"weight", model.parameter("e.weight", {2, 1}, zero)}});
    if (in_table) x = model.node("reshape", {x}, {{"shape", numbers({1})}});
    const size_t weight = model.parameter("d.weight", {1, 1}, in_table ? huge : zero, !in_table);
    model.node("dense", {x}, {}, {{"weight", weight}});
    model.loss = kind("mean_squared_error");
    model.optimizer = kind("sgd");
    const auto program = model.program();
    auto data =
        std::make_shared<Dataset>(1, std::vector<Column>{column(in_table ? DataType::int32 : DataType::float64, {1})},
                                  std::vector<Column>{column(DataType::float64, {1})}, std::vector<Column>{});
    const double input = 1e308, target = 100;
    if (!in_table) data->write(Dataset::Role::input, 0, 0, &input, 1);
    data->write(Dataset::Role::target, 0, 0, &target, 1);
    const auto before = state_of(*program);
    const TrainResult result = program->train(call_of(data, 1, 1));
    CHECK_EQ(result.loss[0], 1e4);
    CHECK_EQ(int(result.refused[0]), 1);
    CHECK(state_of(*program) == before);
  }
}

TEST("batch norm's running statistics move with accepted steps only") {
  Model model("float64");
  const size_t x = model.input({3});
  const size_t mean = model.parameter("n.mean", {3}, {}, false);
  const std::vector<std::pair<std::string, size_t>> roles{{"gain", model.parameter("n.gain", {3})},
                                                          {"bias", model.parameter("n.bias", {3})},
                                                          {"mean", mean},
                                                          {"variance", model.parameter("n.variance", {3}, {}, false)}};
  model.dense(model.node("batch_norm", {x}, {{"epsilon", number(1e-5)}, {"momentum", number(0.9)}}, roles), 3, 2);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  const auto program = model.program();
  auto data = noisy_data(8, 3, 2, 2);
  const double before = elements_of<double>(*program, "parameters", mean)[0];
  double batch_mean = 0;
  for (size_t i = 0; i < 8; ++i) batch_mean += noise(3, i * 3) / 8;
  program->train(call_of(data, 8, 1));
  const double after = elements_of<double>(*program, "parameters", mean)[0];
  CHECK_NEAR(after, 0.9 * before + 0.1 * batch_mean, 1e-14);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  data->write(Dataset::Role::input, 0, 4, &nan, 1);
  CHECK_EQ(int(program->train(call_of(data, 8, 1)).refused[0]), 1);
  CHECK(elements_of<double>(*program, "parameters", mean)[0] == after);
}

TEST("two batches of 16 accumulated make the update of one of 32") {
  const Model model = classifier("float64", 40, 0);
  const auto once = model.program(), twice = model.program();
  const auto data = noisy_data(64, 20, 5, 5, true);
  TrainCall call = call_of(data, 32, 2);
  const TrainResult expected = once->train(call);
  call.batch_size = 16, call.accumulate = 2;
  const TrainResult result = twice->train(call);
  CHECK_EQ(result.updates, size_t(2));
  CHECK_NEAR(result.loss[1], expected.loss[1], 1e-12);
  CHECK(result.metric_sums == expected.metric_sums);
  for (size_t p = 0; p < once->parameters().size(); ++p)
    check_near(elements_of<double>(*twice, "parameters", p), elements_of<double>(*once, "parameters", p), 1e-9);
}

TEST("fused activations give the gradients of unfused ones") {
  for (const std::string activation : {"relu", "leaky_relu", "elu", "tanh", "sigmoid", "softplus"}) {
    Scope scope(activation);
    std::shared_ptr<Program> programs[2];
    for (bool fused : {false, true}) {
      Model model("float64");
      size_t x = model.input({20});
      for (size_t in : {20, 9}) {
        x = model.dense(x, in, 9);
        if (!fused) x = model.node("reshape", {x}, {{"shape", numbers({9})}});  // between the two, so neither joins
        x = model.activation(x, activation);
      }
      model.dense(x, 9, 5);
      model.loss = kind("softmax_cross_entropy");
      programs[fused] = model.program();
      programs[fused]->gradient({noisy_data(11, 20, 5, 5), true, true, Term::data, 1});
    }
    for (size_t p = 0; p < programs[0]->parameters().size(); ++p)
      check_near(elements_of<double>(*programs[1], "gradients", p), elements_of<double>(*programs[0], "gradients", p),
                 1e-12);
  }
}

TEST("a run that goes on from copied arenas and step ends with the bits of one that never stopped") {
  const Model model = classifier("float32");
  const auto data = noisy_data(100, 20, 5, 5);
  const auto whole = model.program(), first = model.program(), second = model.program();
  whole->train(call_of(data, 10, 10));
  first->train(call_of(data, 10, 4));
  for (const std::string& arena : first->arenas())
    for (size_t p = 0; p < first->parameters().size(); ++p)
      set_elements(*second, arena, p, elements_of<float>(*first, arena, p));
  second->set_step(first->step());
  TrainCall call = call_of(data, 10, 6);
  call.first_row = 40;
  second->train(call);
  CHECK(state_of(*second) == state_of(*whole));
  CHECK_EQ(second->step(), uint64_t(10));
}

TEST("frozen parameters stay, and stop_requested ends a call before its next step") {
  Model model("float32");
  model.dense(model.activation(model.dense(model.input({20}), 20, 8, {}, false), "relu"), 8, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  const auto program = model.program();
  const std::vector<uint8_t> before = bytes_of(*program, "parameters");
  program->stop_requested = true;
  CHECK_EQ(program->train(call_of(noisy_data(32, 20, 5, 5), 8, 4)).updates, size_t(0));
  program->stop_requested = false;
  CHECK_EQ(program->train(call_of(noisy_data(32, 20, 5, 5), 8, 9)).updates, size_t(4));
  const std::vector<uint8_t> after = bytes_of(*program, "parameters");
  const size_t frozen = (20 * 8 + 8) * 4;
  CHECK(std::equal(before.begin(), before.begin() + frozen, after.begin()));
  CHECK(!std::equal(before.begin() + frozen, before.end(), after.begin() + frozen));
}

TEST("a bad descriptor is refused with the node's name") {
  const auto message_of = [](const Model& model) -> std::string {
    try {
      model.program();
    } catch (const Error& error) {
      return std::string(error.code) + " " + error.what();
    }
    return "";
  };
  Model unknown("float32");
  unknown.node("sorcery", {unknown.input({2})});
  CHECK_EQ(message_of(unknown),
           std::string("GRADUS_BAD_DESCRIPTOR nodes[0] (sorcery sorcery0): op: there is no op \"sorcery\""));
  Model misfit("float32");
  misfit.dense(misfit.input({3}), 2, 2);
  CHECK(message_of(misfit).find("nodes[0] (dense dense0): parameters: weight: expected shape") != std::string::npos);
  Model huge("float32");
  huge.dense(huge.input({size_t(1) << 40}), size_t(1) << 40, size_t(1) << 40);
  CHECK(message_of(huge).find("GRADUS_TOO_LARGE") == 0);
  Model later("float32");
  later.input({3});
  later.node("add", {0, 7});
  CHECK(message_of(later).find("inputs: expected numbers of earlier nodes") != std::string::npos);
}
