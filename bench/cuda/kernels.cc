// What kernels of a device take: kernels LIBRARY [small]. A line each: a name that rivals.py has too, a tab, seconds a
// call, the median of rounds. `small` is for the emulator: that all of it runs, on sizes that tell nothing.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/device_table.h"
#include "../matmul/measure.h"

namespace {
using namespace gradus;

const DeviceTable* open_library(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) std::fprintf(stderr, "%s\n", dlerror());
  const auto function = library ? reinterpret_cast<DeviceFunction>(dlsym(library, "gradus_device")) : nullptr;
  uint32_t own = 0;
  return function ? function(device_version, &own) : nullptr;
}

class Device {
 public:
  Device(const DeviceTable& table, bool small) : table_(table), is_small_(small) {
    if (table.open(0, &queue_) != DeviceState::ready) std::puts("no card can be used"), std::exit(1);
    table.enter(queue_);
  }
  ~Device() {
    for (void* memory : memory_) table_.release(queue_, memory);
    table_.close(queue_);
  }

  size_t size(size_t of_card, size_t of_emulator) const { return is_small_ ? of_emulator : of_card; }

  float* random(size_t n) {
    float* const at = allocate<float>(n);
    std::vector<float> some(std::min<size_t>(n, size_t(1) << 24));
    std::mt19937 engine(unsigned(memory_.size()));
    for (float& value : some) value = float(engine()) / 4294967296.0f - 0.5f;
    for (size_t i = 0; i < n; i += some.size())
      table_.upload(queue_, at + i, some.data(), std::min(some.size(), n - i) * sizeof(float));
    return at;
  }
  template <class A>
  A* given(const std::vector<A>& values) {
    A* const at = allocate<A>(values.size());
    table_.upload(queue_, at, values.data(), values.size() * sizeof(A));
    return at;
  }
  template <class A>
  A* zeros(size_t n) {
    A* const at = allocate<A>(n);
    table_.clear(queue_, at, n * sizeof(A));
    return at;
  }

  // call(which): operands that lie apart, so that the cache does not have them from the time before.
  void measure(const std::string& name, const std::function<void(size_t)>& call) {
    using Clock = std::chrono::steady_clock;
    size_t number = 0;
    const auto seconds_of = [&](size_t calls) {
      wait();
      const auto begin = Clock::now();
      for (size_t i = 0; i < calls; ++i) call(number++);
      wait();
      return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    seconds_of(1);
    size_t calls = 1;
    if (!is_small_)
      while (seconds_of(calls) < 0.02) calls *= 2;
    std::vector<double> rounds(is_small_ ? 1 : 9);
    for (double& round : rounds) round = seconds_of(calls) / double(calls);
    std::nth_element(rounds.begin(), rounds.begin() + rounds.size() / 2, rounds.end());
    std::printf("%s\t%.9f\n", name.c_str(), rounds[rounds.size() / 2]);
    std::fflush(stdout);
  }
  void copy(void* to, const void* from, size_t bytes) { table_.copy(queue_, to, from, bytes); }
  const Kernels<float>& kernels() const { return table_.float32; }
  const DeviceTable& table() const { return table_; }

 private:
  template <class A>
  A* allocate(size_t n) {
    memory_.push_back(table_.allocate(queue_, n * sizeof(A)));
    if (!memory_.back()) std::puts("no memory"), std::exit(1);
    return static_cast<A*>(memory_.back());
  }
  void wait() {
    if (table_.wait(queue_) != DeviceState::ready) std::puts("the device has failed"), std::exit(1);
  }

  const DeviceTable& table_;
  const bool is_small_;
  Queue* queue_ = nullptr;
  std::vector<void*> memory_;
};

// Read and written: as many bytes as Adam moves.
void measure_copy(Device& device) {
  const size_t n = device.size(350'000'000, 1000);
  float *const from = device.random(n), *const to = device.zeros<float>(n);
  device.measure("copy", [=, &device](size_t) { device.copy(to, from, n * sizeof(float)); });
}

void measure_updates(Device& device) {
  const size_t n = device.size(100'000'000, 40'000), length = 8 * update_chunk, count = (n + length - 1) / length;
  std::vector<UpdateBlock<float>> blocks(count);
  for (size_t i = 0; i < count; ++i) blocks[i].offset = i * length, blocks[i].n = std::min(length, n - i * length);
  const UpdateBlock<float>* const there = device.given(blocks);
  UpdateSums* const sums = device.zeros<UpdateSums>(count);
  Update<float> update;
  update.n = n, update.learning_rate = 1e-3f, update.momentum = 0.9f, update.decay_rate = 0.999f,
  update.epsilon = 1e-8f;
  update.w = device.random(n), update.gradient = device.random(n);
  for (int s = 0; s < 2; ++s) update.slots[s] = device.zeros<float>(n);
  const unsigned kinds = 1u << blocks[0].kind();
  const auto run = [&](UpdateRule rule, const Update<float>& of) {
    device.table().update32(rule, of, there, count, kinds, sums);
  };
  device.measure("adam", [&](size_t) { run(UpdateRule::adam, update); });
  Update<float> more = update;
  more.average = device.random(n), more.average_decay = 0.999f;
  device.measure("adam, clip, average", [&](size_t) {
    run(UpdateRule::gradient_norm, update);
    run(UpdateRule::adam, more);
  });
}

struct Shape {
  size_t m, n, k;
};

// Y = relu(X · W + b), dX = (dY · Wᵀ) ⊙ relu', dW = Xᵀ · dY.
void measure_product(Device& device, const std::string& name, Shape of, bool is_layer) {
  const size_t most = std::max({of.m * of.k, of.k * of.n, of.m * of.n});
  const size_t sets = device.size(std::max<size_t>(1, (size_t(1) << 25) / most), 1);
  float *const x = device.random(most * sets), *const w = device.random(most * sets),
               *const y = device.random(most * sets);
  float *const bias = device.random(of.n), *const dx = device.zeros<float>(most), *const dw = device.zeros<float>(most);
  bool* const flag = reinterpret_cast<bool*>(device.zeros<uint8_t>(1));
  device.measure(name, [=, &device](size_t number) {
    const size_t at = number % sets * most;
    Matmul<float> task;
    task.m = of.m, task.n = of.n, task.k = of.k, task.c_row = of.n, task.nonfinite = flag;
    task.a = x + at, task.a_row = of.k, task.b = w + at, task.b_row = of.n, task.c = y + at;
    if (is_layer) task.bias = bias, task.activation = Activation::relu;
    device.kernels().matmul(task, nullptr);
    if (!is_layer) return;
    Matmul<float> back;
    back.m = of.m, back.n = of.k, back.k = of.n, back.c_row = of.k, back.nonfinite = flag;
    back.a = y + at, back.a_row = of.n, back.b = w + at, back.b_row = 1, back.b_column = of.n, back.c = dx;
    back.gate = x + at, back.gate_row = of.k, back.gate_kind = Activation::relu;
    device.kernels().matmul(back, nullptr);
    Matmul<float> weights;
    weights.m = of.k, weights.n = of.n, weights.k = of.m, weights.c_row = of.n, weights.nonfinite = flag;
    weights.a = x + at, weights.a_row = 1, weights.a_column = of.k, weights.b = y + at, weights.b_row = of.n;
    weights.c = dw;
    device.kernels().matmul(weights, nullptr);
  });
}

void measure_rows(Device& device) {
  const size_t columns = device.size(1024, 40), rows = device.size(65536, 5), n = rows * columns;
  Loss<float> loss;
  loss.rows = rows, loss.columns = columns, loss.scale = 1.0f / float(rows);
  loss.scores = device.random(n), loss.gradient = device.zeros<float>(n), loss.losses = device.zeros<float>(rows);
  loss.labels = device.zeros<int32_t>(rows);
  device.measure("cross-entropy and gradient", [&](size_t) { device.kernels().softmax_cross_entropy(loss); });
  Norm<float> norm;
  norm.rows = rows, norm.columns = columns, norm.stride = columns, norm.epsilon = 1e-5f;
  norm.x = loss.scores, norm.gain = device.random(columns), norm.bias = device.random(columns);
  norm.mean = device.zeros<float>(rows), norm.inverse_deviation = device.zeros<float>(rows), norm.y = loss.gradient;
  device.measure("layer norm", [&](size_t) { device.kernels().layer_norm_forward(norm); });
}

}  // namespace

int main(int count, char** arguments) {
  const DeviceTable* const table = count > 1 ? open_library(arguments[1]) : nullptr;
  if (!table) return std::puts("usage: kernels LIBRARY [small], of this version"), 2;
  const bool small = count > 2 && std::strcmp(arguments[2], "small") == 0;
  const auto with_device = [&](auto body) {
    Device device(*table, small);
    body(device);
  };
  with_device(measure_copy), with_device(measure_updates), with_device(measure_rows);
  with_device([&](Device& device) {
    const size_t n = device.size(4096, 70);
    measure_product(device, "product of 4096", {n, n, n}, false);
  });
  for (const bench::Layer& layer : bench::layers)
    with_device([&](Device& device) {
      const Shape of{8 * layer.m, layer.n, layer.k};  // eight times the batch of a processor's bench
      const std::string name = std::to_string(of.m) + " " + std::to_string(of.k) + " " + std::to_string(of.n);
      measure_product(device, "layer " + name, small ? Shape{9, of.n % 50 + 1, of.k % 50} : of, true);
    });
}
