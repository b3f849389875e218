// What an average of the weights adds to the engine's own update step of one tensor: followed in each update, and kept
// as it is as between the samples of equal averages; beside it a bare loop over the average's bytes. All take turns.
// Arguments: threads, log2 of the number of parameters, …. Prints one JSON line an optimizer and number.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "engine/cpu_device.h"
#include "engine/names.h"
#include "engine/optimizer.h"

namespace {
using namespace gradus;
using Clock = std::chrono::steady_clock;

Plan plan_of(size_t size, size_t kind, bool averages) {
  Plan plan;
  plan.inputs = {{"x", {1}}};  // and no ops: the output is the input
  ParameterInfo info;
  info.name = "tensor", info.shape = {size}, info.size = size;
  plan.arena_size = round_up(size, 16);
  plan.infos.push_back(info);
  ParameterPlan parameter;
  parameter.initializer = "uniform", parameter.low = -1, parameter.high = 1;
  plan.parameters.push_back(parameter);
  const std::vector<std::vector<std::string>> slots = {
#define OPTIMIZER(name, ...) {__VA_ARGS__},
#include "engine/optimizers.def"
#undef OPTIMIZER
  };
  OptimizerPlan optimizer;
  optimizer.kind = OptimizerKind(kind), optimizer.slots = slots[kind];
  optimizer.momentum = 0.9, optimizer.decay_rate = 0.999, optimizer.epsilon = 1e-8;
  optimizer.averages = averages;
  plan.optimizer = optimizer;
  return plan;
}

// The average's bytes and next to no arithmetic: it and the weights read, it written.
#if defined(__x86_64__)
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define WIDEST __attribute__((optimize("O3")))
#endif
WIDEST void bare(const float* __restrict w, float* __restrict average, size_t n) {
  for (size_t i = 0; i < n; ++i) average[i] = average[i] + w[i];
}

class Updates {
 public:
  Updates(size_t size, size_t kind, bool averages, double keep, const Isa& isa, size_t threads)
      : model_(std::make_shared<const Plan>(plan_of(size, kind, averages))),
        share_(pool_, threads),
        device_(isa, share_),
        state_(model_, device_),
        optimizer_(model_.plan(), isa) {
    model_.reserve(1, workspace_);
    optimizer_.reserve(workspace_);
    for (size_t i = 0; i < size; ++i) workspace_.gradients.arena.data()[i] = float(i % 17) * 0.01f - 0.08f;
    numbers_.learning_rate = 1e-6, numbers_.momentum = 0.9, numbers_.average_decay = keep;
  }
  void update() {
    const Context<float> context{model_, state_, workspace_, device_, nullptr};
    numbers_.step = state_.step;
    optimizer_.complete(numbers_, state_.momentum_product);
    optimizer_.commit(context, numbers_);
    optimizer_.see_sums(context, 1), optimizer_.take_sums(context, 0, true);
  }
  void add_bare() {
    constexpr size_t piece = size_t(1) << 14;
    const size_t n = model_.plan().infos[0].size, pieces = (n + piece - 1) / piece;
    share_.parallel(pieces, [&](size_t i) {
      const size_t first = i * piece;
      bare(state_.parameters() + first, state_.average() + first, std::min(piece, n - first));
    });
  }

 private:
  const Model<float> model_;
  Pool pool_;
  const Pool::Share share_;
  const CpuDevice<float> device_;
  State<float> state_;
  Workspace<float> workspace_;
  const Optimizer<float> optimizer_;
  StepNumbers numbers_;
};

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(const char* name, size_t kind, size_t size, const Isa& isa, size_t threads) {
  Updates none(size, kind, false, 1, isa, threads), followed(size, kind, true, 0.99, isa, threads),
      kept(size, kind, true, 1, isa, threads);
  const int repeats = int(std::max<size_t>(1, (size_t(1) << 22) / size));
  const auto seconds = [&](const auto& work) {
    work();
    const auto start = Clock::now();
    for (int i = 0; i < repeats; ++i) work();
    return std::chrono::duration<double>(Clock::now() - start).count() * 1e6 / repeats;
  };
  std::vector<double> times[4], share, between;
  for (int turn = 0; turn < 21; ++turn) {
    times[0].push_back(seconds([&] { none.update(); }));
    times[1].push_back(seconds([&] { followed.update(); }));
    times[2].push_back(seconds([&] { kept.update(); }));
    times[3].push_back(seconds([&] { followed.add_bare(); }));
    share.push_back((times[0].back() + times[3].back()) / times[1].back());
    between.push_back(times[2].back() / times[0].back());
  }
  std::printf(
      "{\"optimizer\":\"%s\",\"parameters\":%zu,\"threads\":%zu,\"none\":%.4g,\"followed\":%.4g,\"kept\":%.4g,"
      "\"bare\":%.4g,\"share\":%.4f,\"between\":%.4f}\n",
      name, size, threads, middle(times[0]), middle(times[1]), middle(times[2]), middle(times[3]), middle(share),
      middle(between));
  std::fflush(stdout);
}
}  // namespace

int main(int count, char** arguments) {
  const Isa* isa = chosen_isa();
  if (count < 3 || !isa) return 2;
  const std::vector<std::string> names = optimizer_names();
  for (int i = 2; i < count; ++i)
    for (const char* name : {"sgd", "momentum", "adam"}) {
      const size_t kind = size_t(std::find(names.begin(), names.end(), name) - names.begin());
      measure(name, kind, size_t(1) << std::atoi(arguments[i]), *isa, size_t(std::atoi(arguments[1])));
    }
}
