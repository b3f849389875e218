// The choices that a pass makes at kinks, folded into a fingerprint: see ../fingerprint.h. Words follow one another, so
// the loops are sequential.
#pragma once

// choice(i): true or false for each i below n; 64 of them make a word.
template <class Choice>
INLINE uint64_t fold_choices(uint64_t fingerprint, size_t n, const Choice& choice) {
  for (size_t first = 0; first < n; first += 64) {
    const size_t count = n - first < 64 ? n - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < count; ++i) word |= uint64_t(choice(first + i)) << i;
    fingerprint = fold(fingerprint, word);
  }
  return fingerprint;
}

template <class T>
FUNCTION void fold_signs(const T* x, size_t n, uint64_t& fingerprint) {
  fingerprint = fold_choices(fingerprint, n, [=](size_t i) INLINE_LAMBDA { return x[i] > 0; });
}

template <class T>
FUNCTION void fold_values(const T* x, size_t n, uint64_t& fingerprint) {
  uint64_t folded = fingerprint;
  for (size_t i = 0; i < n; ++i) {
    typename Vec<T>::Bits bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    folded = fold(folded, bits);
  }
  fingerprint = folded;
}

template <class T>
FUNCTION void fold_winners(const int32_t* winners, size_t n, uint64_t& fingerprint) {
  uint64_t folded = fingerprint;
  for (size_t i = 0; i < n; ++i) folded = fold(folded, uint64_t(winners[i]));
  fingerprint = folded;
}

// Eight of them make a word.
template <class T>
FUNCTION void fold_bytes(const uint8_t* bytes, size_t n, uint64_t& fingerprint) {
  uint64_t folded = fingerprint;
  for (size_t first = 0; first < n; first += 8) {
    const size_t count = n - first < 8 ? n - first : 8;
    uint64_t word = 0;
    for (size_t i = 0; i < count; ++i) word |= uint64_t(bytes[first + i]) << (8 * i);
    folded = fold(folded, word);
  }
  fingerprint = folded;
}

// Of a loss without kinks.
template <class T>
FUNCTION void no_choices(const Loss<T>&, uint64_t&) {}

// Element by element, side(row, column) says on which side of its kink a score lies.
template <class T, class Side>
INLINE void fold_sides(const Loss<T>& loss, uint64_t& fingerprint, Side side) {
  size_t row = 0, column = 0;
  fingerprint = fold_choices(fingerprint, loss.rows * loss.columns, [&](size_t) INLINE_LAMBDA {
    const bool choice = side(row, column);
    if (++column == loss.columns) ++row, column = 0;
    return choice;
  });
}

// Whether a score is nearer to the label's than the margin.
template <class T>
FUNCTION void multiclass_hinge_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_sides(loss, fingerprint, [&](size_t row, size_t column) INLINE_LAMBDA {
    const T* const scores = loss.scores + row * loss.columns;
    const size_t label = size_t(loss.labels[row]);
    return column != label && scores[column] - scores[label] + loss.parameter > 0;
  });
}
template <class T>
FUNCTION void one_vs_all_hinge_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_sides(loss, fingerprint, [&](size_t row, size_t column) INLINE_LAMBDA {
    const T score = loss.scores[row * loss.columns + column];
    return loss.parameter - (column == size_t(loss.labels[row]) ? score : -score) > 0;
  });
}
template <class T>
FUNCTION void mean_absolute_error_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fingerprint = fold_choices(fingerprint, loss.rows * loss.columns,
                             [&](size_t i) INLINE_LAMBDA { return loss.scores[i] > loss.targets[i]; });
}
template <class T>
FUNCTION void huber_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fingerprint = fold_choices(fingerprint, loss.rows * loss.columns, [&](size_t i) INLINE_LAMBDA {
    const T error = loss.scores[i] - loss.targets[i];
    return (error < 0 ? -error : error) <= loss.parameter;
  });
}
