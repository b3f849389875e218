// Microseconds of one update of all tensors of a model, by the engine's own update step: nothing but the update.
// Arguments: threads. Prints one JSON line a model and optimizer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "engine/names.h"
#include "engine/cpu_device.h"
#include "engine/optimizer.h"

namespace {
using namespace gradus;
using Clock = std::chrono::steady_clock;

struct Tensors {
  const char* name;
  std::vector<size_t> sizes;
};

// A million parameters in eight tensors, four weights and their biases; a hundred thousand in 64 small ones.
std::vector<Tensors> layouts() {
  Tensors large{"8 tensors, 1 M", {}}, small{"64 tensors, 100 k", {}};
  for (size_t i = 0; i < 4; ++i) large.sizes.push_back(499 * 500), large.sizes.push_back(500);
  for (size_t i = 0; i < 32; ++i) small.sizes.push_back(55 * 56), small.sizes.push_back(56);
  return {large, small};
}

Plan plan_of(const Tensors& layout, size_t kind) {
  Plan plan;
  plan.inputs = {{"x", {1}}};  // and no ops: the output is the input
  for (size_t size : layout.sizes) {
    ParameterInfo info;
    info.name = "tensor", info.shape = {size}, info.size = size, info.offset = plan.arena_size;
    plan.arena_size += round_up(size, 16);
    plan.infos.push_back(info);
    ParameterPlan parameter;
    parameter.initializer = "uniform", parameter.low = -1, parameter.high = 1;
    plan.parameters.push_back(parameter);
  }
  const std::vector<std::vector<std::string>> slots = {
#define OPTIMIZER(name, ...) {__VA_ARGS__},
#include "engine/optimizers.def"
#undef OPTIMIZER
  };
  OptimizerPlan optimizer;
  optimizer.kind = OptimizerKind(kind), optimizer.slots = slots[kind];
  optimizer.momentum = 0.9, optimizer.decay_rate = 0.999, optimizer.epsilon = 1e-8;
  plan.optimizer = optimizer;
  return plan;
}

double microseconds(const Tensors& layout, size_t kind, const Isa& isa, size_t threads) {
  const Model<float> model(std::make_shared<const Plan>(plan_of(layout, kind)));
  Pool pool;
  const Pool::Share share(pool, threads);
  const CpuDevice<float> device(isa, share);
  State<float> state(model, device);
  Workspace<float> workspace;
  const Optimizer<float> optimizer(model.plan(), isa);
  model.reserve(1, workspace);
  optimizer.reserve(workspace);
  for (size_t i = 0; i < model.plan().arena_size; ++i)
    workspace.gradients.arena.data()[i] = float(i % 17) * 0.01f - 0.08f;
  const Context<float> context{model, state, workspace, device, nullptr};
  StepNumbers numbers;
  numbers.learning_rate = 1e-6;
  numbers.momentum = model.plan().optimizer->momentum;
  std::vector<double> times;
  for (int turn = 0; turn < 60; ++turn) {
    const auto start = Clock::now();
    constexpr int repeats = 20;
    for (int i = 0; i < repeats; ++i) {
      numbers.step = state.step;
      optimizer.complete(numbers, state.momentum_product);
      optimizer.commit(context, numbers);
      optimizer.see_sums(context, 1), optimizer.take_sums(context, 0, true);
    }
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count() * 1e6 / repeats);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}
}  // namespace

int main(int count, char** arguments) {
  const Isa* isa = chosen_isa();
  if (count != 2 || !isa) return 2;
  const std::vector<std::string> names = optimizer_names();
  for (const Tensors& layout : layouts())
    for (size_t kind = 0; kind < names.size(); ++kind)
      std::printf("{\"model\":\"%s\",\"optimizer\":\"%s\",\"microseconds\":%.4g}\n", layout.name, names[kind].c_str(),
                  microseconds(layout, kind, *isa, size_t(std::atoi(arguments[1]))));
}
