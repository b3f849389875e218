// The engine on the GPU of these tests: whole training runs end in the bits of the processor.
#include "../native/recorded_models.h"
#include "device.h"

namespace gradus::test {
namespace {

// As the recorded one, but without what has no kernel of a GPU yet: dropout, metrics and weights of rows.
Model plain_classifier(const std::string& dtype) {
  Model model(dtype, 12345);
  const size_t first = model.activation(model.dense(model.input({20}), 20, 40, {{"l2", number(1e-3)}}), "relu");
  model.dense(model.activation(model.dense(first, 40, 40), "tanh"), 40, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  return model;
}

std::vector<uint8_t> weights_after(Program& program, size_t steps) {
  const auto data = noisy_data(150, 20, 5, 5);
  for (uint64_t epoch = 0; program.step() < steps; ++epoch) {
    TrainCall call = call_of(data, 32, steps - program.step());
    call.epoch = epoch;
    program.train(call);
  }
  return bytes_of(program, "parameters");
}

}  // namespace

TEST("100 steps of a classifier end in the bits of the processor") {
  for (const std::string dtype : {"float32", "float64"}) {
    Scope scope(dtype);
    const Model model = plain_classifier(dtype);
    const auto there = model.program(gradus::OpenDevice::open(device_table(), 0));
    CHECK(weights_after(*there, 100) == weights_after(*model.program(), 100));
    CHECK_EQ(found(), "");
  }
}

}  // namespace gradus::test
