// The optimizers' rules. A rule gets w already shrunk by weight decay and returns the new w; slot[] holds its state
// before and after.
#pragma once
#include "../math-inl.h"
#include "../vectors-inl.h"

// What decays becomes 0 when almost nothing is left. Rounding would hold it among the denormal numbers for ever, where
// a step takes some processors twenty times as long; comparing gives the same bits everywhere, which their
// flush-to-zero modes do not. It costs as much as a fifth of an update, so whoever makes many has it done in one
// of clearing_interval.
//
// A velocity, a mean of gradients or an average of weights: below 2^-100 (2^-996 in double) it moves no weight, and
// above it the decay of thirty-two updates and the product with a learning rate leave a normal number. The sign that
// Lion takes of it tells nothing by then. A weight of that size, which penalties or decay have left of an input that
// is always 0 or of a dead unit, adds nothing to any score. A mean or sum of squares: its root is set against epsilon,
// beside which 2^-59 is nothing.
template <class T>
constexpr T smallest_mean = Constants<T>::smallest_normal* T(1 << 26);
template <class T>
constexpr T smallest_square = Constants<T>::smallest_normal* T(1 << 8);

template <class T>
INLINE Vec<T> kept(Vec<T> a, T smallest = smallest_mean<T>) {
  return select(abs(a) < Vec<T>(smallest), Vec<T>(0), a);
}
template <class T>
OUT_OF_LINE FUNCTION void clear_remnants(T* x, size_t n, T smallest) {
  for_vectors<T>(n, [=](size_t i, int count)
                        INLINE_LAMBDA { store_lanes(x + i, kept(load_lanes(x + i, count), smallest), count); });
}

// Of a slot of a rule.
template <template <class> class Rule, class T>
INLINE T smallest_of(int slot) {
  return Rule<T>::squares >> slot & 1 ? smallest_square<T> : smallest_mean<T>;
}

// Each rule has `slots`, how many it keeps; `squares`, a bit for each that holds squares; and whether it is light: of
// so little arithmetic that what is not wanted is better left out of its loop.
template <class T>
struct Sgd {
  static constexpr int slots = 0;
  static constexpr unsigned squares = 0;
  static constexpr bool is_light = true;
  Vec<T> rate;
  INLINE_PLAIN explicit Sgd(const Update<T>& u) : rate(u.learning_rate) {}
  INLINE_PLAIN Vec<T> operator()(Vec<T> w, Vec<T> g, Vec<T>*) const { return fnma(rate, g, w); }
};

template <class T>
struct Momentum {
  static constexpr int slots = 1;
  static constexpr unsigned squares = 0;
  static constexpr bool is_light = true;
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
  static constexpr unsigned squares = 0;
  static constexpr bool is_light = true;
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
  static constexpr unsigned squares = 0b1;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b1;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b1;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b1;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b1;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b11;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b10;
  static constexpr bool is_light = true;
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
  static constexpr unsigned squares = 0b110;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0b10;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0;
  static constexpr bool is_light = false;
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
  static constexpr unsigned squares = 0;
  static constexpr bool is_light = true;
  INLINE_PLAIN explicit NoStep(const Update<T>&) {}
};
