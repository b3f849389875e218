// The optimizers: one pass over gradient, parameter and slots, which also leaves the norms that a monitor wants.
// Each optimizer is only a rule on vectors; run() does what they share. A rule gets w already shrunk by weight decay
// and returns the new w; slot[] holds its state before and after.
#pragma once
#include "math-inl.h"
#include "vectors-inl.h"

template <class T>
struct Sgd {
  static constexpr int slots = 0;
  Vec<T> rate;
  INLINE_PLAIN explicit Sgd(const Update<T>& u) : rate(u.learning_rate) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>*) const { return fnma(rate, g, w); }
};

template <class T>
struct Momentum {
  static constexpr int slots = 1;
  Vec<T> rate, momentum;
  INLINE_PLAIN explicit Momentum(const Update<T>& u) : rate(u.learning_rate), momentum(u.momentum) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[0] = fnma(rate, g, momentum * slot[0]);
    return w + slot[0];
  }
};

// Nesterov's momentum with the look-ahead folded into w (CS231n, "Learning").
template <class T>
struct Nesterov {
  static constexpr int slots = 1;
  Vec<T> rate, momentum, ahead;
  INLINE_PLAIN explicit Nesterov(const Update<T>& u)
      : rate(u.learning_rate), momentum(u.momentum), ahead(1 + u.momentum) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    const Vec<T> before = slot[0];
    slot[0] = fnma(rate, g, momentum * before);
    return w + fnma(momentum, before, ahead * slot[0]);
  }
};

template <class T>
struct Adagrad {
  static constexpr int slots = 1;
  Vec<T> rate, epsilon;
  INLINE_PLAIN explicit Adagrad(const Update<T>& u) : rate(u.learning_rate), epsilon(u.epsilon) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[0] = fma(g, g, slot[0]);
    return w - rate * g / (sqrt(slot[0]) + epsilon);
  }
};

template <class T>
struct RmsProp {
  static constexpr int slots = 1;
  Vec<T> rate, epsilon, decay, fresh;
  INLINE_PLAIN explicit RmsProp(const Update<T>& u)
      : rate(u.learning_rate), epsilon(u.epsilon), decay(u.decay_rate), fresh(1 - u.decay_rate) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[0] = fma(decay, slot[0], fresh * g * g);
    return w - rate * g / (sqrt(slot[0]) + epsilon);
  }
};

// With momentum on top: the velocity is of normalised gradients (Graves 2013, PyTorch and Keras alike).
template <class T>
struct RmsPropMomentum {
  static constexpr int slots = 2;
  const RmsProp<T> plain;
  Vec<T> momentum;
  INLINE_PLAIN explicit RmsPropMomentum(const Update<T>& u) : plain(u), momentum(u.momentum) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[0] = fma(plain.decay, slot[0], plain.fresh * g * g);
    slot[1] = momentum * slot[1] - plain.rate * g / (sqrt(slot[0]) + plain.epsilon);
    return w + slot[1];
  }
};

// Centred: divides by the running deviation (Graves 2013). The running mean of g² less the square of the running mean
// of g follows this recursion, in which nothing cancels.
template <class T>
struct RmsPropCentered {
  static constexpr int slots = 2;
  const RmsProp<T> plain;
  INLINE_PLAIN explicit RmsPropCentered(const Update<T>& u) : plain(u) {}
  INLINE_PLAIN Vec<T> step(Vec<T> g, Vec<T>* slot) const {
    const Vec<T> distance = g - slot[1];
    slot[0] = plain.decay * fma(plain.fresh * distance, distance, slot[0]);
    slot[1] = fma(plain.fresh, distance, slot[1]);
    return plain.rate * g / (sqrt(slot[0]) + plain.epsilon);
  }
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const { return w - step(g, slot); }
};

template <class T>
struct RmsPropCenteredMomentum {
  static constexpr int slots = 3;
  const RmsPropCentered<T> centered;
  Vec<T> momentum;
  INLINE_PLAIN explicit RmsPropCenteredMomentum(const Update<T>& u) : centered(u), momentum(u.momentum) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[2] = momentum * slot[2] - centered.step(g, slot);
    return w + slot[2];
  }
};

// Zeiler 2012: the running mean of squared changes gives the step its unit.
template <class T>
struct AdaDelta {
  static constexpr int slots = 2;
  Vec<T> rate, epsilon, decay, fresh;
  INLINE_PLAIN explicit AdaDelta(const Update<T>& u)
      : rate(u.learning_rate), epsilon(u.epsilon), decay(u.decay_rate), fresh(1 - u.decay_rate) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    slot[0] = fma(decay, slot[0], fresh * g * g);
    const Vec<T> change = sqrt((slot[1] + epsilon) / (slot[0] + epsilon)) * g;
    slot[1] = fma(decay, slot[1], fresh * change * change);
    return fnma(rate, change, w);
  }
};

// Kingma and Ba 2015, with bias correction.
template <class T>
struct Adam {
  static constexpr int slots = 2;
  Vec<T> rate, epsilon, decay1, fresh1, decay2, fresh2, correction2;
  INLINE_PLAIN explicit Adam(const Update<T>& u)
      : rate(u.learning_rate * u.correction1),
        epsilon(u.epsilon),
        decay1(u.momentum),
        fresh1(1 - u.momentum),
        decay2(u.decay_rate),
        fresh2(1 - u.decay_rate),
        correction2(u.correction2) {}
  INLINE_PLAIN void move_moments(Vec<T> g, Vec<T>* slot) const {
    slot[0] = fma(decay1, slot[0], fresh1 * g);
    slot[1] = fma(decay2, slot[1], fresh2 * g * g);
  }
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    move_moments(g, slot);
    return w - rate * slot[0] / (sqrt(slot[1] * correction2) + epsilon);
  }
};

// Reddi, Kale and Kumar 2018: the second moment never falls.
template <class T>
struct AmsGrad {
  static constexpr int slots = 3;
  const Adam<T> adam;
  INLINE_PLAIN explicit AmsGrad(const Update<T>& u) : adam(u) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    adam.move_moments(g, slot);
    slot[2] = max(slot[2], slot[1]);
    return w - adam.rate * slot[0] / (sqrt(slot[2] * adam.correction2) + adam.epsilon);
  }
};

// Dozat 2016: Nesterov's look-ahead in Adam's first moment.
template <class T>
struct Nadam {
  static constexpr int slots = 2;
  const Adam<T> adam;  // its rate holds correction1
  Vec<T> share;
  INLINE_PLAIN explicit Nadam(const Update<T>& u) : adam(u), share(u.learning_rate * u.gradient_share) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    adam.move_moments(g, slot);
    return w - fma(adam.rate, slot[0], share * g) / (sqrt(slot[1] * adam.correction2) + adam.epsilon);
  }
};

// Chen et al. 2023: the sign of an interpolated velocity; steps of one size.
template <class T>
struct Lion {
  static constexpr int slots = 1;
  Vec<T> rate, decay1, fresh1, decay2, fresh2;
  INLINE_PLAIN explicit Lion(const Update<T>& u)
      : rate(u.learning_rate),
        decay1(u.momentum),
        fresh1(1 - u.momentum),
        decay2(u.decay_rate),
        fresh2(1 - u.decay_rate) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>* slot) const {
    const Vec<T> direction = fma(decay1, slot[0], fresh1 * g), zero(0);
    slot[0] = fma(decay2, slot[0], fresh2 * g);
    return w - select(direction == zero, zero, copy_sign(rate, direction));
  }
};

// Only the sums: nothing is written.
template <class T>
struct NoStep {
  static constexpr int slots = -1;
  INLINE_PLAIN explicit NoStep(const Update<T>&) {}
};

template <class T>
struct LaneSums {
  Vec<T> weight_squares = Vec<T>(0), weight_absolutes = Vec<T>(0);
  Vec<T> change_squares = Vec<T>(0), gradient_squares = Vec<T>(0);
  INLINE_PLAIN void add(const LaneSums& other) {
    weight_squares = weight_squares + other.weight_squares;
    weight_absolutes = weight_absolutes + other.weight_absolutes;
    change_squares = change_squares + other.change_squares;
    gradient_squares = gradient_squares + other.gradient_squares;
  }
};

template <class T>
static uint64_t count_nonfinite(const T* x, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) count += !is_finite(x[i]);
  return count;
}

// Everything of one update at hand: constants in vectors, pointers out of reach of the stores.
template <class T, template <class> class Rule, bool regularized, bool averaged>
struct Pass {
  static constexpr int slots = Rule<T>::slots;
  const Rule<T> rule;
  const T* const gradient;
  T *const w, *const average;
  T* const slot_at[3];
  const Vec<T> scale, l1, l2, limit, shrink, keep, fresh;

  INLINE_PLAIN explicit Pass(const Update<T>& u)
      : rule(u),
        gradient(u.gradient),
        w(u.w),
        average(u.average),
        slot_at{u.slots[0], u.slots[1], u.slots[2]},
        scale(u.gradient_scale),
        l1(u.l1),
        l2(u.l2),
        limit(u.clip_value > 0 ? u.clip_value : T(__builtin_inf())),
        shrink(u.learning_rate * u.weight_decay),
        keep(u.average_decay),
        fresh(1 - u.average_decay) {}

  // Elements i to i + count; whole is a constant that says count == lanes.
  INLINE_PLAIN void step(bool whole, size_t i, int count, LaneSums<T>& sums) const {
    const auto read = [&](const T* p) INLINE_LAMBDA { return whole ? load(p + i) : load_partial(p + i, count); };
    const auto write = [&](T* p, Vec<T> a) INLINE_LAMBDA { whole ? store(p + i, a) : store_partial(p + i, a, count); };
    Vec<T> g = read(gradient);
    const Vec<T> before = read(w);
    if (regularized) {
      g = fma(l2, before, g);
      g = select(before == Vec<T>(0), g, g + copy_sign(l1, before));
    }
    sums.weight_squares = fma(before, before, sums.weight_squares);
    sums.weight_absolutes = sums.weight_absolutes + abs(before);
    sums.gradient_squares = fma(g, g, sums.gradient_squares);
    if constexpr (slots >= 0) {
      g = min(limit, max(-limit, scale * g));  // a NaN comes through
      Vec<T> slot[slots + 1];
      for (int s = 0; s < slots; ++s) slot[s] = read(slot_at[s]);
      Vec<T> after = rule(fnma(shrink, before, before), g, slot);
      for (int s = 0; s < slots; ++s) write(slot_at[s], slot[s]);
      write(w, after);
      if (averaged && average) write(average, fma(keep, read(average), fresh * after));
      if (!whole) after = read(w);  // the lanes beyond count are zero again, whatever the rule made of them
      const Vec<T> change = after - before;
      sums.change_squares = fma(change, change, sums.change_squares);
    }
  }

  // One chunk of at most update_chunk elements. A gradient that is not finite makes its sum of squares not finite, so
  // elements are counted only then.
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
    lane.add(other);
    const double gradient_squares = double(sum(lane.gradient_squares));
    sums.weight_squares += double(sum(lane.weight_squares));
    sums.weight_absolutes += double(sum(lane.weight_absolutes));
    sums.change_squares += double(sum(lane.change_squares));
    sums.gradient_squares += gradient_squares;
    if (!is_finite(gradient_squares)) sums.nonfinite += count_nonfinite(gradient + first, n);
  }
};

template <class T, template <class> class Rule, bool regularized, bool averaged>
void run_pass(const Update<T>& update, UpdateSums& sums) {
  const Pass<T, Rule, regularized, averaged> pass(update);
  const size_t n = update.n;
  for (size_t first = 0; first < n; first += update_chunk)
    pass.chunk(first, n - first < update_chunk ? n - first : update_chunk, sums);
}

// The sums are added into. Clamp and decay always run, on neutral values if need be. Rules with roots and divisions are
// compiled twice: with nothing besides, and with regularisation and the average, which there halve the speed.
template <template <class> class Rule, class T>
void run(const Update<T>& update, UpdateSums& sums) {
  const bool plain = update.l1 == 0 && update.l2 == 0 && !update.average;
  plain ? run_pass<T, Rule, false, false>(update, sums) : run_pass<T, Rule, true, true>(update, sums);
}
// For rules of little arithmetic: regularisation and average are left out of the loop when they are not wanted.
template <template <class> class Rule, class T>
void run_light(const Update<T>& update, UpdateSums& sums) {
  const bool regularized = update.l1 != 0 || update.l2 != 0;
  if (update.average && Rule<T>::slots >= 0) {
    regularized ? run_pass<T, Rule, true, true>(update, sums) : run_pass<T, Rule, false, true>(update, sums);
  } else {
    regularized ? run_pass<T, Rule, true, false>(update, sums) : run_pass<T, Rule, false, false>(update, sums);
  }
}

template <class T>
void gradient_norm(const Update<T>& update, UpdateSums& sums) {
  run_light<NoStep>(update, sums);
}
template <class T>
void sgd(const Update<T>& update, UpdateSums& sums) {
  run_light<Sgd>(update, sums);
}
template <class T>
void momentum(const Update<T>& update, UpdateSums& sums) {
  run_light<Momentum>(update, sums);
}
template <class T>
void nesterov(const Update<T>& update, UpdateSums& sums) {
  run_light<Nesterov>(update, sums);
}
template <class T>
void adagrad(const Update<T>& update, UpdateSums& sums) {
  run<Adagrad>(update, sums);
}
template <class T>
void rmsprop(const Update<T>& update, UpdateSums& sums) {
  run<RmsProp>(update, sums);
}
template <class T>
void rmsprop_momentum(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropMomentum>(update, sums);
}
template <class T>
void rmsprop_centered(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropCentered>(update, sums);
}
template <class T>
void rmsprop_centered_momentum(const Update<T>& update, UpdateSums& sums) {
  run<RmsPropCenteredMomentum>(update, sums);
}
template <class T>
void adadelta(const Update<T>& update, UpdateSums& sums) {
  run<AdaDelta>(update, sums);
}
template <class T>
void adam(const Update<T>& update, UpdateSums& sums) {
  run_light<Adam>(update, sums);
}
template <class T>
void amsgrad(const Update<T>& update, UpdateSums& sums) {
  run<AmsGrad>(update, sums);
}
template <class T>
void nadam(const Update<T>& update, UpdateSums& sums) {
  run<Nadam>(update, sums);
}
template <class T>
void lion(const Update<T>& update, UpdateSums& sums) {
  run<Lion>(update, sums);
}

// Scales down the columns of w (rows, columns) whose norm is above the limit; the others keep their bits.
template <class T>
void limit_column_norms(T* w, size_t rows, size_t columns, T limit) {
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
