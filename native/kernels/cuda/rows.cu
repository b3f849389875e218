// Kernels that look at a row several times: a team has a short one in registers, so that it is read once and what comes of
// it is written once. Operation by operation as the texts of cpu/ have them, which take longer rows.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// At most so many vectors of it.
template <class T, int most>
struct Row {
  using Vec = text::Vec<T>;
  static constexpr int lanes = Vec::lanes;
  Vec values[most];
  const int columns;

  GPU_INLINE Row(const T* x, int columns) : columns(columns) {
    for_vectors([&](int v, int j, int n) { values[v] = text::load_partial(x + j, n); });
  }
  // body(number of a vector, its first column, how many of its lanes are in the row)
  template <class F>
  GPU_INLINE void for_vectors(F body) const {
    GPU_UNROLLED
    for (int v = 0; v < most; ++v) {
      const int j = v * lanes, n = columns - j < lanes ? columns - j : lanes;
      if (n > 0) body(v, j, n);
    }
  }
  GPU_INLINE T maximum() const {
    const Vec least(-text::infinity<T>());
    Vec largest = least;
    for_vectors([&](int v, int, int n) {
      largest = text::max(largest, n == lanes ? values[v] : text::select(text::first_lanes<T>(n), values[v], least));
    });
    return text::max_lane(largest);
  }
};

template <int most, class T>
GPU_INLINE void softmax_row(const T* x, int columns, T* y) {
  using Vec = text::Vec<T>;
  Row<T, most> row(x, columns);
  const Vec largest(row.maximum());
  Vec total(T(0));
  row.for_vectors([&](int v, int, int n) {
    row.values[v] = text::exp(row.values[v] - largest);
    total = total + text::keep_lanes(row.values[v], n);
  });
  total = Vec(text::sum(total));
  row.for_vectors([&](int v, int j, int n) { text::store_partial(y + j, row.values[v] / total, n); });
}

// See text::cross_entropy_row.
template <int most, bool tempered, class T>
GPU_INLINE void cross_entropy_row(const Loss<T>& loss, size_t number) {
  using Vec = text::Vec<T>;
  if (text::is_left_out(loss, number)) return;
  const Vec zero(T(0)), one(T(1)), divisor(loss.parameter);
  const size_t at = number * loss.columns;
  Row<T, most> row(loss.scores + at, int(loss.columns));
  const T largest = row.maximum();
  Vec total = zero, mass = zero, shifted = zero;
  row.for_vectors([&](int v, int j, int n) {
    Vec shift = row.values[v] - Vec(largest);
    if (tempered) shift = shift / divisor;
    row.values[v] = text::keep_lanes(text::exp(shift), n);
    total = total + row.values[v];
    if (!loss.targets) return;
    const Vec t = text::load_partial(loss.targets + at + j, n);
    mass = mass + t;
    shifted = shifted + text::select(t == zero, zero, t * shift);
  });
  total = Vec(text::sum(total)), mass = loss.targets ? Vec(text::sum(mass)) : one;
  if (loss.targets) {
    shifted = Vec(text::sum(shifted));
  } else {
    const T of_label = loss.scores[at + size_t(loss.labels[number])] - largest;
    shifted = Vec(tempered ? of_label / loss.parameter : of_label);
  }
  Vec value = text::fma(mass, text::log(total), -shifted);
  if (tempered) value = value * Vec(loss.parameter * loss.parameter);
  const T weight = text::weight_of(loss, number);
  text::store_partial(loss.losses + number, Vec(weight) * value, 1);
  if (!loss.gradient) return;
  const Vec factor((tempered ? loss.scale * loss.parameter : loss.scale) * weight);
  row.for_vectors([&](int v, int j, int n) {
    const Vec t = loss.targets ? text::load_partial(loss.targets + at + j, n)
                               : text::select(text::lane_of<T>(loss.labels[number], size_t(j)), one, zero);
    text::store_partial(loss.gradient + at + j, factor * (row.values[v] / total * mass - t), n);
  });
}

template <int most, class T>
GPU_INLINE void normalize_row(const Norm<T>& norm, size_t number) {
  using Vec = text::Vec<T>;
  const T columns = T(norm.columns);
  Row<T, most> row(norm.x + number * norm.stride, int(norm.columns));
  Vec total(T(0)), squares(T(0));
  row.for_vectors([&](int v, int, int) { total = total + row.values[v]; });
  const Vec mean(text::sum(total) / columns);
  row.for_vectors([&](int v, int, int n) {
    row.values[v] = text::keep_lanes(row.values[v] - mean, n);
    squares = text::fma(row.values[v], row.values[v], squares);
  });
  const Vec inverse = Vec(T(1)) / text::sqrt(Vec(text::sum(squares) / columns + norm.epsilon));
  T* const y = norm.y + number * norm.stride;
  row.for_vectors([&](int v, int j, int n) {
    const Vec gain = text::load_partial(norm.gain + j, n), bias = text::load_partial(norm.bias + j, n);
    text::store_partial(y + j, text::fma(row.values[v] * inverse, gain, bias), n);
  });
  text::store_partial(norm.mean + number, mean, 1);
  text::store_partial(norm.inverse_deviation + number, inverse, 1);
}

// ---- Launches: body(the most vectors of a row, as a constant), or false where rows are longer.
template <class T, class F>
bool with_most_vectors(size_t columns, F body) {
  const size_t vectors = (columns + text::Vec<T>::lanes - 1) / text::Vec<T>::lanes;
  if (vectors > 16) return false;
  if (vectors <= 1) {
    body(text::Constant<1>());
  } else if (vectors <= 4) {
    body(text::Constant<4>());
  } else {
    body(text::Constant<16>());
  }
  return true;
}

template <int most, class T>
void softmax_of(const T* x, size_t rows, size_t columns, T* y) {
  launch_pieces<text::Vec<T>::lanes>(by_rows(rows, columns), [=] GPU_LAMBDA(size_t row, size_t) {
    softmax_row<most>(x + row * columns, int(columns), y + row * columns);
  });
}
template <class T>
void softmax(const T* x, size_t rows, size_t columns, T* y) {
  const auto short_rows = [&](auto most) { softmax_of<decltype(most)::value>(x, rows, columns, y); };
  if (!with_most_vectors<T>(columns, short_rows)) teams::softmax<T>(x, rows, columns, y);
}

template <int most, bool tempered, class T>
void cross_entropy_of(const Loss<T>& loss) {
  launch_pieces<text::Vec<T>::lanes>(by_rows(loss.rows, loss.columns), [=] GPU_LAMBDA(size_t row, size_t) {
    cross_entropy_row<most, tempered>(loss, row);
  });
}
template <class T>
void softmax_cross_entropy(const Loss<T>& loss) {
  const auto short_rows = [&](auto most) {
    constexpr int vectors = decltype(most)::value;
    loss.parameter == 1 ? cross_entropy_of<vectors, false>(loss) : cross_entropy_of<vectors, true>(loss);
  };
  // Of blended targets teams take care, however short a row is.
  const bool is_plain = loss.smoothing == 0 && !loss.other_labels;
  if (!is_plain || !with_most_vectors<T>(loss.columns, short_rows)) teams::softmax_cross_entropy<T>(loss);
}

template <int most, class T>
void layer_norm_of(const Norm<T>& norm) {
  launch_pieces<text::Vec<T>::lanes>(by_rows(norm.rows, norm.columns),
                                     [=] GPU_LAMBDA(size_t row, size_t) { normalize_row<most>(norm, row); });
}
template <class T>
void layer_norm_forward(const Norm<T>& norm) {
  const auto short_rows = [&](auto most) { layer_norm_of<decltype(most)::value>(norm); };
  if (!with_most_vectors<T>(norm.columns, short_rows)) teams::layer_norm_forward<T>(norm);
}

}  // namespace

template <class T>
void put_rows(Kernels<T>& table) {
  table.softmax = softmax<T>;
  table.softmax_cross_entropy = softmax_cross_entropy<T>;
  table.layer_norm_forward = layer_norm_forward<T>;
}
PUT(rows);

}  // namespace gradus::cuda
