// That the emulator finds what is wrong: mistakes planted in the kernels themselves, and each kind of misuse by a host.
#include <functional>
#include <set>

#include "conformance.h"
#include "device.h"
#include "kernels/cuda/mistakes.h"
#include "steps.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;
using cuda::Mistake;
using emulator::Trouble;

namespace {

// Runs what a mistake is in; returns what tells right results from wrong ones.
using Use = std::function<std::vector<double>(OpenDevice&)>;

template <class T = float>
std::vector<T> some(size_t n) {
  return Numbers(n).values<T>(n);
}

std::vector<double> wide(const std::vector<float>& values) { return {values.begin(), values.end()}; }

template <class T>
std::vector<double> multiply(OpenDevice& device) {
  const size_t m = 20, n = 21, k = 85;
  Matmul<T> task;
  task.m = m, task.n = n, task.k = k, task.a_row = k, task.b_row = n, task.c_row = n;
  task.a = device.given(some<T>(m * k)), task.b = device.given(some<T>(k * n));
  task.c = device.wanted<T>(m * n);
  device.kernels<T>().matmul(task, nullptr);
  const std::vector<T> values = device.values(task.c, m * n);
  return {values.begin(), values.end()};
}
template <class T>
std::vector<double> update(OpenDevice& device, size_t n) {
  Update<T> of;
  of.n = n, of.learning_rate = T(0.1), of.clears_remnants = false;
  of.w = device.given(some<T>(n)), of.gradient = device.given(Numbers(1).values<T>(n));
  double* const sums = device.given(std::vector<double>(sizeof(UpdateSums) / sizeof(double)));
  device.kernels<T>().sgd(of, *reinterpret_cast<UpdateSums*>(sums));
  return device.values(sums, 4);
}
std::vector<double> update_often(OpenDevice& device) { return update<float>(device, 34 * update_chunk); }
std::vector<double> update_double(OpenDevice& device) { return update<double>(device, 4 * update_chunk); }
std::vector<double> update_spread(OpenDevice& device) {
  UpdateBlock<float> block;
  block.n = update_chunk;
  Update<float> of;
  of.learning_rate = 0.1f, of.clears_remnants = false;
  of.w = device.given(some(block.n)), of.gradient = device.given(Numbers(1).values<float>(block.n));
  double* const sums = device.given(std::vector<double>(sizeof(UpdateSums) / sizeof(double)));
  device_table().update32(UpdateRule::sgd, of, device.given(std::vector<UpdateBlock<float>>{block}), 1,
                          1u << block.kind(), reinterpret_cast<UpdateSums*>(sums));
  return device.values(sums, 4);
}
std::vector<double> copy_by_stages(OpenDevice& device) {
  const unsigned threads = 64, chunks = 5;
  float* const to = device.wanted<float>(threads * chunks);
  copy_through_stages(threads, chunks, 1, threads * chunks, device.given(some(threads * chunks)), to);
  return wide(device.values(to, threads * chunks));
}
std::vector<double> softmax(OpenDevice& device) {
  const size_t rows = 3, columns = 20;
  float* const y = device.wanted<float>(rows * columns);
  device.kernels<float>().softmax(device.given(some(rows * columns)), rows, columns, y);
  return wide(device.values(y, rows * columns));
}
std::vector<double> normalize_back(OpenDevice& device) {
  const size_t rows = 40, columns = 20, n = rows * columns;
  Norm<float> norm;
  norm.rows = rows, norm.columns = norm.stride = columns;
  norm.x = device.given(some(n)), norm.dy = device.given(Numbers(1).values<float>(n));
  norm.gain = device.given(some(columns)), norm.dx = device.wanted<float>(n);
  norm.mean = device.given(some(rows)), norm.inverse_deviation = device.given(some(rows));
  norm.dgain = device.wanted<float>(columns), norm.dbias = device.wanted<float>(columns);
  device.kernels<float>().layer_norm_backward(norm);
  return wide(device.values(norm.dgain, columns));
}
std::vector<double> hinge(OpenDevice& device) {
  const size_t rows = 4, columns = 20;
  Loss<float> loss;
  loss.rows = rows, loss.columns = columns;
  loss.scores = device.given(some(rows * columns));
  loss.labels = device.given(std::vector<int32_t>{3, 0, 19, 7});
  loss.losses = device.wanted<float>(rows), loss.gradient = device.wanted<float>(rows * columns);
  device.kernels<float>().multiclass_hinge(loss);
  return wide(device.values(loss.gradient, rows * columns));
}
std::vector<double> add_and_scale(OpenDevice& device) {
  const size_t n = 300;
  float* const x = device.given(some(n));
  float* const y = device.wanted<float>(n);
  device.kernels<float>().add(x, x, n, y);
  device.kernels<float>().scale(0.5f, n, y);
  return wide(device.values(y, n));
}
std::vector<double> look_for_nonfinite(OpenDevice& device) {
  std::vector<float> values(500, INFINITY);
  uint8_t* const flag = device.given(std::vector<uint8_t>{0});
  device.kernels<float>().find_nonfinite(device.given(values), values.size(), *reinterpret_cast<bool*>(flag));
  return {double(device.values(flag, 1)[0])};
}
std::vector<double> sum(OpenDevice& device) {
  double* const total = device.given(std::vector<double>{0});
  device.kernels<float>().sum(device.given(some(10)), 10, *total);
  return device.values(total, 1);
}

std::vector<double> repeat_steps(OpenDevice& device) {
  SmallSteps steps(device, 50);
  for (float factor : {0.25f, 0.5f, 0.75f, 1.0f}) steps.make(factor);
  return wide(steps.x());
}

struct Planted {
  Mistake mistake;
  Use use;
};
const Planted all_planted[] = {
    {Mistake::tail_too_long, multiply<double>},
    {Mistake::tail_too_long, multiply<float>},
    {Mistake::no_barrier_after_loading, multiply<float>},
    {Mistake::no_barrier_before_ending, multiply<double>},
    {Mistake::no_barrier_before_adding, update_often},
    {Mistake::no_barrier_before_adding, normalize_back},
    {Mistake::no_barrier_after_adding, update_often},
    {Mistake::no_barrier_after_adding, normalize_back},
    {Mistake::no_barrier_after_chains, update_spread},
    {Mistake::another_order, update_double},
    {Mistake::no_wait_for_copies, copy_by_stages},
    {Mistake::no_wait_for_copies, multiply<float>},
    {Mistake::stage_freed_early, copy_by_stages},
    {Mistake::stage_freed_early, multiply<float>},
    {Mistake::stage_freed_early, multiply<double>},
    {Mistake::lanes_of_other_teams, softmax},
    {Mistake::no_settling, hinge},
    {Mistake::pieces_overlap, add_and_scale},
    {Mistake::piece_too_long, add_and_scale},
    {Mistake::piece_left_out, add_and_scale},
    {Mistake::result_read_by_host, sum},
    {Mistake::flag_stored_plainly, look_for_nonfinite},
    {Mistake::shared_too_small, update_often},
    {Mistake::told_nothing_anew, repeat_steps},
    {Mistake::branches_not_joined, repeat_steps},
};

// The results in each order of threads, and what the emulator said.
struct Outcome {
  std::vector<std::vector<double>> results;
  std::string reports;
};
Outcome outcome_of(const Planted& planted, bool is_planted) {
  Outcome outcome;
  in_each_order([&] {
    OpenDevice device;
    emulator::options().planted = is_planted ? int(planted.mistake) : 0;
    outcome.results.push_back(planted.use(device));
    emulator::options().planted = 0;
    outcome.reports += found();
  });
  return outcome;
}

}  // namespace

TEST("nineteen mistakes planted in the kernels are found, each of them") {
  std::set<Mistake> planted_somewhere;
  for (const Planted& planted : all_planted) planted_somewhere.insert(planted.mistake);
  CHECK_EQ(planted_somewhere.size(), size_t(Mistake::last) - 1);
  for (const Planted& planted : all_planted) {
    Scope scope("mistake " + std::to_string(int(planted.mistake)));
    const Outcome right = outcome_of(planted, false), wrong = outcome_of(planted, true);
    CHECK_EQ(right.reports, "");
    for (const std::vector<double>& result : right.results) CHECK(result == right.results[0]);
    // What is wrong but no trouble to a machine, as sums in another order, shows in the bits.
    CHECK(!wrong.reports.empty() || wrong.results != right.results);
    if (std::getenv("GRADUS_VERBOSE")) std::cout << int(planted.mistake) << ": " << wrong.reports << "\n";
  }
}
