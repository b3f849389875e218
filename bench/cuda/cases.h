// What is measured of a device, by kernels.cc, and counted on the emulator, by counts.cc.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "../matmul/measure.h"
#include "kernels/device_table.h"

namespace bench::cuda {

using namespace gradus;

// `small` is for the emulator: that all of it runs, on sizes that tell nothing. What is counted has the kernels of
// large sizes.
enum class Scale { of_card, small, counted };

class Device {
 public:
  Device(const DeviceTable& table, Scale scale) : scale(scale), table_(table) {
    if (table.open(0, &queue_) != DeviceState::ready) std::puts("no card can be used"), std::exit(1);
    table.enter(queue_);
  }
  virtual ~Device() {
    for (void* memory : memory_) table_.release(queue_, memory);
    table_.close(queue_);
  }

  // call(which) has operands that lie apart, so that the cache does not have them from the time before. `bytes` are
  // those that are to be moved; 0: they do not matter.
  virtual void measure(const std::string& name, size_t bytes, const std::function<void(size_t)>& call) = 0;

  size_t size(size_t of_card, size_t small, size_t counted) const {
    return scale == Scale::of_card ? of_card : scale == Scale::small ? small : counted;
  }

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

  void copy(void* to, const void* from, size_t bytes) { table_.copy(queue_, to, from, bytes); }
  const Kernels<float>& kernels() const { return table_.float32; }
  const DeviceTable& table() const { return table_; }

  const Scale scale;

 protected:
  void wait() {
    if (table_.wait(queue_) != DeviceState::ready) std::puts("the device has failed"), std::exit(1);
  }
  // body(address, bytes) for all memory taken.
  template <class F>
  void for_memory(F body) const {
    for (size_t i = 0; i < memory_.size(); ++i) body(memory_[i], sizes_[i]);
  }

 private:
  template <class A>
  A* allocate(size_t n) {
    memory_.push_back(table_.allocate(queue_, n * sizeof(A)));
    if (!memory_.back()) std::puts("no memory"), std::exit(1);
    sizes_.push_back(n * sizeof(A));
    return static_cast<A*>(memory_.back());
  }

  const DeviceTable& table_;
  Queue* queue_ = nullptr;
  std::vector<void*> memory_;
  std::vector<size_t> sizes_;
};

// Read and written: as many bytes as Adam moves.
inline void measure_copy(Device& device) {
  const size_t n = device.size(350'000'000, 1000, 1000);
  float *const from = device.random(n), *const to = device.zeros<float>(n);
  device.measure("copy", 8 * n, [=, &device](size_t) { device.copy(to, from, n * sizeof(float)); });
}

inline void measure_updates(Device& device) {
  const size_t n = device.size(100'000'000, 40'000, 40'000), length = 8 * update_chunk,
               count = (n + length - 1) / length;
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
  device.measure("adam", 28 * n, [&](size_t) { run(UpdateRule::adam, update); });
  Update<float> more = update;
  more.average = device.random(n), more.average_decay = 0.999f;
  device.measure("adam, clip, average", (4 + 28 + 8) * n, [&](size_t) {
    run(UpdateRule::gradient_norm, update);
    run(UpdateRule::adam, more);
  });
}

struct Shape {
  size_t m, n, k;
};

// Y = relu(X · W + b), dX = (dY · Wᵀ) ⊙ relu', dW = Xᵀ · dY.
inline void measure_product(Device& device, const std::string& name, Shape of, bool is_layer) {
  const size_t most = std::max({of.m * of.k, of.k * of.n, of.m * of.n});
  const size_t sets = device.size(std::max<size_t>(1, (size_t(1) << 25) / most), 1, 1);
  float *const x = device.random(most * sets), *const w = device.random(most * sets),
               *const y = device.random(most * sets);
  float *const bias = device.random(of.n), *const dx = device.zeros<float>(most), *const dw = device.zeros<float>(most);
  bool* const flag = reinterpret_cast<bool*>(device.zeros<uint8_t>(1));
  device.measure(name, 0, [=, &device](size_t number) {
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

// Both norms of a matrix, forward and backward: each takes what the one before has left.
inline void measure_rows(Device& device) {
  const size_t columns = device.size(1024, 40, 1024), rows = device.size(65536, 5, 128), n = rows * columns;
  const Kernels<float>& kernels = device.kernels();
  float *const x = device.random(n), *const dy = device.random(n), *const y = device.zeros<float>(n);
  Loss<float> loss;
  loss.rows = rows, loss.columns = columns, loss.scale = 1.0f / float(rows);
  loss.scores = x, loss.gradient = y, loss.losses = device.zeros<float>(rows);
  loss.labels = device.zeros<int32_t>(rows);
  device.measure("cross-entropy and gradient", 8 * n, [&](size_t) { kernels.softmax_cross_entropy(loss); });
  const size_t blocks = blocks_of(rows);
  Norm<float> norm;
  norm.rows = rows, norm.columns = norm.stride = columns, norm.epsilon = 1e-5f;
  norm.x = x, norm.gain = device.random(columns), norm.bias = device.random(columns), norm.y = norm.dx = y,
  norm.dy = dy;
  const size_t most = std::max(rows, columns);
  norm.mean = device.zeros<float>(most), norm.inverse_deviation = device.zeros<float>(most);
  norm.dgain = device.zeros<float>(blocks * columns), norm.dbias = device.zeros<float>(blocks * columns);
  float *const dgain = device.zeros<float>(columns), *const dbias = device.zeros<float>(columns);
  const auto add_blocks = [&] {
    kernels.add_blocks(norm.dgain, blocks, columns, columns, 0, dgain);
    kernels.add_blocks(norm.dbias, blocks, columns, columns, 0, dbias);
  };
  device.measure("layer norm", 8 * n, [&](size_t) { kernels.layer_norm_forward(norm); });
  device.measure("layer norm, backward", 12 * n, [&](size_t) { kernels.layer_norm_backward(norm), add_blocks(); });
  float* const variance = device.zeros<float>(columns);
  device.measure("batch norm", (4 + 8) * n, [&](size_t) {
    kernels.batch_norm_block_statistics(x, rows, columns, columns, norm.dgain, norm.dbias);
    kernels.batch_norm_merge(norm.dgain, norm.dbias, rows, columns, columns, norm.epsilon, norm.mean, variance,
                             norm.inverse_deviation);
    kernels.batch_norm_forward(norm);
  });
  Norm<float> of_sums = norm;
  of_sums.dgain = dgain, of_sums.dbias = dbias;
  device.measure("batch norm, backward", (8 + 12) * n, [&](size_t) {
    kernels.batch_norm_block_gradients(norm), add_blocks();
    kernels.batch_norm_backward(of_sums, rows);
  });
}

// All of them; open() gives a device, as a pointer that owns it.
template <class Open>
void measure_all(Open open) {
  measure_copy(*open()), measure_updates(*open()), measure_rows(*open());
  const auto device = open();
  const size_t n = device->size(4096, 70, 1536), k = device->size(4096, 70, 24);
  measure_product(*device, "product of 4096", {n, n, k}, false);
  if (device->scale == Scale::counted) return;
  for (const Layer& layer : layers) {
    const auto device = open();
    const Shape of{8 * layer.m, layer.n, layer.k};  // eight times the batch of a processor's bench
    const std::string name = std::to_string(of.m) + " " + std::to_string(of.k) + " " + std::to_string(of.n);
    const bool is_whole = device->scale == Scale::of_card;
    measure_product(*device, "layer " + name, is_whole ? of : Shape{9, of.n % 50 + 1, of.k % 50}, true);
  }
}

}  // namespace bench::cuda
