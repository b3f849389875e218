// The optimizers at the ends of the range: slots that decay to nothing, squares that floats cannot hold.
#include "updates.h"

namespace gradus::test {
namespace {

// What each rule keeps in its slots: m velocities and means of gradients, s squares.
const char* kinds_of(const std::string& rule) {
  const bool is_momentum = rule == "momentum" || rule == "nesterov" || rule == "lion";
  if (is_momentum) return "m";
  if (rule == "adagrad" || rule == "rmsprop") return "s";
  if (rule == "adadelta") return "ss";
  if (rule == "adam" || rule == "nadam") return "ms";
  if (rule == "amsgrad") return "mss";
  return rule == "sgd" ? "" : rule == "rmsprop_centered_momentum" ? "smm" : "sm";
}
template <class T>
double smallest_kept(char kind) {
  return double(std::numeric_limits<T>::min()) * (kind == 's' ? 0x1p8 : 0x1p26);
}

template <class T>
void check_small_slots(const Isa& isa, const Rule& rule) {
  const double factors[] = {0x1p-20, 0.25, 0.8, 0.999, 1.2, 4, 1000};
  const size_t n = 37;
  const std::string kinds = kinds_of(rule.name);
  State<T> state(rule, options[6], n);
  for (size_t i = 0; i < n; ++i) {
    state.w[i] = 0;
    state.average[i] = T(smallest_kept<T>('m') * factors[i % 7]);
    for (size_t s = 0; s < kinds.size(); ++s)
      state.slots[s][i] = T(smallest_kept<T>(kinds[s]) * factors[(i + s) % 7] * (kinds[s] == 'm' && i % 2 ? -1 : 1));
  }
  const State<T> before = state;
  UpdateSums sums;
  apply(rule, isa, state.update, sums);
  const auto check = [&](double is, double expected, char kind) {
    if (std::fabs(expected) < smallest_kept<T>(kind)) {
      CHECK_EQ(is, 0.0);
    } else {
      CHECK_NEAR(is / expected, 1, 1e-6);
    }
  };
  for (size_t i = 0; i < n; ++i) {
    Reference next;
    next.w = before.w[i];
    next.a = before.slots[0][i], next.b = before.slots[1][i], next.c = before.slots[2][i];
    next.step(rule.name, state.update, 0);
    const double expected[] = {next.a, next.b, next.c};
    for (size_t s = 0; s < kinds.size(); ++s) check(state.slots[s][i], expected[s], kinds[s]);
    const double keep = double(state.update.average_decay);
    check(state.average[i], keep * before.average[i] + (1 - keep) * next.w, 'm');
  }
}
// The others keep their bits: nothing else moves them here.
template <class T>
void check_small_weights(const Isa& isa, const Rule& rule) {
  const double factors[] = {0x1p-20, 0.25, 0.999, 1, 1.001, 4, 1000};
  const size_t n = 37;
  State<T> state(rule, plain, n);
  state.update.learning_rate = 0;
  for (size_t i = 0; i < n; ++i) state.w[i] = T((i % 2 ? -1 : 1) * smallest_kept<T>('m') * factors[i % 7]);
  const State<T> before = state;
  UpdateSums sums;
  state.update.clears_remnants = false;
  apply(rule, isa, state.update, sums);
  for (size_t i = 0; i < n; ++i) CHECK_EQ(state.w[i], before.w[i]);
  state.update.clears_remnants = true;
  apply(rule, isa, state.update, sums);
  for (size_t i = 0; i < n; ++i) CHECK_EQ(state.w[i], factors[i % 7] < 1 ? T(0) : before.w[i]);
}
TEST("slots, weights and averages below what can matter become 0, and no others") {
  for_each_isa([](const Isa& isa) {
    for (const Rule& rule : rules) {
      Scope scope(rule.name);
      check_small_slots<float>(isa, rule), check_small_slots<double>(isa, rule);
      check_small_weights<float>(isa, rule), check_small_weights<double>(isa, rule);
    }
  });
}

// By rounding to nearest a slot that decays by 0.9 would stay at four times the smallest denormal number.
template <class T>
void check_decay(const Isa& isa, const Rule& rule) {
  const size_t n = 37;
  const std::string kinds = kinds_of(rule.name);
  State<T> state(rule, options[6], n);
  state.update.learning_rate = 0;  // Lion would go on with whole steps until its velocity is 0
  for (size_t i = 0; i < n; ++i) {
    state.w[i] = 0, state.average[i] = T(smallest_kept<T>('m') * double(i));
    for (size_t s = 0; s < kinds.size(); ++s) state.slots[s][i] = T(smallest_kept<T>(kinds[s]) * double(i));
  }
  UpdateSums sums;
  bool denormal = false;
  for (int step = 0; step < 1200; ++step) {
    apply(rule, isa, state.update, sums);
    for (size_t i = 0; i < n; ++i) {
      state.w[i] = 0;
      denormal = denormal || std::fpclassify(state.average[i]) == FP_SUBNORMAL;
      for (const Guarded<T>& slot : state.slots)
        denormal = denormal || std::fpclassify(slot.all[guard + i]) == FP_SUBNORMAL;
    }
  }
  CHECK(!denormal);
  for (size_t i = 0; i < n; ++i) {
    CHECK_EQ(state.average[i], T(0));
    const bool is_lasting = std::string(rule.name) == "adagrad" || std::string(rule.name) == "amsgrad";
    for (size_t s = 0; s < kinds.size() - is_lasting; ++s) CHECK_EQ(state.slots[s][i], T(0));
  }
}
TEST("without gradients slots and averages decay to 0, never to denormal numbers") {
  for_each_isa([](const Isa& isa) {
    for (const Rule& rule : rules) {
      Scope scope(rule.name);
      check_decay<float>(isa, rule), check_decay<double>(isa, rule);
    }
  });
}

// A pass without a step has all sums right. One with a step has overwritten the weights when an overflow shows: of it
// the gradient's sum is right, but for what its penalties owe to the weights' move.
TEST("sums of squares are right where those of floats overflow") {
  const auto near = [](double is, double expected, double tolerance) { CHECK_NEAR(is / expected, 1, tolerance); };
  for_each_isa([&](const Isa& isa) {
    for (const Rule& rule : rules)
      for (const Options& o : {plain, Options{"regularized", 0.5, 0, 0.01, 0.02}})
        for (double size : {1.2e19, 1e25}) {
          Scope scope(std::string(rule.name) + " " + o.name);
          const size_t n = update_chunk + 777;
          State<float> state(rule, o, n);
          state.prepare(1);
          for (size_t i = 0; i < n; ++i) {
            if (i % 3 == 0) state.gradient[i] *= float(size);
            if (i % 5 == 0) state.w[i] *= float(size / 10);
          }
          UpdateSums expected, sums, norm;
          for (size_t i = 0; i < n; ++i) {
            const double w = state.w[i], g = state.gradient[i] + o.l2 * w + o.l1 * ((w > 0) - (w < 0));
            expected.weight_squares += w * w, expected.weight_absolutes += std::fabs(w);
            expected.gradient_squares += g * g;
          }
          isa.float32.gradient_norm(state.update, norm);
          near(norm.weight_squares, expected.weight_squares, 1e-6);
          near(norm.weight_absolutes, expected.weight_absolutes, 1e-6);
          near(norm.gradient_squares, expected.gradient_squares, 1e-6);
          apply(rule, isa, state.update, sums);
          near(sums.gradient_squares, expected.gradient_squares, o.l2 > 0 ? 1e-3 : 1e-6);
          CHECK_EQ(norm.nonfinite + sums.nonfinite, uint64_t(0));
        }
  });
}

}  // namespace
}  // namespace gradus::test
