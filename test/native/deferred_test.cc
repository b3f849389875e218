// Gradients of large weights that are made right before their update: the same weights as with the whole gradient
// first.
#include <cstring>
#include <limits>

#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// Two weights that are large enough, of sizes that no panel divides, one between them that is not.
std::shared_ptr<Program> program(const std::string& dtype, double decay = 0) {
  Model model(dtype);
  size_t x = model.activation(model.dense(model.input({5}), 5, 1030), "relu");
  x = model.activation(model.dense(x, 1030, 1021, {{"l2", number(0.01)}}), "relu");
  model.dense(model.activation(model.dense(x, 1021, 1100), "tanh"), 1100, 4);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  if (decay > 0) model.optimizer["averageDecay"] = number(decay);
  return model.program();
}

TrainCall call_with(bool defers, size_t threads, size_t accumulate = 1) {
  TrainCall call = call_of(noisy_data(24, 5, 4, 4, true), 8, 3, threads);
  call.defers = defers, call.accumulate = accumulate, call.tensor_statistics = true;
  return call;
}

}  // namespace

TEST("an update behind its gradient gives the bits of one after the whole backward pass, on any number of threads") {
  for (const char* dtype : {"float32", "float64"}) {
    const auto separate = program(dtype, 0.9);
    const TrainResult expected = separate->train(call_with(false, 1));
    for (size_t threads : is_quick() ? std::vector<size_t>{2} : std::vector<size_t>{1, 2, 3}) {
      Scope scope(std::string(dtype) + ", " + std::to_string(threads) + " threads");
      const auto behind = program(dtype, 0.9);
      std::memset(behind->slice("gradients", 2), 0x7f, 1030 * 1021 * 4);
      const TrainResult result = behind->train(call_with(true, threads));
      CHECK(state_of(*behind) == state_of(*separate));
      CHECK(result.loss == expected.loss);
      CHECK_EQ(result.tensors.size(), expected.tensors.size());
      for (size_t i = 0; i < expected.tensors.size(); ++i)
        CHECK_NEAR(result.tensors[i], expected.tensors[i], 1e-6 * expected.tensors[i]);
      // The gradient never came into its arena: it really was left to the update.
      CHECK_EQ(static_cast<uint8_t*>(behind->slice("gradients", 2))[5], 0x7f);
    }
  }
}

TEST("nothing is left to the update where the whole gradient is needed first") {
  for (const bool clips : {true, false}) {
    const auto whole = program("float32"), separate = program("float32");
    TrainCall call = call_with(true, 2, clips ? 1 : 2);
    if (clips) call.clip_norm = 0.01;
    std::memset(whole->slice("gradients", 2), 0x7f, 1030 * 1021 * 4);
    whole->train(call);
    call.defers = false;
    separate->train(call);
    CHECK(state_of(*whole) == state_of(*separate));
    CHECK(static_cast<uint8_t*>(whole->slice("gradients", 2))[5] != 0x7f);
  }
}

TEST("a step whose gradient could overflow, or does, is refused as a whole") {
  for (const float large : {3e19f, std::numeric_limits<float>::infinity()}) {
    const auto behind = program("float32"), separate = program("float32");
    for (const auto& each : {behind, separate}) {
      each->train(call_with(false, 1));
      static_cast<float*>(each->slice("parameters", 4))[7] = large;  // the second large weight
      static_cast<float*>(each->slice("parameters", 0))[3] = large;
    }
    const auto before = state_of(*behind);
    const TrainResult expected = separate->train(call_with(false, 1)), result = behind->train(call_with(true, 2));
    CHECK(result.refused == expected.refused);
    CHECK(state_of(*behind) == state_of(*separate));
    if (result.refused[0] && result.refused[1] && result.refused[2]) CHECK(state_of(*behind) == before);
  }
}
