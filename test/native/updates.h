// What the tests of the optimizers share: the rules, their options, a state between guard bands, the float64 reference.
#pragma once
#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "test.h"

namespace gradus::test {

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
inline const Rule rules[] = {RULE(sgd, 0),
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
inline void apply(const Rule& rule, const Isa& isa, const Update<float>& u, UpdateSums& s) {
  rule.float32(isa.float32, u, s);
}
inline void apply(const Rule& rule, const Isa& isa, const Update<double>& u, UpdateSums& s) {
  rule.float64(isa.float64, u, s);
}

struct Options {
  const char* name;
  double scale = 1, clip = 0, l1 = 0, l2 = 0, decay = 0, average = -1 /* none */;
};
inline const Options plain{"plain"};
inline const Options options[] = {plain,
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
  T operator[](size_t i) const { return all[guard + i]; }
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

}  // namespace gradus::test
