// The scores of several models as those of one. Of members m with weights w and log-probabilities l of their scores s:
//
// probabilities  softmax: log Σ w · e^l; sigmoid: log Σ w · σ(s) − log Σ w · σ(−s), the logit of the mean
// geometric      softmax: Σ w · l
// vote           log of the share of votes, of yes-or-no outputs its logit, no share below a floor
// all others     Σ w · s
//
// Sums go over the members in their order and begin with the first one's term: of one member the scores stay as they
// are. Sums of e^l are made of e^(l − largest), so that what is improbable to all members does not become −∞.
#pragma once
#include "metrics-inl.h"

// A member's scores of a row.
template <class T>
INLINE const T* row_of(const Combination<T>& task, size_t member, size_t row) {
  return task.scores[member] + (task.first + row) * task.columns;
}

// What is taken off before exp: where the largest of some logarithms is −∞ all are, and −∞ − −∞ would be NaN.
template <class T>
INLINE Vec<T> shift_of(Vec<T> largest) {
  return select(largest == -infinity<T>(), Vec<T>(0), largest);
}

// Σ weight · of(member).
template <class T, class F>
INLINE Vec<T> weighted_sum(const Combination<T>& task, F of) {
  Vec<T> total = Vec<T>(task.weights[0]) * of(size_t(0));
  for (size_t m = 1; m < task.members; ++m) total = fma(Vec<T>(task.weights[m]), of(m), total);
  return total;
}

// The weighted standard deviation of value(member).
template <class T, class F>
INLINE Vec<T> weighted_deviation(const Combination<T>& task, F value) {
  const Vec<T> mean = weighted_sum(task, value);
  return sqrt(weighted_sum(task, [&](size_t m) INLINE_LAMBDA {
    const Vec<T> off = value(m) - mean;
    return off * off;
  }));
}

template <class T>
INLINE void give(const Combination<T>& task, size_t at, Vec<T> combined, int n) {
  store_lanes(task.combined + at, combined / Vec<T>(task.temperature), n);
}

// What softmax of a row takes off its scores: norms[m] the largest, norms[members + m] the logarithm of Σ e^(s −
// largest).
template <class T>
INLINE void find_norms(const Combination<T>& task, size_t row, T* norms) {
  for (size_t m = 0; m < task.members; ++m) {
    const T* scores = row_of(task, m, row);
    const Vec<T> largest(norms[m] = row_maximum(scores, task.columns));
    Vec<T> total(0);
    for_vectors<T>(task.columns, [&](size_t j, int n) INLINE_LAMBDA {
      total = total + keep_lanes(exp(load_lanes(scores + j, n) - largest), n);
    });
    norms[task.members + m] = sum(total);
  }
  settle<T>();
  map(norms + task.members, task.members, norms + task.members, [](Vec<T> total) INLINE_LAMBDA { return log(total); });
  settle<T>();
}

template <class T>
INLINE void combine_softmax(const Combination<T>& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    T* norms = task.norms + row * 2 * task.members;
    find_norms(task, row, norms);
    for_vectors<T>(task.columns, [&](size_t j, int n) INLINE_LAMBDA {
      const auto log_of = [&](size_t m) INLINE_LAMBDA {
        return load_lanes(row_of(task, m, row) + j, n) - Vec<T>(norms[m]) - Vec<T>(norms[task.members + m]);
      };
      const size_t at = row * task.columns + j;
      if (task.combine == Combine::scores) {
        const auto score_of = [&](size_t m) INLINE_LAMBDA { return load_lanes(row_of(task, m, row) + j, n); };
        give(task, at, weighted_sum(task, score_of), n);
      } else if (task.combine == Combine::geometric) {
        give(task, at, weighted_sum(task, log_of), n);
      } else if (task.combine == Combine::probabilities) {
        Vec<T> largest = log_of(0);
        for (size_t m = 1; m < task.members; ++m) largest = max(largest, log_of(m));
        const Vec<T> shift = shift_of(largest);
        const auto share_of = [&](size_t m) INLINE_LAMBDA { return exp(log_of(m) - shift); };
        give(task, at, shift + log(weighted_sum(task, share_of)), n);
      }
      if (!task.spread) return;
      const auto probability_of = [&](size_t m) INLINE_LAMBDA { return exp(log_of(m)); };
      store_lanes(task.spread + at, weighted_deviation(task, probability_of), n);
    });
  }
}

// log σ(s), where `rest` is ln(1 + e^−|s|), which that of −s has as well.
template <class T>
INLINE Vec<T> log_sigmoid(Vec<T> s, Vec<T> rest) {
  return min(Vec<T>(0), s) - rest;
}

template <class T, class F>
INLINE Vec<T> logit_of_mean(const Combination<T>& task, F score_of) {
  const auto rest_of = [](Vec<T> s) INLINE_LAMBDA { return log1p(exp(-abs(s))); };
  Vec<T> high = score_of(0), low = high;
  for (size_t m = 1; m < task.members; ++m) high = max(high, score_of(m)), low = min(low, score_of(m));
  const Vec<T> yes_shift = shift_of(log_sigmoid(high, rest_of(high)));
  const Vec<T> no_shift = shift_of(log_sigmoid(-low, rest_of(low)));
  Vec<T> yes(0), no(0);
  for (size_t m = 0; m < task.members; ++m) {
    const Vec<T> s = score_of(m), rest = rest_of(s), weight(task.weights[m]);
    yes = fma(weight, exp(log_sigmoid(s, rest) - yes_shift), yes);
    no = fma(weight, exp(log_sigmoid(-s, rest) - no_shift), no);
  }
  return (yes_shift + log(yes)) - (no_shift + log(no));
}

template <class T>
INLINE Vec<T> log_of_share(Vec<T> share) {
  return log(max(Vec<T>(T(1e-7)), share));  // NaN stays NaN
}

// Of yes-or-no outputs: a NaN is no vote, and makes the result one.
template <class T, class F>
INLINE Vec<T> logit_of_votes(const Combination<T>& task, F score_of) {
  const Vec<T> zero(0), one(1);
  const auto yes = [&](size_t m) INLINE_LAMBDA {
    const Vec<T> s = score_of(m);
    return select(s == s, select(s > zero, one, zero), s);
  };
  const auto no = [&](size_t m) INLINE_LAMBDA { return one - yes(m); };
  return log_of_share(weighted_sum(task, yes)) - log_of_share(weighted_sum(task, no));
}

// Whether each row of a member's scores is one vote.
template <class T>
INLINE bool votes_by_rows(const Combination<T>& task) {
  return task.combine == Combine::vote && task.link != Link::sigmoid;
}

// Where each output stands for itself.
template <class T>
INLINE void combine_elements(const Combination<T>& task) {
  for_vectors<T>(task.rows * task.columns, [&](size_t i, int n) INLINE_LAMBDA {
    const auto score_of = [&](size_t m) INLINE_LAMBDA { return load_lanes(row_of(task, m, 0) + i, n); };
    const bool is_sigmoid = task.link == Link::sigmoid;
    if (is_sigmoid && task.combine == Combine::probabilities)
      give(task, i, logit_of_mean<T>(task, score_of), n);
    else if (is_sigmoid && task.combine == Combine::vote)
      give(task, i, logit_of_votes<T>(task, score_of), n);
    else if (!votes_by_rows(task))
      give(task, i, weighted_sum(task, score_of), n);
    if (!task.spread) return;
    const auto probability_of = [&](size_t m) INLINE_LAMBDA { return is_sigmoid ? sigmoid(score_of(m)) : score_of(m); };
    store_lanes(task.spread + i, weighted_deviation(task, probability_of), n);
  });
}

// Each member votes for its highest score, the first of equals. One that is not a number is no vote, and the row none.
template <class T>
INLINE void combine_votes(const Combination<T>& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    T* shares = task.combined + row * task.columns;
    for (size_t j = 0; j < task.columns; ++j) shares[j] = 0;
    settle<T>();
    bool is_number = true;
    for (size_t m = 0; m < task.members; ++m) {
      const size_t choice = highest_of(row_of(task, m, row), task.columns);
      if (choice == no_class) {
        is_number = false;
        continue;
      }
      const T share = shares[choice] + task.weights[m];
      settle<T>();
      shares[choice] = share;
      settle<T>();
    }
    const Vec<T> unless = is_number ? Vec<T>(0) : not_a_number<T>();
    for_vectors<T>(task.columns, [&](size_t j, int n) INLINE_LAMBDA {
      give(task, row * task.columns + j, log_of_share(load_lanes(shares + j, n) + unless), n);
    });
  }
}

template <class T>
FUNCTION void combine(const Combination<T>& task) {
  const bool is_of_logs = task.combine == Combine::probabilities || task.combine == Combine::geometric;
  if (votes_by_rows(task)) combine_votes(task);
  if (task.link == Link::softmax && (is_of_logs || task.spread))
    combine_softmax(task);
  else if (!votes_by_rows(task) || task.spread)
    combine_elements(task);
}
