// The engine on the GPU of these tests: the recorded networks end in the recorded bits.
#include "../native/recorded_models.h"
#include "device.h"

namespace gradus::test {
namespace {

// The GPU, which counts what becomes of the steps that are called ahead.
struct {
  size_t steps, replayed;
  uint32_t most_told;
} counted;
const DeviceTable& counting_table() {
  static const DeviceTable table = [] {
    DeviceTable counting = device_table();
    counting.end_step = [](Queue* queue) {
      const StepCalls calls = device_table().end_step(queue);
      ++counted.steps, counted.replayed += calls.is_replayed;
      counted.most_told = std::max(counted.most_told, calls.told);
      return calls;
    };
    return counting;
  }();
  return table;
}
std::shared_ptr<Program> on_gpu(const Model& model) {
  return model.program(gradus::OpenDevice::open(counting_table(), 0));
}

}  // namespace

TEST("100 steps with dropout, shuffle and Adam end in the bits of the processor") {
  for (const auto& [dtype, expected] : recorded_classifier) {
    Scope scope(dtype);
    counted = {};
    CHECK_EQ(hash(weights_after(*on_gpu(classifier(dtype)), 150, 32, 100, 1, 4)), expected);
    // Batches of two sizes, each of which becomes a graph when it comes the second time.
    CHECK_EQ(counted.steps, 100u);
    CHECK_EQ(counted.replayed, 96u);
    CHECK(counted.most_told > 0 && counted.most_told <= 8);
    CHECK_EQ(found(), "");
  }
}

TEST("steps with norms or an embedding, clipping, average and momenta end in the bits of the processor") {
  const auto check = [](const Model& model, std::shared_ptr<Dataset> data, size_t steps) {
    CHECK_EQ(state_after(*on_gpu(model), data, 1, steps), state_after(*model.program(), data, 1, steps));
    CHECK_EQ(found(), "");
  };
  for (const std::string dtype : {"float32", "float64"}) {
    Scope scope(dtype);
    const bool takes_long = is_emulated && !is_soak();  // seconds each
    check(normed(dtype), noisy_data(150, 20, 5, 5, true), takes_long ? 2 : 100);
    check(embedded(dtype), words(), takes_long ? 10 : 100);
  }
}

TEST("a run that changes its device with each epoch ends in the bits of one that never did") {
  const Model model = classifier("float32");
  const auto data = noisy_data(150, 20, 5, 5, true);
  const std::shared_ptr<Program> programs[] = {model.program(), on_gpu(model)};
  size_t length = 0;
  for (const ParameterInfo& info : programs[0]->parameters()) length += info.size;
  std::vector<std::string> names = programs[0]->arenas();
  names.erase(names.begin() + 1);  // the gradients
  Snapshot snapshot(Precision::float32, length, names);
  programs[0]->export_state(snapshot, 1);
  for (uint64_t epoch = 0; snapshot.step < 100; ++epoch) {
    Program& program = *programs[epoch % 2];
    program.import_state(snapshot);
    TrainCall call = call_of(data, 32, 100 - snapshot.step);
    call.epoch = epoch;
    program.train(call);
    program.export_state(snapshot, 1);
  }
  programs[0]->import_state(snapshot);
  CHECK_EQ(hash(bytes_of(*programs[0], "parameters")), recorded_classifier.at("float32"));
}

}  // namespace gradus::test
