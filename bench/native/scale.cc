// What steps and updates of nets of many sizes take. Prints one line of JSON a net, given as 784,256,10@64 (widths and
// batch). Arguments:
//   step THREADS MILLISECONDS NET...    microseconds a step with Adam, and the peak of the multiply-adds just before
//   update THREADS MILLISECONDS NET...  microseconds of Adam's update alone
//   memory THREADS NET                  bytes that the engine counts, and by how much the process has grown, and did at
//                                       most, from before the net was made until after some steps; data not counted
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "net.h"
#include "peak.h"

namespace {
using namespace bench;
using Clock = std::chrono::steady_clock;

struct Size {
  explicit Size(const char* text) : text(text), widths(widths_of(this->text.substr(0, this->text.find('@')).c_str())) {
    batch = std::strtoull(text + this->text.find('@') + 1, nullptr, 10);
  }
  std::string text;
  Widths widths;
  size_t batch;
};

// Microseconds of one of the turns' steps in the median; as many turns as there is time for, but no fewer than three.
template <class Turn>
double median_of_turns(double milliseconds, size_t steps, const Turn& turn) {
  std::vector<double> times;
  turn();
  for (const auto begin = Clock::now();
       Clock::now() - begin < std::chrono::duration<double, std::milli>(milliseconds) || times.size() < 3;) {
    const auto start = Clock::now();
    turn();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / double(steps));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void measure_steps(const Size& size, size_t threads, double milliseconds) {
  Net net(plan_of(size.widths, "adam"), *chosen_isa(), threads);
  const TrainCall call = call_for(size.widths, size.batch, batches_for({size.widths[0]}, size.batch));
  const std::vector<double> peaks = bench::peaks(threads, 3);
  const double step = median_of_turns(milliseconds, call.batches, [&] { net.train(call, net.device); });
  std::printf("{\"net\":\"%s\",\"microseconds\":%.6g,\"peak\":%.5g}\n", size.text.c_str(), step,
              *std::max_element(peaks.begin(), peaks.end()));
}

void measure_updates(const Size& size, size_t threads, double milliseconds) {
  Net net(plan_of(size.widths, "adam"), *chosen_isa(), threads);
  net.model.reserve(1, net.workspace);
  net.optimizer.reserve(net.workspace);
  const size_t parameters = net.model.plan().arena_size;
  for (size_t i = 0; i < parameters; ++i) net.workspace.gradients.arena.data()[i] = float(i % 17) * 0.01f - 0.08f;
  const Context<float> context = net.context(net.device);
  StepNumbers numbers;
  numbers.learning_rate = 1e-6, numbers.momentum = net.model.plan().optimizer->momentum;
  const size_t updates = std::clamp<size_t>((size_t(1) << 20) / parameters, 1, 500);
  const double update = median_of_turns(milliseconds, updates, [&] {
    for (size_t i = 0; i < updates; ++i) {
      numbers.step = net.state.step;
      net.optimizer.complete(numbers, net.state.momentum_product);
      net.optimizer.commit(context, numbers);
      net.optimizer.see_sums(context, 1), net.optimizer.take_sums(context, 0, true);
    }
  });
  std::printf("{\"net\":\"%s\",\"microseconds\":%.6g}\n", size.text.c_str(), update);
}

// Of this process, as Linux counts: VmRSS, or VmHWM, the most so far.
double bytes_of_process(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.compare(0, field.size() + 1, field + ':') == 0) return 1024 * std::atof(line.c_str() + field.size() + 1);
  return 0;
}

void measure_memory(const Size& size, size_t threads) {
  const TrainCall call = call_for(size.widths, size.batch, 4);
  const double before = bytes_of_process("VmRSS");
  Net net(plan_of(size.widths, "adam"), *chosen_isa(), threads);
  for (int turn = 0; turn < 3; ++turn) net.train(call, net.device);
  std::printf("{\"net\":\"%s\",\"engine\":%zu,\"grown\":%.0f,\"most\":%.0f}\n", size.text.c_str(),
              net.state.bytes() + net.workspace.bytes(), bytes_of_process("VmRSS") - before,
              bytes_of_process("VmHWM") - before);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 3 ? arguments[1] : "";
  if ((what != "step" && what != "update" && what != "memory") || !chosen_isa()) {
    std::fprintf(stderr, "usage: scale step|update THREADS MILLISECONDS NET... | memory THREADS NET\n");
    return 2;
  }
  const size_t threads = size_t(std::atoi(arguments[2]));
  if (what == "memory") return measure_memory(Size(arguments[3]), threads), 0;
  for (int i = 4; i < count; ++i) {
    (what == "step" ? measure_steps : measure_updates)(Size(arguments[i]), threads, std::atof(arguments[3]));
    std::fflush(stdout);
  }
}
