// The optimizers: one pass over gradient, parameter and slots, which also leaves the norms that a monitor wants.
// Each optimizer is only a rule on vectors; run() does what they share.
#pragma once
#include "math-inl.h"
#include "vectors-inl.h"
#include "updates/rules-inl.h"

template <class T>
struct LaneSums {
  Vec<T> weight_squares = Vec<T>(0), weight_absolutes = Vec<T>(0);
  Vec<T> change_squares = Vec<T>(0), gradient_squares = Vec<T>(0);
  // Of what is there before a step, the gradient with its penalties, and of what a step changes.
  INLINE_PLAIN void add_before(Vec<T> w, Vec<T> g) {
    weight_squares = fma(w, w, weight_squares);
    weight_absolutes = weight_absolutes + abs(w);
    gradient_squares = fma(g, g, gradient_squares);
  }
  INLINE_PLAIN void add_change(Vec<T> change) { change_squares = fma(change, change, change_squares); }
  INLINE_PLAIN void add(const LaneSums& other) {
    weight_squares = weight_squares + other.weight_squares;
    weight_absolutes = weight_absolutes + other.weight_absolutes;
    change_squares = change_squares + other.change_squares;
    gradient_squares = gradient_squares + other.gradient_squares;
  }
};

INLINE void add(const UpdateSums& part, UpdateSums& sums) {
  sums.weight_squares += part.weight_squares;
  sums.weight_absolutes += part.weight_absolutes;
  sums.change_squares += part.change_squares;
  sums.gradient_squares += part.gradient_squares;
  sums.nonfinite += part.nonfinite;
}
template <class T>
FUNCTION uint64_t count_nonfinite(const T* x, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) count += !is_finite(x[i]);
  return count;
}

// The sums again in double, for floats from 1e19 on, whose squares leave the range of the lanes.
template <class T>
COLD FUNCTION void wide_sums(const T* gradient, const T* w, size_t n, T l1, T l2, UpdateSums& sums) {
  for (size_t i = 0; i < n; ++i) {
    const double weight = double(w[i]), sign = double(w[i] > 0) - double(w[i] < 0);
    const double g = double(gradient[i]) + double(l2) * weight + double(l1) * sign;
    sums.weight_squares += weight * weight;
    sums.weight_absolutes += weight * sign;
    sums.gradient_squares += g * g;
  }
}

// The slots of a rule, element i of slot s at at[s][i].
template <class T, template <class> class Rule>
struct Reals {
  static constexpr int slots = Rule<T>::slots;
  T* const at[3];

  INLINE_PLAIN explicit Reals(const Update<T>& u) : at{u.slots[0], u.slots[1], u.slots[2]} {}
  INLINE_PLAIN void read(bool whole, size_t i, int count, Vec<T>* slot) const {
    for (int s = 0; s < slots; ++s) slot[s] = whole ? load(at[s] + i) : load_partial(at[s] + i, count);
  }
  INLINE_PLAIN void write(bool whole, size_t i, int count, const Vec<T>* slot) const {
    for (int s = 0; s < slots; ++s) whole ? store(at[s] + i, slot[s]) : store_partial(at[s] + i, slot[s], count);
  }
  INLINE_PLAIN void clear(size_t first, size_t n) const {
    for (int s = 0; s < slots; ++s) clear_remnants(at[s] + first, n, smallest_of<Rule, T>(s));
  }
};

// Everything of one update at hand: constants in vectors, pointers out of reach of the stores.
template <class T, template <class> class Rule, bool regularized, bool averaged, class Slots = Reals<T, Rule>>
struct Pass {
  static constexpr int slots = Rule<T>::slots;
  const Rule<T> rule;
  const T* const gradient;
  T *const w, *const average;
  const Slots stored;
  const T l1_of, l2_of;
  const bool clears;
  const Vec<T> scale, l1, l2, limit, shrink, keep, fresh;

  INLINE_PLAIN explicit Pass(const Update<T>& u)
      : rule(u),
        gradient(u.gradient),
        w(u.w),
        average(u.average),
        stored(u),
        l1_of(u.l1),
        l2_of(u.l2),
        clears(u.clears_remnants),
        scale(scale_of(u)),
        l1(u.l1),
        l2(u.l2),
        limit(u.clip_value > 0 ? u.clip_value : T(__builtin_inf())),
        shrink(u.learning_rate * u.weight_decay),
        keep(u.average_decay),
        fresh(1 - u.average_decay) {}

  INLINE_PLAIN Vec<T> penalized(Vec<T> g, Vec<T> w) const {
    g = fma(l2, w, g);
    return select(w == Vec<T>(0), g, g + copy_sign(l1, w));
  }
  // The new w; slot[] becomes the new one.
  INLINE_PLAIN Vec<T> moved(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    g = min(limit, max(-limit, scale * g));  // a NaN comes through
    return rule(fnma(shrink, w, w), g, slot);
  }
  INLINE_PLAIN Vec<T> averaged_with(Vec<T> mean, Vec<T> w) const { return fma(keep, mean, fresh * w); }

  // Elements i to i + count; whole is a constant that says count == lanes.
  INLINE_PLAIN void step(bool whole, size_t i, int count, LaneSums<T>& sums) const {
    const auto read = [&](const T* p) INLINE_LAMBDA { return whole ? load(p + i) : load_partial(p + i, count); };
    const auto write = [&](T* p, Vec<T> a) INLINE_LAMBDA { whole ? store(p + i, a) : store_partial(p + i, a, count); };
    Vec<T> g = read(gradient);
    const Vec<T> before = read(w);
    if (regularized) g = penalized(g, before);
    sums.add_before(before, g);
    if constexpr (slots >= 0) {
      Vec<T> slot[slots + 1];
      stored.read(whole, i, count, slot);
      Vec<T> after = moved(before, g, slot);
      stored.write(whole, i, count, slot);
      write(w, after);
      if (averaged && average) write(average, averaged_with(read(average), after));
      if (!whole) after = read(w);  // the lanes beyond count are zero again, whatever the rule made of them
      sums.add_change(after - before);
    }
  }

  // What was there before a step is gone after it: only a pass without one has all sums. Of the others the gradient's
  // is set right, its penalties taken at the new w; those of weights and changes stay infinite.
  INLINE_PLAIN void widen(size_t first, size_t n, UpdateSums& of) const {
    UpdateSums wide;
    wide_sums(gradient + first, w + first, n, regularized ? l1_of : T(0), regularized ? l2_of : T(0), wide);
    of.gradient_squares = wide.gradient_squares;
    if (slots < 0) of.weight_squares = wide.weight_squares, of.weight_absolutes = wide.weight_absolutes;
  }

  INLINE_PLAIN void clear(size_t first, size_t n) const {
    stored.clear(first, n);
    if (slots >= 0) clear_remnants(w + first, n, smallest_mean<T>);
    if (averaged && average) clear_remnants(average + first, n, smallest_mean<T>);
  }

  // A gradient that is not finite makes its sum of squares not finite, so elements are counted only then.
  INLINE_PLAIN void mend(size_t first, size_t n, UpdateSums& of) const {
    if (!is_finite(of.gradient_squares)) of.nonfinite = count_nonfinite(gradient + first, n);
    const double mendable = slots < 0 ? of.gradient_squares + of.weight_squares : of.gradient_squares;
    if (of.nonfinite == 0 && !is_finite(mendable)) widen(first, n, of);
  }

  // One chunk of at most update_chunk elements.
  INLINE_PLAIN void chunk(size_t first, size_t n, UpdateSums& sums) const {
    constexpr size_t lanes = Vec<T>::lanes;
    LaneSums<T> lane, other;  // two of each sum, so that none waits for itself
    size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      step(true, first + i, int(lanes), lane);
      step(true, first + i + lanes, int(lanes), other);
    }
    if (i + lanes <= n) step(true, first + i, int(lanes), lane), i += lanes;
    if (i < n) step(false, first + i, int(n - i), other);
    if (clears) clear(first, n);
    lane.add(other);
    UpdateSums of;
    of.weight_squares = double(sum(lane.weight_squares));
    of.weight_absolutes = double(sum(lane.weight_absolutes));
    of.change_squares = double(sum(lane.change_squares));
    of.gradient_squares = double(sum(lane.gradient_squares));
    mend(first, n, of);
    add(of, sums);
  }
};

template <class T, template <class> class Rule, bool regularized, bool averaged>
FUNCTION void run_pass(const Update<T>& update, UpdateSums& sums) {
  const Pass<T, Rule, regularized, averaged> pass(update);
  const size_t n = update.n;
  for (size_t first = 0; first < n; first += update_chunk)
    pass.chunk(first, n - first < update_chunk ? n - first : update_chunk, sums);
}

// body(whether it is regularized, whether it averages) as constants. Clamp and decay always run, on neutral values if
// need be. Rules with roots and divisions are compiled twice: with nothing besides, and with regularisation and the
// average, which there halve the speed. Of the light ones each is left out when it is not wanted.
template <template <class> class Rule, class T, class F>
void choose_pass(const Update<T>& update, F body) {
  constexpr Constant<0> no;
  constexpr Constant<1> yes;
  const bool regularized = update.l1 != 0 || update.l2 != 0;
  if constexpr (!Rule<T>::is_light) {
    regularized || update.average ? body(yes, yes) : body(no, no);
  } else if (update.average && Rule<T>::slots >= 0) {
    regularized ? body(yes, yes) : body(no, yes);
  } else {
    regularized ? body(yes, no) : body(no, no);
  }
}

// The sums are added into.
template <template <class> class Rule, class T>
void run(const Update<T>& update, UpdateSums& sums) {
  choose_pass<Rule>(update, [&](auto regularized, auto averaged) {
    run_pass<T, Rule, decltype(regularized)::value != 0, decltype(averaged)::value != 0>(update, sums);
  });
}

template <class T>
FUNCTION void gradient_norm(const Update<T>& update, UpdateSums& sums) {
  run<NoStep>(update, sums);
}
template <class T>
FUNCTION void sgd(const Update<T>& update, UpdateSums& sums) {
  run<Sgd>(update, sums);
}
template <class T>
FUNCTION void momentum(const Update<T>& update, UpdateSums& sums) {
  run<Momentum>(update, sums);
}
template <class T>
FUNCTION void nesterov(const Update<T>& update, UpdateSums& sums) {
  run<Nesterov>(update, sums);
}
template <class T>
FUNCTION void adagrad(const Update<T>& update, UpdateSums& sums) {
  run<Adagrad>(update, sums);
}
template <class T>
FUNCTION void rmsprop(const Update<T>& update, UpdateSums& sums) {
  run<RmsProp>(update, sums);
}
template <class T>
FUNCTION void rmsprop_momentum(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropMomentum>(update, sums);
}
template <class T>
FUNCTION void rmsprop_centered(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropCentered>(update, sums);
}
template <class T>
FUNCTION void rmsprop_centered_momentum(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropCenteredMomentum>(update, sums);
}
template <class T>
FUNCTION void adadelta(const Update<T>& update, UpdateSums& sums) {
  run<AdaDelta>(update, sums);
}
template <class T>
FUNCTION void adam(const Update<T>& update, UpdateSums& sums) {
  run<Adam>(update, sums);
}
template <class T>
FUNCTION void amsgrad(const Update<T>& update, UpdateSums& sums) {
  run<AmsGrad>(update, sums);
}
template <class T>
FUNCTION void nadam(const Update<T>& update, UpdateSums& sums) {
  run<Nadam>(update, sums);
}
template <class T>
FUNCTION void lion(const Update<T>& update, UpdateSums& sums) {
  run<Lion>(update, sums);
}

// Scales down the columns of w (rows, columns) whose norm is above the limit; the others keep their bits.
template <class T>
FUNCTION void limit_column_norms(T* w, size_t rows, size_t columns, T limit) {
  for_column_groups<T>(columns, [=](auto group, size_t j, int count) INLINE_LAMBDA {
    constexpr int vectors = decltype(group)::value;
    T* const top = w + j;
    Vec<T> squares[1][vectors], factor[vectors];
    sum_over_rows(rows, squares, [&](size_t i, int v, Vec<T>* term) INLINE_LAMBDA {
      const Vec<T> a = load_column<vectors>(top + i * columns, v, count);
      term[0] = a * a;
    });
    bool above = false;
    for (int v = 0; v < vectors; ++v) {
      const Vec<T> norm = sqrt(squares[0][v]);
      const Mask<T> over = norm > Vec<T>(limit);
      factor[v] = select(over, Vec<T>(limit) / norm, Vec<T>(1));
      above = above || any(over);
    }
    for (size_t i = 0; above && i < rows; ++i)
      for (int v = 0; v < vectors; ++v) {
        T* row = top + i * columns;
        store_column<vectors>(row, v, count, load_column<vectors>(row, v, count) * factor[v]);
      }
  });
}
