// The shapes, fresh random operands in rotating buffers, and rounds in which all take turns.
#pragma once
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "product.h"

namespace bench {

// A dense layer: X is m × k, W is k × n, Y is m × n.
struct Layer {
  size_t m, k, n;
};
constexpr Layer layers[] = {{32, 64, 64},      {64, 256, 256},  {64, 784, 256},     {128, 512, 512},   {128, 784, 1024},
                            {256, 1024, 1024}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}};

struct Form {
  const char* name;
  Product product;  // without operands
};
inline std::vector<Form> forms_of(const Layer& layer) {
  const auto [m, k, n] = layer;
  return {{"Y = X W", {m, n, k, false, false, nullptr, nullptr, nullptr}},
          {"dW = X' dY", {k, n, m, true, false, nullptr, nullptr, nullptr}},
          {"dX = dY W'", {m, k, n, false, true, nullptr, nullptr, nullptr}}};
}

inline std::string name_of(const Layer& layer, const Form& form) {
  return std::to_string(layer.m) + "x" + std::to_string(layer.k) + "x" + std::to_string(layer.n) + " " + form.name;
}

struct Buffer {
  float* data;
  explicit Buffer(size_t size) : data(static_cast<float*>(::operator new(size * sizeof(float), std::align_val_t(64)))) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < size; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      data[i] = static_cast<float>(state >> 40) / (1 << 23) - 1;
    }
  }
  Buffer(Buffer&& other) : data(other.data) { other.data = nullptr; }
  ~Buffer() { ::operator delete(data, std::align_val_t(64)); }
};
struct Operands {
  Buffer a, b, c;
  explicit Operands(const Product& of) : a(of.m * of.k), b(of.k * of.n), c(of.m * of.n) {}
};

// Of one thread that works alone the time that it ran; else the time that passed.
inline double seconds(size_t threads) {
  timespec time;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

struct Competitor {
  std::string name;
  std::function<bool(const Product&)> multiply;  // false: it takes no part in this product
  std::function<double()> work;                  // instead: does something and says how many operations it was
};

// Prints the rates of each round, in GFLOP/s, those of one round measured within some tens of milliseconds.
inline void measure(const Layer& layer, const Form& form, size_t threads, const std::vector<Competitor>& competitors) {
  const double work = 2.0 * double(form.product.m * form.product.n * form.product.k);
  const double enough = 1.2e8 * double(threads);  // operations between two looks at the clock
  const size_t calls = 1 + size_t(enough / work), rounds = work > 5e9 ? 7 : 21;
  std::vector<Operands> sets;
  for (int set = 0; set < 3; ++set) sets.emplace_back(form.product);
  size_t call = 0;
  const auto multiply = [&](const Competitor& competitor) {
    const Operands& set = sets[call++ % sets.size()];
    Product product = form.product;
    product.a = set.a.data, product.b = set.b.data, product.c = set.c.data;
    return competitor.multiply(product);
  };
  std::vector<std::vector<double>> rates(competitors.size());
  for (size_t round = 0; round < rounds; ++round)
    for (size_t i = 0; i < competitors.size(); ++i) {
      const size_t who = (i + round) % competitors.size();
      const Competitor& competitor = competitors[who];
      if (competitor.multiply && !multiply(competitor)) continue;  // the first call warms caches and clocks up
      double done = 0;
      const double begin = seconds(threads);
      if (competitor.multiply) {
        for (size_t i = 0; i < calls; ++i) multiply(competitor);
        done = double(calls) * work;
      } else {
        while (done < enough) done += competitor.work();
      }
      rates[who].push_back(done / (seconds(threads) - begin) / 1e9);
    }
  std::printf("{\"shape\":\"%zux%zux%zu\",\"form\":\"%s\",\"rates\":{", layer.m, layer.k, layer.n, form.name);
  for (size_t who = 0; who < competitors.size(); ++who) {
    std::printf("%s\"%s\":[", who ? "," : "", competitors[who].name.c_str());
    for (size_t i = 0; i < rates[who].size(); ++i) std::printf("%s%.2f", i ? "," : "", rates[who][i]);
    std::printf("]");
  }
  std::printf("}}\n");
  std::fflush(stdout);
}

}  // namespace bench
