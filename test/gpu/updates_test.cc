// The optimizers of the emulated GPU against the processor's, over steps, with their sums.
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

namespace {
template <class T>
struct Rule {
  const char* name;
  void (*Kernels<T>::*kernel)(const Update<T>&, UpdateSums&);
};
template <class T>
constexpr Rule<T> rules[] = {
#define KERNEL(name, ...)
#define UPDATE(name) {#name, &Kernels<T>::name},
#include "kernels/kernels.def"
#undef UPDATE
#undef KERNEL
};

// Upper halves of floats that may be squares; some are so small that they are cleared.
std::vector<uint16_t> halves(Numbers& numbers, size_t n) {
  std::vector<float> values = numbers.values<float>(n);
  std::vector<uint16_t> upper(n);
  for (size_t i = 0; i < n; ++i) {
    const float value = std::fabs(values[i]) * (numbers.below(8) == 0 ? 1e-37f : 1.0f);
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    upper[i] = uint16_t(bits >> 16);
  }
  return upper;
}
}  // namespace

TEST("optimizers have the processor's bits, and so have their sums") {
  for_trials(2, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    for (const Rule<T>& rule : rules<T>) {
      Scope scope(rule.name);
      const size_t n = numbers.below(5) == 0 ? 4096 * 2 + numbers.below(700) : numbers.at_least_one(900);
      const bool special = numbers.below(3) == 0;
      Trial<T> trial;
      auto& gradient = trial.given(numbers.values<T>(n, special));
      auto& w = trial.given(numbers.values<T>(n));
      std::vector<T> squares = numbers.values<T>(n);
      for (T& value : squares) value = std::fabs(value);
      auto& slot0 = trial.given(squares);
      auto& slot1 = trial.given(squares);
      auto& slot2 = trial.given(squares);
      auto& half0 = trial.given(halves(numbers, n));
      auto& half1 = trial.given(halves(numbers, n));
      auto& average = trial.given(numbers.values<T>(n));
      auto& sums = trial.given(std::vector<double>(sizeof(UpdateSums) / sizeof(double)));
      Update<T> update;
      update.n = n, update.learning_rate = T(0.01), update.momentum = T(0.9), update.decay_rate = T(0.99);
      update.epsilon = T(1e-7), update.correction1 = T(1.5), update.correction2 = T(2.5),
      update.gradient_share = T(0.1);
      if (numbers.below(2)) update.l1 = T(0.01), update.l2 = T(0.02);
      if (numbers.below(2)) update.clip_value = T(0.5);
      if (numbers.below(2)) update.weight_decay = T(0.1), update.gradient_scale = T(0.7);
      update.clears_remnants = numbers.below(2);
      update.counter = {numbers.below(SIZE_MAX), uint32_t(numbers.below(1000)), numbers.below(size_t(1) << 40)};
      update.first = numbers.below(100);
      const bool averages = numbers.below(2);
      update.average_decay = T(0.9);
      trial.run([&](const Kernels<T>& kernels, auto at) {
        Update<T> here = update;
        here.gradient = at(gradient), here.w = at(w);
        here.slots[0] = at(slot0), here.slots[1] = at(slot1), here.slots[2] = at(slot2);
        here.short_slots[0] = at(half0), here.short_slots[1] = at(half1);
        if (averages) here.average = at(average);
        for (int step = 0; step < 2; ++step) (kernels.*rule.kernel)(here, *reinterpret_cast<UpdateSums*>(at(sums)));
      });
    }
  });
}
