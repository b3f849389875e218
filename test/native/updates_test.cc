// The optimizers against an independent float64 reference over 1,000 steps; their sums; cuts, guard bands and ISAs.
#include "updates.h"

namespace gradus::test {
namespace {

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
    Sample sample(3);
    for (const Rule& rule : rules)
      for (const Options& o : options) {
        if (!sample.has_next()) continue;
        Scope scope(std::string(rule.name) + " " + o.name);
        // By itself and with everything on for all of them; what one option does is seen sooner.
        const bool is_long = (&o == &options[0] || &o == &options[7]) && !is_quick();
        const int steps = is_long ? 1000 : 100;
        follow<float>(isa, rule, o, 37, steps);
        follow<double>(isa, rule, o, 37, steps);
      }
  });
}

TEST("each optimizer is right at every size from 0 to 67 and over several chunks") {
  for_each_isa([](const Isa& isa) {
    Sample sizes(5), chunks(3);
    for (const Rule& rule : rules) {
      Scope scope(rule.name);
      for (size_t n = 0; n <= 67; ++n)
        if (sizes.has_next()) follow<float>(isa, rule, options[7], n, 3), follow<double>(isa, rule, plain, n, 3);
      for (size_t n : {4095, 4096, 4097, 9001}) {
        if (!chunks.has_next()) continue;
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
      if (is_quick() && &o != &options[7]) continue;  // everything at once
      Scope scope(std::string(rule.name) + " " + o.name);
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
}  // namespace gradus::test
