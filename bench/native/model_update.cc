// Microseconds of one update of all tensors of a model, by the engine's own update step: nothing but the update.
// Arguments: threads. Prints one JSON line a model and optimizer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "engine/names.h"
#include "engine/update_step.h"

namespace {
using namespace gradus;
using Clock = std::chrono::steady_clock;

struct Layout {
  const char* name;
  std::vector<size_t> sizes;
};

// A million parameters in eight tensors, four weights and their biases; a hundred thousand in 64 small ones.
std::vector<Layout> layouts() {
  Layout large{"8 tensors, 1 M", {}}, small{"64 tensors, 100 k", {}};
  for (size_t i = 0; i < 4; ++i) large.sizes.push_back(499 * 500), large.sizes.push_back(500);
  for (size_t i = 0; i < 32; ++i) small.sizes.push_back(55 * 56), small.sizes.push_back(56);
  return {large, small};
}

Plan plan_of(const Layout& layout, size_t kind) {
  Plan plan;
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
  optimizer.kind = kind, optimizer.slots = slots[kind];
  optimizer.momentum = 0.9, optimizer.decay_rate = 0.999, optimizer.epsilon = 1e-8;
  plan.optimizer = optimizer;
  return plan;
}

double microseconds(const Layout& layout, size_t kind, const Isa& isa, size_t threads) {
  const Plan plan = plan_of(layout, kind);
  Pool pool;
  pool.set_threads(threads);
  Pass<float> pass;
  pass.pool = &pool, pass.kernels = &kernels_of<float>(isa);
  pass.parameters.resize(plan.infos.size());
  for (size_t p = 0; p < plan.infos.size(); ++p) pass.parameters[p].size = plan.infos[p].size;
  UpdateStep<float> update(plan, isa, pool, pass);
  for (ParameterState<float>& parameter : pass.parameters)
    for (size_t i = 0; i < parameter.size; ++i) parameter.gradient[i] = float(i % 17) * 0.01f - 0.08f;
  UpdateOptions options;
  options.learning_rate = 1e-6;
  std::vector<double> times;
  for (int turn = 0; turn < 60; ++turn) {
    const auto start = Clock::now();
    constexpr int repeats = 20;
    for (int i = 0; i < repeats; ++i, ++options.step) update.apply(options);
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
  for (const Layout& layout : layouts())
    for (size_t kind = 0; kind < names.size(); ++kind)
      std::printf("{\"model\":\"%s\",\"optimizer\":\"%s\",\"microseconds\":%.4g}\n", layout.name, names[kind].c_str(),
                  microseconds(layout, kind, *isa, size_t(std::atoi(arguments[1]))));
}
