// Adam with slots in two bytes: the float step, then each moment rounded to one of its two neighbours, fairly.
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

float widened(uint16_t half) {
  const uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
uint16_t narrowed(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return uint16_t(bits >> 16);
}

struct State {
  std::vector<float> gradient, w;
  std::vector<uint16_t> slots[2];
  explicit State(size_t n) : gradient(n), w(n), slots{std::vector<uint16_t>(n), std::vector<uint16_t>(n)} {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < n; ++i) {
      gradient[i] = normal(random), w[i] = normal(random);
      slots[0][i] = narrowed(normal(random)), slots[1][i] = narrowed(std::fabs(normal(random)));
    }
  }
  Update<float> update(uint64_t step, size_t first = 0) {
    Update<float> update;
    update.n = w.size() - first;
    update.gradient = gradient.data() + first, update.w = w.data() + first;
    for (int s = 0; s < 2; ++s) update.short_slots[s] = slots[s].data() + first;
    update.learning_rate = 0.01f, update.momentum = 0.9f, update.decay_rate = 0.99f, update.epsilon = 1e-8f;
    update.counter = {11, 7, step};
    update.first = first;
    return update;
  }
};

}  // namespace

TEST("a step with short slots moves the weights as Adam does, and rounds each moment to a neighbour") {
  for_each_isa([](const Isa& isa) {
    for (size_t n : {1, 15, 16, 17, 67, 4096, 9001}) {
      State state(n);
      const State before = state;
      std::vector<float> w = before.w, moments[2];
      Update<float> whole = state.update(3);
      whole.w = w.data();
      for (int s = 0; s < 2; ++s) {
        for (uint16_t half : before.slots[s]) moments[s].push_back(widened(half));
        whole.slots[s] = moments[s].data();
      }
      UpdateSums expected, sums;
      isa.float32.adam(whole, expected);
      isa.float32.adam_bfloat16(state.update(3), sums);
      CHECK(state.w == w);
      CHECK_EQ(sums.gradient_squares, expected.gradient_squares);
      CHECK_EQ(sums.change_squares, expected.change_squares);
      size_t up = 0, inexact = 0;
      for (int s = 0; s < 2; ++s)
        for (size_t i = 0; i < n; ++i) {
          const uint16_t below = narrowed(moments[s][i]);
          const bool is_exact = widened(below) == moments[s][i];
          CHECK(state.slots[s][i] == below || (!is_exact && state.slots[s][i] == uint16_t(below + 1)));
          inexact += !is_exact, up += state.slots[s][i] != below;
        }
      if (n > 1000) CHECK_NEAR(double(up) / double(inexact), 0.5, 0.05);
    }
  });
}

TEST("rounding at random is fair: its mean is the moment itself") {
  for_each_isa([](const Isa& isa) {
    const size_t n = 200000;
    State state(n);
    state.gradient.assign(n, 0.7f);
    for (auto& slot : state.slots) slot.assign(n, narrowed(1));
    UpdateSums sums;
    isa.float32.adam_bfloat16(state.update(1), sums);
    const double expected[] = {0.9 + 0.1 * 0.7, 0.99 + 0.01 * 0.49};
    for (int s = 0; s < 2; ++s) {
      double mean = 0;
      for (uint16_t half : state.slots[s]) mean += widened(half) / double(n);
      CHECK_NEAR(mean, expected[s], 3e-5);  // neighbours are 0.004 apart: truncation would be off by up to that
    }
  });
}

TEST("short slots: the same bits on every ISA, however the stretch is cut, others with another step") {
  const size_t n = 3 * update_chunk + 21;
  State whole(n);
  UpdateSums sums;
  (*available_isas())->float32.adam_bfloat16(whole.update(2), sums);
  for_each_isa([&](const Isa& isa) {
    State cut(n);
    for (size_t first : {size_t(0), update_chunk, 2 * update_chunk}) {
      Update<float> part = cut.update(2, first);
      part.n = first == 2 * update_chunk ? n - first : update_chunk;
      isa.float32.adam_bfloat16(part, sums);
    }
    CHECK(cut.w == whole.w && cut.slots[0] == whole.slots[0] && cut.slots[1] == whole.slots[1]);
    State other(n);
    isa.float32.adam_bfloat16(other.update(3), sums);
    CHECK(other.w == whole.w && other.slots[0] != whole.slots[0] && other.slots[1] != whole.slots[1]);
  });
}

TEST("infinities and NaN stay in short slots; float64 works alike") {
  for_each_isa([](const Isa& isa) {
    State state(3);
    state.slots[0] = {narrowed(INFINITY), narrowed(NAN), narrowed(-INFINITY)};
    UpdateSums sums;
    isa.float32.adam_bfloat16(state.update(1), sums);
    CHECK(std::isinf(widened(state.slots[0][0])) && std::isnan(widened(state.slots[0][1])));
    std::vector<double> gradient(40, 0.5), w(40, 1.0);
    std::vector<uint16_t> slots[2] = {std::vector<uint16_t>(40), std::vector<uint16_t>(40)};
    Update<double> update;
    update.n = 40, update.gradient = gradient.data(), update.w = w.data();
    for (int s = 0; s < 2; ++s) update.short_slots[s] = slots[s].data();
    update.learning_rate = 0.01, update.momentum = 0.9, update.decay_rate = 0.99, update.epsilon = 1e-8;
    update.correction1 = 10, update.correction2 = 100;
    isa.float64.adam_bfloat16(update, sums);
    CHECK_NEAR(w[7], 0.99, 1e-9);
    CHECK_NEAR(widened(slots[0][7]), 0.05, 0.05 / 128);
    CHECK_NEAR(widened(slots[1][7]), 0.0025, 0.0025 / 128);
  });
}

TEST("short slots decay to 0, never to denormal numbers") {
  for_each_isa([](const Isa& isa) {
    const size_t n = 40;
    State state(n);
    state.gradient.assign(n, 0), state.w.assign(n, 0);
    state.slots[0].assign(n, narrowed(0x1p-95f)), state.slots[1].assign(n, narrowed(0x1p-122f));
    std::vector<double> gradient(n), w(n);
    State wide = state;
    Update<double> update;
    update.n = n, update.gradient = gradient.data(), update.w = w.data();
    for (int s = 0; s < 2; ++s) update.short_slots[s] = wide.slots[s].data();
    update.learning_rate = 0.01, update.momentum = 0.9, update.decay_rate = 0.99, update.epsilon = 1e-8;
    bool denormal = false;
    UpdateSums sums;
    for (uint64_t step = 0; step < 1000; ++step) {
      isa.float32.adam_bfloat16(state.update(step), sums);
      update.counter = {11, 7, step};
      isa.float64.adam_bfloat16(update, sums);
      for (const State* of : {&state, &wide})
        for (const auto& slot : of->slots)
          for (uint16_t half : slot) denormal = denormal || std::fpclassify(widened(half)) == FP_SUBNORMAL;
    }
    CHECK(!denormal);
    const std::vector<uint16_t> zeros(n);
    for (const State* of : {&state, &wide}) CHECK(of->slots[0] == zeros && of->slots[1] == zeros);
  });
}

}  // namespace gradus
