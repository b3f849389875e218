// What both matmul programs share: the shapes, fresh random operands in rotating buffers, the timing, the JSON lines.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <vector>

namespace bench {

// A dense layer: X is m × k, W is k × n, Y is m × n.
struct Layer {
  size_t m, k, n;
};
constexpr Layer layers[] = {{32, 64, 64},      {64, 256, 256},  {64, 784, 256},     {128, 512, 512},   {128, 784, 1024},
                            {256, 1024, 1024}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}};

// C (m, n) = op(A) (m, k) · op(B) (k, n), all stored without gaps.
struct Shape {
  const char* form;
  size_t m, n, k;
  bool a_transposed, b_transposed;
};
inline std::vector<Shape> shapes_of(const Layer& layer) {
  return {{"Y = X W", layer.m, layer.n, layer.k, false, false},
          {"dW = X' dY", layer.k, layer.n, layer.m, true, false},
          {"dX = dY W'", layer.m, layer.k, layer.n, false, true}};
}

struct Buffer {
  size_t size;
  float* data;
  explicit Buffer(size_t size)
      : size(size), data(static_cast<float*>(::operator new(size * sizeof(float), std::align_val_t(64)))) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < size; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      data[i] = static_cast<float>(state >> 40) / (1 << 23) - 1;
    }
  }
  Buffer(Buffer&& other) : size(other.size), data(other.data) { other.data = nullptr; }
  ~Buffer() { ::operator delete(data, std::align_val_t(64)); }
};
struct Operands {
  Buffer a, b, c;
  explicit Operands(const Shape& shape) : a(shape.m * shape.k), b(shape.k * shape.n), c(shape.m * shape.n) {}
};

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Prints the median rate of seven batches of calls, each long enough for the clock; the operands rotate.
template <class Multiply>
void measure(const Layer& layer, const Shape& shape, size_t threads, Multiply multiply) {
  const double work = 2.0 * shape.m * shape.n * shape.k;
  std::vector<Operands> sets;
  for (int set = 0; set < (work < 1e9 ? 4 : 2); ++set) sets.emplace_back(shape);
  size_t call = 0;
  const auto run = [&](size_t calls) {
    const double start = seconds();
    for (size_t i = 0; i < calls; ++i, ++call) {
      Operands& set = sets[call % sets.size()];
      multiply(shape, set.a.data, set.b.data, set.c.data);
    }
    return seconds() - start;
  };
  run(1);
  const double once = run(1);
  run(std::min<size_t>(1 + 2e-3 / once, 1000));
  const size_t calls = 1 + static_cast<size_t>(2e-3 / once);
  std::vector<double> rates;
  for (int batch = 0; batch < (once > 20e-3 ? 2 : 7); ++batch) rates.push_back(calls * work / run(calls) / 1e9);
  std::sort(rates.begin(), rates.end());
  std::printf("{\"shape\":\"%zux%zux%zu\",\"form\":\"%s\",\"threads\":%zu,\"gflops\":%.2f}\n", layer.m, layer.k,
              layer.n, shape.form, threads, rates[rates.size() / 2]);
  std::fflush(stdout);
}

}  // namespace bench
