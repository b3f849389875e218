// The engine on the GPU of these tests: the recorded networks end in the recorded bits.
#include "../native/recorded_models.h"
#include "device.h"

namespace gradus::test {
namespace {

std::shared_ptr<Program> on_gpu(const Model& model) {
  return model.program(gradus::OpenDevice::open(device_table(), 0));
}

}  // namespace

TEST("100 steps with dropout, shuffle and Adam end in the bits of the processor") {
  for (const auto& [dtype, expected] : recorded_classifier) {
    Scope scope(dtype);
    CHECK_EQ(hash(weights_after(*on_gpu(classifier(dtype)), 150, 32, 100, 1, 4)), expected);
    CHECK_EQ(found(), "");
  }
}

TEST("100 steps with norms or an embedding, clipping, average and momenta end in the bits of the processor") {
  for (const auto& [dtype, expected] : recorded_states) {
    Scope scope(dtype);
    CHECK_EQ(state_after(*on_gpu(normed(dtype)), noisy_data(150, 20, 5, 5, true)), expected[0]);
    CHECK_EQ(state_after(*on_gpu(embedded(dtype)), words()), expected[1]);
    CHECK_EQ(found(), "");
  }
}

}  // namespace gradus::test
