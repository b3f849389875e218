// The whole engine on a device whose memory the host cannot touch: the bits of the processor, whatever is called.
#include "far_device.h"

#include <cstring>
#include <limits>

#include "engine/ensemble.h"
#include "engine/host.h"
#include "image_models.h"
#include "recorded_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

void check_no_complaint() { CHECK_EQ(std::string(far_complaint()), std::string()); }

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}
void check_same(const TrainResult& result, const TrainResult& expected) {
  CHECK_EQ(result.updates, expected.updates);
  CHECK(result.refused == expected.refused);
  CHECK(same(result.loss, expected.loss));
  CHECK(same(result.regularization_loss, expected.regularization_loss));
  CHECK(same(result.weight, expected.weight));
  CHECK(same(result.gradient_norm, expected.gradient_norm));
  CHECK(same(result.metric_sums, expected.metric_sums));
  CHECK(same(result.tensors, expected.tensors));
  const auto bytes = [](const std::vector<float>& values) { return values.size() * sizeof(float); };
  CHECK_EQ(bytes(result.inspections.values), bytes(expected.inspections.values));
  if (!expected.inspections.values.empty())
    CHECK(std::memcmp(result.inspections.values.data(), expected.inspections.values.data(),
                      bytes(expected.inspections.values)) == 0);
  CHECK_EQ(result.gave_up.has_value(), expected.gave_up.has_value());
  CHECK_EQ(result.first_refusal.has_value(), expected.first_refusal.has_value());
  if (!expected.first_refusal) return;
  CHECK_EQ(result.first_refusal->layer.value_or(""), expected.first_refusal->layer.value_or(""));
  CHECK_EQ(result.first_refusal->tensor.value_or(""), expected.first_refusal->tensor.value_or(""));
  CHECK_EQ(result.first_refusal->nonfinite, expected.first_refusal->nonfinite);
}

// Answers every call by a function of its first input.
class Halves final : public Host {
 public:
  void run(HostCall& call) override {
    const float* from = static_cast<const float*>(call.inputs[0].data);
    for (HostOutput& output : call.outputs)
      for (size_t i = 0; output.data && i < output.size; ++i) {
        const double value = 0.5 * double(from[i % call.inputs[0].size]) - 0.01 * double(i % 3);
        if (output.is_double)
          static_cast<double*>(output.data)[i] = value;
        else
          static_cast<float*>(output.data)[i] = float(value);
      }
    call.fingerprint = 5;
  }
};

// All that a call may ask for, two epochs of it, and then everything else that a program is asked.
void check_program(const gradus::test::Model& model, std::shared_ptr<Dataset> data,
                   std::shared_ptr<Host> host = nullptr) {
  const auto here = model.program(nullptr, host), there = model.program(open_far(), host);
  CHECK(state_of(*there) == state_of(*here));
  TrainCall call = call_of(data, 4, 3);
  call.tensor_statistics = call.inspect_histograms = true;
  call.inspect_every = 2;
  call.accumulate = 2;
  for (call.epoch = 0; call.epoch < 2; ++call.epoch) {
    check_same(there->train(call), here->train(call));
    call.clip_norm = 0.01, call.clip_value = 0.001;
  }
  call.batch_size = 1 + !host, call.accumulate = 1, call.inspect_every = 0;
  call.batches = 5, call.learning_rates.assign(5, 0.01);
  for (call.ahead = 1; call.ahead < 6; call.ahead += 2) check_same(there->train(call), here->train(call));
  CHECK(state_of(*there) == state_of(*here));

  const EvaluateResult expected = here->evaluate({data, 5, 1, {}, {}}), result = there->evaluate({data, 5, 1, {}, {}});
  CHECK_EQ(result.loss, expected.loss);
  CHECK_EQ(result.regularization_loss, expected.regularization_loss);
  CHECK(same(result.metric_sums, expected.metric_sums));
  const size_t bytes = data->size() * here->output_size() * (here->precision() == Precision::float64 ? 8 : 4);
  for (Link link : {Link::identity, Link::softmax, Link::sigmoid}) {
    std::vector<uint8_t> outputs[2] = {std::vector<uint8_t>(bytes), std::vector<uint8_t>(bytes)};
    here->predict({data, 5, 1, {}, {}, link}, outputs[0].data());
    there->predict({data, 5, 1, {}, {}, link}, outputs[1].data());
    CHECK(outputs[1] == outputs[0]);
  }
  const GradientCall gradient{data, true, true, Term::total, 1};
  CHECK_EQ(there->gradient(gradient).loss, here->gradient(gradient).loss);
  CHECK(bytes_of(*there, "gradients") == bytes_of(*here, "gradients"));
  CHECK(same(there->statistics({data, 4, 1}).sums, here->statistics({data, 4, 1}).sums));
  const auto layers = there->inspect(gradient), expected_layers = here->inspect(gradient);
  for (size_t i = 0; i < layers.size(); ++i) CHECK_EQ(layers[i].mean, expected_layers[i].mean);
  ProbeCall probe;
  probe.data = data, probe.points = {{0, 1, 0.01}};
  CHECK(same(there->probe(probe).loss, here->probe(probe).loss));
  check_no_complaint();
}

}  // namespace

TEST("on a device that the host cannot touch the recorded networks end in the recorded bits") {
  for (const std::string dtype : {"float32", "float64"}) {
    Scope scope(dtype);
    CHECK_EQ(hash(weights_after(*classifier(dtype).program(open_far()), 150, 32, 100)), recorded_classifier.at(dtype));
    CHECK_EQ(state_after(*normed(dtype).program(open_far()), noisy_data(150, 20, 5, 5, true)),
             recorded_states.at(dtype)[0]);
    CHECK_EQ(state_after(*embedded(dtype).program(open_far()), words()), recorded_states.at(dtype)[1]);
  }
  check_no_complaint();
}

TEST("there every op and loss computes what it does on the processor, in every call") {
  for (const char* op : ops) {
    Scope scope(op);
    gradus::test::Model model = model_with("float32", op);
    model.optimizer = adam();
    model.metrics = {object(kind("accuracy")), object(kind("confusion_matrix")), object(kind("log_loss"))};
    check_program(model, noisy_data(9, 5, 3, 3, true));
  }
  for (const LossCase& loss : losses) {
    Scope scope(loss.kind);
    gradus::test::Model model("float64");
    model.dense(model.activation(model.dense(model.input({5}), 5, 6, {{"l1", number(0.01)}}), "relu"), 6, 3,
                {{"maxNorm", number(0.5)}});
    model.loss = kind(loss.kind);
    model.optimizer = kind("sgd");
    check_program(model, noisy_data(9, 5, loss.labels ? 3 : 0, 3));
  }
}

TEST("there networks for images compute what they do on the processor, in every call") {
  for (const std::string dtype : {"float32", "float64"}) check_program(imaged(dtype), noisy_data(9, 72, 5, 5, true));
}

TEST("a network with a kernel that the device does not have is refused before it begins, by layer and kernel") {
  DeviceTable table = far_device();
  const auto refusal = [&] {
    try {
      imaged("float32").program(OpenDevice::open(table, 0));
    } catch (const Error& error) {
      return std::string(error.code) + " " + error.what();
    }
    return std::string("none");
  };
  const std::string end = " yet: compile the model for the processor";
  CHECK_EQ(refusal(), std::string("none"));
#define WITHOUT(kernel, layer)                                                                                       \
  table.float32.kernel = nullptr;                                                                                    \
  CHECK_EQ(refusal(), std::string("GRADUS_NO_DEVICE ") + layer + ": the device far:0 has no kernel " #kernel + end); \
  table.float32.kernel = far_device().float32.kernel
  WITHOUT(pack_filters, "convolution1");
  WITHOUT(convolution, "convolution1");
  WITHOUT(convolution_weights, "convolution1");
  WITHOUT(max_pool_forward, "max_pool4");
  WITHOUT(max_pool_gather, "max_pool4");
  WITHOUT(max_pool_backward, "max_pool4");
  WITHOUT(fold_bytes, "max_pool4");
  WITHOUT(group_norm_forward, "group_norm7");
  WITHOUT(group_norm_backward, "group_norm7");
  WITHOUT(group_norm_forward_tangent, "group_norm7");
  WITHOUT(group_norm_backward_tangent, "group_norm7");
  WITHOUT(multiply_channels, "spatial_dropout8");
  WITHOUT(frame_images, "frame9");
  WITHOUT(upsample, "upsample10");
  WITHOUT(upsample_backward, "upsample10");
  WITHOUT(average_pool_forward, "average_pool11");
  WITHOUT(average_pool_backward, "average_pool11");
#undef WITHOUT
}

TEST("there every optimizer moves the weights as on the processor") {
  const auto check = [](const std::string& name, Value::Object optimizer) {
    Scope scope(name);
    gradus::test::Model model("float32");
    model.dense(model.activation(model.dense(model.input({5}), 5, 6, {{"l2", number(0.01)}}), "tanh"), 6, 3);
    model.loss = kind("softmax_cross_entropy");
    model.optimizer = std::move(optimizer);
    check_program(model, noisy_data(9, 5, 3, 3));
  };
  for (const char* name : {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "rmsprop_momentum", "rmsprop_centered",
                           "rmsprop_centered_momentum", "adadelta", "adam", "amsgrad", "nadam", "lion"}) {
    Value::Object optimizer = adam();
    optimizer["kind"] = text(name);
    check(name, std::move(optimizer));
  }
  Value::Object shorter = adam(), muon = adam();
  shorter["bfloat16"] = Value{true};
  check("bfloat16 slots", shorter);
  muon["kind"] = text("muon"), muon["matrixMomentum"] = number(0.95), muon["adamMultiplier"] = number(0.5);
  muon["orthogonalizationSteps"] = number(5), muon["nesterov"] = Value{true};
  check("muon", muon);
}

TEST("there what the host computes is brought to it and back") {
  gradus::test::Model model("float32");
  const size_t x = model.dense(model.input({5}), 5, 6, {{"customRegularizer", Value{true}}});
  const size_t scale = model.parameter("scale", {6});
  const size_t y = model.node("custom", {x}, {{"shape", numbers({6})}, {"operands", numbers({scale})}});
  model.dense(y, 6, 3);
  model.loss = {{"kind", text("custom")}, {"targets", text("labels")}};
  model.metrics = {object({{"kind", text("custom")}, {"width", number(4)}})};
  model.optimizer = {{"kind", text("custom")}, {"slots", Value{Value::Array{text("memory")}}}};
  check_program(model, noisy_data(9, 5, 3, 3, true), std::make_shared<Halves>());
}

TEST("there a refused step changes no bit, and is told of as on the processor") {
  const auto data = noisy_data(32, 20, 5, 5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (size_t row : {3, 17, 18}) data->write(Dataset::Role::input, 0, row * 20, &nan, 1);
  const gradus::test::Model model = classifier("float32");
  const auto here = model.program(), there = model.program(open_far());
  TrainCall call = call_of(data, 4, 8);
  call.inspect_every = 1;
  check_same(there->train(call), here->train(call));
  CHECK(state_of(*there) == state_of(*here));
  check_no_complaint();
}

TEST("there updates are called ahead, and a refused one is as on the processor wherever it falls") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  gradus::test::Model model = classifier("float32");
  model.metrics.push_back(object(kind("log_loss")));
  for (size_t ahead : {1, 2, 3, 8, 20}) {
    for (const std::vector<size_t>& bad : {std::vector<size_t>{0}, {3}, {7}, {2, 3, 4}, {1, 5, 11}, {0, 1, 2, 3, 4}}) {
      Scope scope(std::to_string(ahead) + " ahead, refused from " + std::to_string(bad[0]));
      const auto data = noisy_data(48, 20, 5, 5);
      for (size_t update : bad) data->write(Dataset::Role::input, 0, (update * 4 + 1) * 20, &nan, 1);
      const auto here = model.program(), there = model.program(open_far());
      TrainCall call = call_of(data, 4, 12);
      for (size_t i = 0; i < call.learning_rates.size(); ++i) call.learning_rates[i] /= double(i + 1);
      call.shuffle = false, call.tensor_statistics = true, call.max_refused = 4, call.ahead = ahead;
      call.clip_norm = ahead == 3 ? 0.1 : 0;
      call.inspect_every = ahead == 2 ? 5 : 0;
      check_same(there->train(call), here->train(call));
      CHECK(state_of(*there) == state_of(*here));
      CHECK_EQ(there->step(), here->step());
      CHECK_EQ(there->momentum_product(), here->momentum_product());
    }
  }
  check_no_complaint();
}

TEST("there datasets are copied once for all views, and again when they are written to") {
  const gradus::test::Model model = classifier("float32");
  const auto here = model.program(), there = model.program(open_far());
  const auto data = noisy_data(40, 20, 5, 5);
  const auto view = data->subset({31, 4, 4, 17, 9, 22});
  const auto check = [&](std::shared_ptr<Dataset> of) {
    TrainCall call = call_of(of, 3, 2);
    call.class_weights = {1, 2, 0.5, 1, 3};
    check_same(there->train(call), here->train(call));
  };
  check(data), check(view);
  const size_t taken = there->memory();
  check(data), check(view);
  CHECK_EQ(there->memory(), taken);
  const double moved = 2.5;
  data->write(Dataset::Role::input, 0, 4 * 20 + 1, &moved, 1);
  check(view);
  CHECK(state_of(*there) == state_of(*here));
  check_no_complaint();
}

TEST("there an ensemble combines its members as on the processor") {
  const auto data = noisy_data(23, 20, 5, 5, true);
  std::vector<float> rows(7 * 20, 0.25f);
  const auto check = [&](const std::string& dtype, const Ensemble::Rule& rule) {
    Ensemble::Members here, there;
    for (size_t hidden : {40, 24, 31}) {
      here.push_back(classifier(dtype, hidden).program());
      there.push_back(classifier(dtype, hidden).program(open_far()));
      for (const auto& member : {here.back(), there.back()}) member->train(call_of(data, 4, 3));
    }
    const auto expected = Ensemble::create(here, rule, best_isa(), shared_pool());
    const auto ensemble = Ensemble::create(there, rule, best_isa(), shared_pool());
    const EvaluateResult wanted = expected->evaluate(here, {data, 5, 2, {}, {}});
    const EvaluateResult result = ensemble->evaluate(there, {data, 5, 2, {}, {}});
    CHECK_EQ(result.loss, wanted.loss);
    CHECK_EQ(result.regularization_loss, wanted.regularization_loss);
    CHECK(same(result.metric_sums, wanted.metric_sums));
    using Bytes = std::vector<uint8_t>;
    const auto check_same = [&](size_t count, const auto& predict) {
      const size_t bytes = count * 5 * (dtype == "float64" ? 8 : 4);
      Bytes out[2] = {Bytes(bytes, 1), Bytes(bytes, 2)}, spread[2] = {Bytes(bytes), Bytes(bytes)};
      predict(*expected, here, out[0].data(), spread[0].data());
      predict(*ensemble, there, out[1].data(), spread[1].data());
      CHECK(out[1] == out[0]);
      CHECK(spread[1] == spread[0]);
    };
    const auto predict = [&](Ensemble& of, const Ensemble::Members& members, void* out, void* spread) {
      of.predict(members, {data, 5, 2, {}, {}, rule.link}, out, spread);
    };
    const auto predict_rows = [&](Ensemble& of, const Ensemble::Members& members, void* out, void*) {
      RowsCall call;
      call.inputs.push_back({rows.data(), DataType::float32, rows.size(), 1, 0, {}, {}});
      call.rows = 7, call.batch_size = 3;
      of.predict_rows(members, call, out);
    };
    check_same(data->size(), predict), check_same(7, predict_rows);
    check_no_complaint();
  };
  for (const std::string dtype : {"float32", "float64"})
    for (Combine combine : {Combine::probabilities, Combine::geometric, Combine::scores, Combine::vote})
      for (Link link : {Link::identity, Link::softmax, Link::sigmoid}) {
        Scope scope(dtype + ", rule " + std::to_string(int(combine)) + ", link " + std::to_string(int(link)));
        check(dtype, {{0.5, 0.2, 0.3}, combine, link, 1.5});
      }
}

TEST("members of two devices are no ensemble") {
  const auto refusal = [](const Ensemble::Members& members) {
    try {
      Ensemble::create(members, {{0.5, 0.5}}, best_isa(), shared_pool());
    } catch (const Error& error) {
      return std::string(error.code) + " " + error.what();
    }
    return std::string();
  };
  const auto here = classifier("float32").program(), there = classifier("float32").program(open_far());
  const std::string expected = "GRADUS_INVALID_ARGUMENT programs[1]: expected one of the device ";
  CHECK_EQ(refusal({here, there}), expected + "cpu as programs[0] is, received one of far:0");
  CHECK_EQ(refusal({there, here}), expected + "far:0 as programs[0] is, received one of cpu");
}
