// Programs that more than one thread deals with: trained side by side on one dataset, stopped and read from outside.
#include <atomic>
#include <thread>
#include <vector>

#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

Model two_layers(size_t hidden) {
  Model model("float32");
  model.dense(model.activation(model.dense(model.input({20}), 20, hidden), "relu"), hidden, 5);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = adam();
  return model;
}

}  // namespace

TEST("programs that share a dataset train side by side as each would alone") {
  const Model model = two_layers(300);
  const std::shared_ptr<Dataset> data = noisy_data(200, 20, 5, 5, true);
  const auto train = [&](size_t threads) {
    const auto program = model.program();
    program->train(call_of(data, 100, is_quick() ? 4 : 12, threads));
    program->evaluate({data, 50, threads, {}, {}});
    return bytes_of(*program, "parameters");
  };
  const std::vector<uint8_t> expected = train(1);
  std::vector<uint8_t> results[3];
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 3; ++i) threads.emplace_back([&, i] { results[i] = train(1 + i); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}

TEST("a call is stopped from another thread between two steps, and its program goes on") {
  const auto program = two_layers(8).program();
  const std::shared_ptr<Dataset> data = noisy_data(32, 20, 5, 5);
  TrainCall call = call_of(data, 1, 32, 2);
  uint64_t updates = 0;
  std::atomic<bool> begun{false}, stopped{false};
  std::thread trainer([&] {
    begun = true;
    while (!stopped) updates += program->train(call).updates, ++call.epoch;
  });
  while (!begun) std::this_thread::yield();
  program->stop_requested = true;
  stopped = true;
  trainer.join();
  CHECK_EQ(program->step(), updates);
  program->stop_requested = false;
  CHECK_EQ(program->train(call).updates, size_t(32));
  CHECK_EQ(program->step(), updates + 32);
}
