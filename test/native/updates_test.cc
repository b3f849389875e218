// The optimizers against an independent float64 reference over 1,000 steps; their sums; cuts, guard bands and ISAs.
#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

struct Rule {
  const char* name;
  int slots;
  void (*float32)(const Kernels<float>&, const Update<float>&, UpdateSums&);
  void (*float64)(const Kernels<double>&, const Update<double>&, UpdateSums&);
};
#define RULE(name, slots)                                                                            \
  {                                                                                                  \
#name, slots,                                                                                    \
        [](const Kernels <float>& k, const Update <float>& u,                                        \
           UpdateSums& s) { k.name(u, s); }, [](const Kernels <double>& k, const Update <double>& u, \
                                                UpdateSums& s) { k.name(u, s); }                     \
  }
const Rule rules[] = {RULE(sgd, 0),
                      RULE(momentum, 1),
                      RULE(nesterov, 1),
                      RULE(adagrad, 1),
                      RULE(rmsprop, 1),
                      RULE(adam, 2),
                      RULE(rmsprop_momentum, 2),
                      RULE(rmsprop_centered, 2),
                      RULE(rmsprop_centered_momentum, 3),
                      RULE(adadelta, 2),
                      RULE(amsgrad, 3),
                      RULE(nadam, 2),
                      RULE(lion, 1)};
#undef RULE
void apply(const Rule& rule, const Isa& isa, const Update<float>& u, UpdateSums& s) { rule.float32(isa.float32, u, s); }
void apply(const Rule& rule, const Isa& isa, const Update<double>& u, UpdateSums& s) {
  rule.float64(isa.float64, u, s);
}

struct Options {
  const char* name;
  double scale = 1, clip = 0, l1 = 0, l2 = 0, decay = 0, average = -1 /* none */;
};
const Options plain{"plain"};
const Options options[] = {plain,
                           {"scaled", 0.25},
                           {"clipped", 1, 0.05},
                           {"l1", 1, 0, 0.01},
                           {"l2", 1, 0, 0, 0.01},
                           {"decay", 1, 0, 0, 0, 0.1},
                           {"average", 1, 0, 0, 0, 0, 0.9},
                           {"all", 0.5, 0.05, 0.01, 0.02, 0.1, 0.95}};

constexpr size_t guard = 16;
// An array with a guard band on either side.
template <class T>
struct Guarded {
  static constexpr T mark = T(-12345);
  std::vector<T> all;
  explicit Guarded(size_t n, T value = 0) : all(n + 2 * guard, mark) { std::fill_n(data(), n, value); }
  T* data() { return all.data() + guard; }
  T& operator[](size_t i) { return all[guard + i]; }
  size_t size() const { return all.size() - 2 * guard; }
  bool intact() const {
    for (size_t i = 0; i < guard; ++i)
      if (all[i] != mark || all[all.size() - 1 - i] != mark) return false;
    return true;
  }
};

template <class T>
struct State {
  Guarded<T> gradient, w, average;
  std::vector<Guarded<T>> slots;
  Update<T> update;
  State(const Rule& rule, const Options& o, size_t n) : gradient(n), w(n), average(n), slots(3, Guarded<T>(n)) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < n; ++i) average[i] = w[i] = i % 11 == 5 ? T(0) : T(normal(random));
    update.n = n;
    update.gradient = gradient.data();
    update.w = w.data();
    for (int s = 0; s < rule.slots; ++s) update.slots[s] = slots[s].data();
    if (o.average >= 0) update.average = average.data(), update.average_decay = T(o.average);
    update.gradient_scale = T(o.scale), update.clip_value = T(o.clip);
    update.l1 = T(o.l1), update.l2 = T(o.l2), update.weight_decay = T(o.decay);
    update.gradient_share = T(0.3);
    update.learning_rate = T(0.01), update.momentum = T(0.9), update.decay_rate = T(0.99), update.epsilon = T(1e-6);
  }
  void prepare(int step) {  // fresh gradients and the corrections of a step that counts from 1
    std::mt19937 random(1000 + step);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < update.n; ++i) gradient[i] = T(0.1 * normal(random) + 0.05 * double(i % 3));
    update.correction1 = T(1 / (1 - std::pow(double(update.momentum), step)));
    update.correction2 = T(1 / (1 - std::pow(double(update.decay_rate), step)));
  }
  bool intact() const {
    bool all = gradient.intact() && w.intact() && average.intact();
    for (const auto& slot : slots) all = all && slot.intact();
    return all;
  }
};

// One element in float64, from the textbook formulae, with the same (rounded) hyperparameters. The sizes are those of
// the terms that were added up, to which an error is relative.
struct Reference {
  double w = 0, a = 0, b = 0, c = 0, average = 0;
  double gradient = 0, change = 0;
  double w_size = 0, a_size = 0, b_size = 0, c_size = 0, average_size = 0;
  template <class T>
  void step(const std::string& rule, const Update<T>& u, double raw) {
    const double lr = u.learning_rate, mu = u.momentum, rho = u.decay_rate, eps = u.epsilon, before = w, v = a;
    gradient = raw + u.l2 * w + u.l1 * ((w > 0) - (w < 0));
    const double g_size = u.gradient_scale * (std::fabs(raw) + u.l2 * std::fabs(w) + u.l1);
    double g = u.gradient_scale * gradient, move = 0, move_size = 0;
    if (u.clip_value > 0) g = std::fmax(-double(u.clip_value), std::fmin(double(u.clip_value), g));
    if (rule == "sgd") move = -lr * g, move_size = lr * g_size;
    if (rule == "momentum" || rule == "nesterov") {
      a = mu * v - lr * g, a_size = mu * std::fabs(v) + lr * g_size;
      move = rule == "momentum" ? a : -mu * v + (1 + mu) * a;
      move_size = mu * std::fabs(v) + (1 + mu) * a_size;
    }
    if (rule.rfind("rmsprop_", 0) == 0) {
      const bool centered = rule.find("centered") != std::string::npos;
      const bool moving = rule.find("momentum") != std::string::npos;
      // The textbook's running means of g² and g; the slot holds the variance that they give.
      const double mean_before = centered ? b : 0, size_before = v + 2 * mean_before * mean_before;
      const double squares = rho * (v + mean_before * mean_before) + (1 - rho) * g * g;
      a = squares, a_size = rho * size_before + (1 - rho) * g_size * g_size;
      if (centered) {
        b_size = rho * std::fabs(b) + (1 - rho) * g_size, b = rho * b + (1 - rho) * g;
        a = std::fmax(0.0, squares - b * b);
      }
      double step = lr * g / (std::sqrt(a) + eps), step_size = lr * g_size / (std::sqrt(a) + eps);
      double& velocity = centered ? c : b;
      double& velocity_size = centered ? c_size : b_size;
      if (moving) {
        step_size += mu * std::fabs(velocity), velocity = mu * velocity - step, velocity_size = step_size;
        step = -velocity;
      }
      move = -step, move_size = step_size;
    }
    if (rule == "adadelta") {
      a = rho * a + (1 - rho) * g * g, a_size = rho * v + (1 - rho) * g_size * g_size;
      const double step = std::sqrt(b + eps) / std::sqrt(a + eps) * g;
      const double step_size = std::sqrt(b + eps) / std::sqrt(a + eps) * g_size;
      b_size = rho * b + (1 - rho) * step_size * step_size, b = rho * b + (1 - rho) * step * step;
      move = -lr * step, move_size = lr * step_size;
    }
    if (rule == "lion") {
      const double direction = mu * a + (1 - mu) * g;
      a_size = rho * std::fabs(a) + (1 - rho) * g_size, a = rho * a + (1 - rho) * g;
      move = -lr * ((direction > 0) - (direction < 0)), move_size = lr;
    }
    if (rule == "adagrad") a += g * g, a_size = v + g_size * g_size;
    if (rule == "rmsprop") a = rho * a + (1 - rho) * g * g, a_size = rho * v + (1 - rho) * g_size * g_size;
    if (rule == "adagrad" || rule == "rmsprop")
      move = -lr * g / (std::sqrt(a) + eps), move_size = lr * g_size / (std::sqrt(a) + eps);
    if (rule == "adam" || rule == "amsgrad" || rule == "nadam") {
      b_size = rho * b + (1 - rho) * g_size * g_size, b = rho * b + (1 - rho) * g * g;
      a_size = mu * std::fabs(a) + (1 - mu) * g_size, a = mu * a + (1 - mu) * g;
      c_size = std::fmax(c, b_size), c = std::fmax(c, b);
      const double second = rule == "amsgrad" ? c : b, share = rule == "nadam" ? double(u.gradient_share) : 0;
      const double rate = lr / (std::sqrt(second * double(u.correction2)) + eps), c1 = double(u.correction1);
      move = -rate * (c1 * a + share * g), move_size = rate * (c1 * a_size + share * g_size);
    }
    w = before + move - lr * double(u.weight_decay) * before;
    w_size = std::fabs(before) + move_size;
    change = w - before;
    if (!u.average) return;
    average_size = std::fabs(average) + w_size;
    average = u.average_decay * average + (1 - double(u.average_decay)) * w;
  }
};

// float32 rounds each step: the reference carries on from the kernel's own state, so that every one of the steps is
// held to the tolerance; float64 also runs free over all of them.
template <class T>
void follow(const Isa& isa, const Rule& rule, const Options& o, size_t n, int steps) {
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;
  State<T> state(rule, o, n);
  std::vector<Reference> free(n);
  std::vector<double> path(n);
  for (size_t i = 0; i < n; ++i) free[i].w = free[i].average = state.w[i];
  double worst = 0, drift = 0;
  for (int step = 1; step <= steps; ++step) {
    state.prepare(step);
    std::vector<Reference> next(n);
    UpdateSums expected, sums;
    for (size_t i = 0; i < n; ++i) {
      next[i].w = state.w[i], next[i].average = state.average[i];
      next[i].a = state.slots[0][i], next[i].b = state.slots[1][i], next[i].c = state.slots[2][i];
      expected.weight_squares += next[i].w * next[i].w, expected.weight_absolutes += std::fabs(next[i].w);
      next[i].step(rule.name, state.update, state.gradient[i]);
      free[i].step(rule.name, state.update, state.gradient[i]);
      expected.change_squares += next[i].change * next[i].change;
      expected.gradient_squares += next[i].gradient * next[i].gradient;
    }
    apply(rule, isa, state.update, sums);
    const auto differ = [&](double is, double wanted, double size) {
      if (is != wanted) worst = std::fmax(worst, std::fabs(is - wanted) / size);
    };
    for (size_t i = 0; i < n; ++i) {
      differ(state.w[i], next[i].w, next[i].w_size);
      if (rule.slots > 0) differ(state.slots[0][i], next[i].a, next[i].a_size);
      if (rule.slots > 1) differ(state.slots[1][i], next[i].b, next[i].b_size);
      if (rule.slots > 2) differ(state.slots[2][i], next[i].c, next[i].c_size);
      if (o.average >= 0) differ(state.average[i], next[i].average, next[i].average_size);
      // Each step rounds in proportion to w; what is left of that after steps to and fro is relative to their length.
      path[i] += std::fabs(free[i].change);
      drift =
          std::fmax(drift, std::fabs(state.w[i] - free[i].w) / std::max({0.01, std::fabs(free[i].w), path[i] / 100}));
    }
    if (step % 100 != 1) continue;
    const double near = sizeof(T) == 4 ? 5e-6 : 1e-12;
    CHECK_NEAR(sums.weight_squares, expected.weight_squares, near * expected.weight_squares);
    CHECK_NEAR(sums.weight_absolutes, expected.weight_absolutes, near * expected.weight_absolutes);
    CHECK_NEAR(sums.gradient_squares, expected.gradient_squares, near * expected.gradient_squares);
    // w after − w before carries the rounding of w.
    const double rounding = sizeof(T) == 4 ? 1e-3 : 1e-9;
    CHECK_NEAR(sums.change_squares, expected.change_squares, rounding * expected.change_squares);
    CHECK_EQ(sums.nonfinite, uint64_t(0));
  }
  CHECK_NEAR(worst, 0, tolerance);
  CHECK_NEAR(drift, 0, sizeof(T) == 4 ? 2e-4 : 1e-10);
  CHECK(state.intact());
}

TEST("each optimizer follows the float64 reference over 1,000 steps") {
  for_each_isa([](const Isa& isa) {
    for (const Rule& rule : rules)
      for (const Options& o : options) {
        test::Scope scope(std::string(rule.name) + " " + o.name);
        // By itself and with everything on for all of them; what one option does is seen sooner.
        const bool is_long = (&o == &options[0] || &o == &options[7]) && !test::is_quick();
        const int steps = is_long ? 1000 : 100;
        follow<float>(isa, rule, o, 37, steps);
        follow<double>(isa, rule, o, 37, steps);
      }
  });
}

TEST("each optimizer is right at every size from 0 to 67 and over several chunks") {
  for_each_isa([](const Isa& isa) {
    for (const Rule& rule : rules) {
      test::Scope scope(rule.name);
      for (size_t n = 0; n <= 67; ++n)
        follow<float>(isa, rule, options[7], n, 3), follow<double>(isa, rule, plain, n, 3);
      for (size_t n : {4095, 4096, 4097, 9001}) {
        follow<float>(isa, rule, plain, n, 3);
        follow<double>(isa, rule, options[7], n, 3);
      }
    }
  });
}

bool same(const UpdateSums& a, const UpdateSums& b) {
  return a.weight_squares == b.weight_squares && a.weight_absolutes == b.weight_absolutes &&
         a.change_squares == b.change_squares && a.gradient_squares == b.gradient_squares && a.nonfinite == b.nonfinite;
}
template <class T>
bool same(const State<T>& a, const State<T>& b) {
  const auto equal = [](const Guarded<T>& x, const Guarded<T>& y) {
    return std::memcmp(x.all.data(), y.all.data(), x.all.size() * sizeof(T)) == 0;
  };
  return equal(a.w, b.w) && equal(a.average, b.average) && equal(a.slots[0], b.slots[0]) &&
         equal(a.slots[1], b.slots[1]) && equal(a.slots[2], b.slots[2]);
}
template <class T>
UpdateSums two_steps(State<T>& state, const Rule& rule, const Isa& isa, size_t piece) {
  UpdateSums sums;
  for (int step = 1; step <= 2; ++step) {
    state.prepare(step);
    for (size_t first = 0; first < state.update.n; first += piece) {
      Update<T> part = state.update;
      part.n = std::min(piece, state.update.n - first);
      part.gradient += first, part.w += first;
      for (T*& slot : part.slots)
        if (slot) slot += first;
      if (part.average) part.average += first;
      apply(rule, isa, part, sums);
    }
  }
  return sums;
}
template <class T>
void compare_cuts() {
  for (const Rule& rule : rules)
    for (const Options& o : options) {
      if (test::is_quick() && &o != &options[7]) continue;  // everything at once
      test::Scope scope(std::string(rule.name) + " " + o.name);
      const size_t n = 3 * update_chunk + 21;
      State<T> whole(rule, o, n);
      const UpdateSums sums = two_steps(whole, rule, *available_isas()[0], n);
      for_each_isa([&](const Isa& isa) {
        for (size_t piece : {update_chunk, 2 * update_chunk, n}) {
          State<T> cut(rule, o, n);
          CHECK(same(two_steps(cut, rule, isa, piece), sums));
          CHECK(same(cut, whole));
        }
      });
    }
}
TEST("bits do not depend on the ISA or on cuts at whole chunks") { compare_cuts<float>(), compare_cuts<double>(); }

TEST("the running average changes nothing else") {
  for_each_isa([](const Isa& isa) {
    for (const Rule& rule : rules) {
      State<float> without(rule, plain, 100), with(rule, options[6], 100);
      without.w[3] = with.w[3] = -0.0f;
      two_steps(without, rule, isa, 100), two_steps(with, rule, isa, 100);
      CHECK(std::memcmp(without.w.data(), with.w.data(), 100 * sizeof(float)) == 0);
    }
  });
}

TEST("gradient_norm only reads, and counts what is not finite") {
  for_each_isa([](const Isa& isa) {
    for (size_t n : {1, 15, 16, 17, 5000}) {
      State<float> state(rules[5], options[7], n);
      state.prepare(1);
      const State<float> before = state;
      UpdateSums sums;
      sums.weight_absolutes = 1;
      isa.float32.gradient_norm(state.update, sums);
      CHECK(same(state, before));
      double squares = 0, absolutes = 1;
      for (size_t i = 0; i < n; ++i) {
        Reference r;
        r.w = state.w[i], absolutes += std::fabs(r.w);
        r.step("sgd", state.update, state.gradient[i]);
        squares += r.gradient * r.gradient;
      }
      CHECK_NEAR(sums.gradient_squares, squares, 1e-6 * squares);
      CHECK_NEAR(sums.weight_absolutes, absolutes, 1e-6 * absolutes);
      CHECK_EQ(sums.change_squares, 0.0);
      CHECK_EQ(sums.nonfinite, uint64_t(0));
      state.gradient[0] = std::numeric_limits<float>::quiet_NaN();
      state.gradient[n - 1] = -std::numeric_limits<float>::infinity();
      isa.float32.gradient_norm(state.update, sums);
      CHECK_EQ(sums.nonfinite, uint64_t(n > 1 ? 2 : 1));
      CHECK(!std::isfinite(sums.gradient_squares));
    }
  });
}

TEST("limit_column_norms scales the columns above the limit and leaves the others their bits") {
  for_each_isa([](const Isa& isa) {
    for (size_t rows : {0, 1, 3, 64, 200})
      for (size_t columns : {0, 1, 7, 16, 17, 63, 64, 67, 131}) {
        std::mt19937 random(5);
        std::normal_distribution<double> normal;
        Guarded<double> w(rows * columns);
        for (size_t i = 0; i < w.size(); ++i) w[i] = normal(random);
        Guarded<double> before = w;
        const double limit = std::sqrt(double(rows));
        isa.float64.limit_column_norms(w.data(), rows, columns, limit);
        CHECK(w.intact());
        for (size_t j = 0; j < columns; ++j) {
          double squares = 0;
          for (size_t i = 0; i < rows; ++i) squares += before[i * columns + j] * before[i * columns + j];
          const double factor = std::sqrt(squares) > limit ? limit / std::sqrt(squares) : 1;
          double worst = 0;
          for (size_t i = 0; i < rows; ++i)
            worst = std::fmax(worst, std::fabs(w[i * columns + j] - factor * before[i * columns + j]));
          CHECK_NEAR(worst, 0, factor == 1 ? 0 : 1e-13);
        }
      }
  });
}

}  // namespace
}  // namespace gradus
