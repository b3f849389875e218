// Losses of rows of scores with their gradients, one pass for the loss and at most one more for the gradient:
// losses[row] = weight · loss, gradient = scale · weight · ∂loss/∂score. Labels are taken as valid.
#pragma once
#include "activations-inl.h"
#include "math-inl.h"

template <class T>
INLINE T weight_of(const Loss<T>& loss, size_t row) {
  return loss.weights ? loss.weights[row] : T(1);
}

// A row of weight 0 counts nothing, whatever its scores are, for 0 · ∞ would be NaN: true if this is one, and done
// with.
template <class T>
INLINE bool is_left_out(const Loss<T>& loss, size_t row) {
  if (weight_of(loss, row) != 0) return false;
  loss.losses[row] = 0;
  if (!loss.gradient) return true;
  T* gradient = loss.gradient + row * loss.columns;
  for_vectors<T>(loss.columns, [=](size_t j, int n) INLINE_LAMBDA { store_lanes(gradient + j, Vec<T>(0), n); });
  return true;
}

// The lane of a vector starting at column j that holds the label's column, if any does.
template <class T>
INLINE Mask<T> lane_of(int32_t label, size_t j) {
  return lane_indices<T>() == Vec<T>(T(int64_t(label) - int64_t(j)));
}

// What the loss of one row is made of: −Σ t · ln p = mass · ln(total) − shifted, where total = Σ e^(s − max),
// mass = Σ t and shifted = Σ t · (s − max). Both terms have one sign, so nothing cancels. With a temperature T other
// than 1, s − max is divided by it, and the loss is T² times that: gradients keep their size (Hinton, Vinyals and Dean
// 2015).
template <class T>
struct CrossEntropyTerms {
  Gathered<T> total, mass, shifted;
};

// Targets that are neither dense as they are nor one label: a label's with another one's share, or smoothed (Szegedy et
// al. 2016).
template <class T>
INLINE bool is_blended(const Loss<T>& loss) {
  return loss.smoothing != 0 || loss.other_labels;
}
// The targets of a row from column j on.
template <bool blended, class T>
INLINE Vec<T> targets_at(const Loss<T>& loss, size_t row, size_t j, int n) {
  const Vec<T> zero(0), one(1);
  Vec<T> t = loss.targets ? load_lanes(loss.targets + row * loss.columns + j, n)
                          : select(lane_of<T>(loss.labels[row], j), one, zero);
  if (!blended) return t;
  if (loss.other_labels) {
    const T share = loss.shares[row];
    t = t * Vec<T>(share) + select(lane_of<T>(loss.other_labels[row], j), Vec<T>(1 - share), zero);
  }
  const Vec<T> uniform = keep_lanes(Vec<T>(loss.smoothing / T(loss.columns)), n);
  return fma(Vec<T>(1 - loss.smoothing), t, uniform);
}

template <bool tempered, bool blended, class T>
INLINE void cross_entropy_row(const Loss<T>& loss, size_t row, CrossEntropyTerms<T>& terms, int i) {
  const size_t columns = loss.columns;
  const T* scores = loss.scores + row * columns;
  const bool dense = loss.targets != nullptr, adds_up = dense || blended;
  T* gradient = loss.gradient ? loss.gradient + row * columns : nullptr;
  const T largest = row_maximum(scores, columns);
  const T temperature = loss.parameter;
  const Vec<T> zero(0), divisor(temperature);
  Vec<T> total = zero, mass = zero, shifted = zero, e = zero;
  if (!adds_up) {
    const T of_label = scores[loss.labels[row]] - largest;
    terms.shifted.set(i, tempered ? of_label / temperature : of_label);
  }
  for_vectors<T>(columns, [&](size_t j, int n) INLINE_LAMBDA {
    Vec<T> shift = load_lanes(scores + j, n) - Vec<T>(largest);
    if (tempered) shift = shift / divisor;
    e = keep_lanes(exp(shift), n);
    total = total + e;
    if (adds_up) {
      const Vec<T> t = targets_at<blended>(loss, row, j, n);
      mass = mass + t;
      shifted = shifted + select(t == zero, zero, t * shift);  // 0 · −∞ counts as 0
    }
    if (gradient && columns > size_t(Vec<T>::lanes)) store_lanes(gradient + j, e, n);
  });
  const T sum_total = sum(total), sum_mass = dense ? sum(mass) : T(1);
  terms.total.set(i, sum_total), terms.mass.set(i, sum_mass);
  if (adds_up) terms.shifted.set(i, sum(shifted));
  if (!gradient) return;
  const T scale = tempered ? loss.scale * temperature : loss.scale;
  const Vec<T> factor(scale * weight_of(loss, row)), all(sum_total), all_mass(sum_mass);
  for_vectors<T>(columns, [&](size_t j, int n) INLINE_LAMBDA {
    if (columns > size_t(Vec<T>::lanes)) e = load_lanes(gradient + j, n);  // a short row is still in its register
    store_lanes(gradient + j, factor * (e / all * all_mass - targets_at<blended>(loss, row, j, n)), n);
  });
}

// The logarithms of as many rows as there are lanes are taken at once.
template <bool tempered, bool blended, class T>
INLINE void cross_entropy_rows(const Loss<T>& loss) {
  constexpr size_t lanes = Vec<T>::lanes;
  for (size_t first = 0; first < loss.rows; first += lanes) {
    const int count = int(loss.rows - first < lanes ? loss.rows - first : lanes);
    CrossEntropyTerms<T> terms;
    for (int i = 0; i < count; ++i) {
      terms.total.set(i, 1), terms.mass.set(i, 0), terms.shifted.set(i, 0);
      if (!is_left_out(loss, first + size_t(i)))
        cross_entropy_row<tempered, blended>(loss, first + size_t(i), terms, i);
    }
    const Vec<T> weight = loss.weights ? load_partial(loss.weights + first, count) : Vec<T>(1);
    const Vec<T> log_total = log(terms.total.vector(count));
    Vec<T> value = fma(terms.mass.vector(count), log_total, -terms.shifted.vector(count));
    if (tempered) value = value * Vec<T>(loss.parameter * loss.parameter);
    store_partial(loss.losses + first, weight * value, count);
  }
}

template <class T>
FUNCTION void softmax_cross_entropy(const Loss<T>& loss) {
  const bool plain = loss.parameter == 1;
  if (is_blended(loss))
    plain ? cross_entropy_rows<false, true>(loss) : cross_entropy_rows<true, true>(loss);
  else
    plain ? cross_entropy_rows<false, false>(loss) : cross_entropy_rows<true, false>(loss);
}

// Σ over the columns j but the label's of max(0, score[j] − score[label] + margin) (Weston and Watkins 1999).
template <class T>
FUNCTION void multiclass_hinge(const Loss<T>& loss) {
  const Vec<T> zero(0), one(1), margin(loss.parameter);
  for (size_t row = 0; row < loss.rows; ++row) {
    if (is_left_out(loss, row)) continue;
    const T* scores = loss.scores + row * loss.columns;
    T* gradient = loss.gradient ? loss.gradient + row * loss.columns : nullptr;
    const int32_t label = loss.labels[row];
    const T factor = loss.scale * weight_of(loss, row);
    const Vec<T> right(scores[label]);
    Vec<T> total = zero, violations = zero;
    for_vectors<T>(loss.columns, [&](size_t j, int n) INLINE_LAMBDA {
      const Vec<T> excess = max(zero, load_lanes(scores + j, n) - right + margin);
      const Vec<T> wrong = keep_lanes(select(lane_of<T>(label, j), zero, excess), n);
      const Vec<T> violated = select(wrong > zero, one, zero);
      total = total + wrong;
      violations = violations + violated;
      if (gradient) store_lanes(gradient + j, Vec<T>(factor) * violated, n);
    });
    loss.losses[row] = weight_of(loss, row) * sum(total);
    if (!gradient) continue;
    const T of_label = -factor * sum(violations);
    settle<T>();
    gradient[label] = of_label;
  }
}

// Σ over the columns j of max(0, margin − t · score[j]), t = 1 for the label's column and −1 for the others.
template <class T>
FUNCTION void one_vs_all_hinge(const Loss<T>& loss) {
  const Vec<T> zero(0), one(1), margin(loss.parameter);
  for (size_t row = 0; row < loss.rows; ++row) {
    if (is_left_out(loss, row)) continue;
    const T* scores = loss.scores + row * loss.columns;
    T* gradient = loss.gradient ? loss.gradient + row * loss.columns : nullptr;
    const int32_t label = loss.labels[row];
    const Vec<T> factor(loss.scale * weight_of(loss, row));
    Vec<T> total = zero;
    for_vectors<T>(loss.columns, [&](size_t j, int n) INLINE_LAMBDA {
      const Vec<T> sign = select(lane_of<T>(label, j), one, -one);
      const Vec<T> excess = max(zero, margin - sign * load_lanes(scores + j, n));
      total = total + keep_lanes(excess, n);
      if (gradient) store_lanes(gradient + j, select(excess > zero, -sign * factor, zero), n);
    });
    loss.losses[row] = weight_of(loss, row) * sum(total);
  }
}

// One loss a row of a single column, whose target may be its label: the rows fill the vectors.
template <class L, class T>
INLINE void single_column_losses(const Loss<T>& loss) {
  for_vectors<T>(loss.rows, [&](size_t row, int n) INLINE_LAMBDA {
    const Vec<T> s = load_lanes(loss.scores + row, n);
    const Vec<T> t = loss.labels ? load_integers<T>(loss.labels + row, n) : load_lanes(loss.targets + row, n);
    const Vec<T> weight = loss.weights ? load_lanes(loss.weights + row, n) : Vec<T>(1);
    const Vec<T> value = weight * L::value(s, t, loss.parameter), zero(0);
    const Mask<T> left_out = weight == zero;  // as in is_left_out
    store_lanes(loss.losses + row, select(left_out, zero, value), n);
    if (!loss.gradient) return;
    const Vec<T> slope = Vec<T>(loss.scale) * weight * L::slope(s, t, loss.parameter);
    store_lanes(loss.gradient + row, select(left_out, zero, slope), n);
  });
}

// The mean over the columns of L::value(score, target).
template <class L, class T>
INLINE void mean_losses(const Loss<T>& loss) {
  if (loss.columns == 1) return single_column_losses<L>(loss);
  for (size_t row = 0; row < loss.rows; ++row) {
    if (is_left_out(loss, row)) continue;
    const size_t start = row * loss.columns;
    const Vec<T> factor(loss.scale * weight_of(loss, row) / T(loss.columns));
    Vec<T> total(0);
    for_vectors<T>(loss.columns, [&](size_t j, int n) INLINE_LAMBDA {
      const Vec<T> s = load_lanes(loss.scores + start + j, n), t = load_lanes(loss.targets + start + j, n);
      total = total + keep_lanes(L::value(s, t, loss.parameter), n);
      if (loss.gradient) store_lanes(loss.gradient + start + j, factor * L::slope(s, t, loss.parameter), n);
    });
    loss.losses[row] = weight_of(loss, row) * (sum(total) / T(loss.columns));
  }
}

// (s − t)²
struct SquaredError {
  template <class T>
  INLINE Vec<T> value(Vec<T> s, Vec<T> t, T) {
    return (s - t) * (s - t);
  }
  template <class T>
  INLINE Vec<T> slope(Vec<T> s, Vec<T> t, T) {
    return (s - t) + (s - t);
  }
};
// |s − t|, whose slope at 0 is 0
struct AbsoluteError {
  template <class T>
  INLINE Vec<T> value(Vec<T> s, Vec<T> t, T) {
    return abs(s - t);
  }
  template <class T>
  INLINE Vec<T> slope(Vec<T> s, Vec<T> t, T) {
    const Vec<T> zero(0), one(1);
    return select(s > t, one, select(t > s, -one, s - t));  // NaN stays NaN
  }
};
// −t · ln σ(s) − (1 − t) · ln(1 − σ(s)) = max(s, 0) − s · t + ln(1 + e^−|s|)
struct BinaryCrossEntropy {
  template <class T>
  INLINE Vec<T> value(Vec<T> s, Vec<T> t, T) {
    return (max(Vec<T>(0), s) - s * t) + log1p(exp(-abs(s)));
  }
  template <class T>
  INLINE Vec<T> slope(Vec<T> s, Vec<T> t, T) {
    return sigmoid(s) - t;
  }
};
// e² / 2 for |e| ≤ delta, else delta · (|e| − delta / 2), where e = s − t (Huber 1964)
struct Huber {
  template <class T>
  INLINE Vec<T> value(Vec<T> s, Vec<T> t, T delta) {
    const Vec<T> e = abs(s - t), inside = min(Vec<T>(delta), e), half(0.5);
    return inside * (e - half * inside);
  }
  template <class T>
  INLINE Vec<T> slope(Vec<T> s, Vec<T> t, T delta) {
    return clamp(-delta, delta, s - t);
  }
};

template <class T>
FUNCTION void mean_squared_error(const Loss<T>& loss) {
  mean_losses<SquaredError>(loss);
}
template <class T>
FUNCTION void mean_absolute_error(const Loss<T>& loss) {
  mean_losses<AbsoluteError>(loss);
}
template <class T>
FUNCTION void binary_cross_entropy(const Loss<T>& loss) {
  mean_losses<BinaryCrossEntropy>(loss);
}
template <class T>
FUNCTION void huber(const Loss<T>& loss) {
  mean_losses<Huber>(loss);
}
