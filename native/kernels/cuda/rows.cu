// Softmax, and its loss with the gradient. Operation by operation as the texts of cpu/ have them, which take longer
// rows.
#include "row_parts.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// Quotients by one number, at least 1, of numbers from 0 to 1, rounded as divisions are: a product with its reciprocal,
// corrected twice by what is left (Markstein 1990). Where one of them is so small that what is left may be lost, they
// are divisions.
template <class T>
class Divisor {
 public:
  using Vec = text::Vec<T>;
  GPU_INLINE void look_at(Vec x) {
    const Bits before = gpu::bits_of(x.r.value) - 1;  // of 0 the largest
    least_ = before < least_ ? before : least_;
  }
  GPU_INLINE void set(T value) { value_ = value, reciprocal_ = T(1) / value; }
  GPU_INLINE Vec value() const { return Vec(value_); }
  // body(quotient), where quotient(x) is one.
  template <class F>
  GPU_INLINE void divide(F body) const {
    if (least_ < gpu::bits_of(small)) {
      body([this](Vec x) { return x / Vec(value_); });
    } else {
      body([this](Vec x) { return Vec(corrected(x.r.value, corrected(x.r.value, x.r.value * reciprocal_))); });
    }
  }

 private:
  static constexpr T small = sizeof(T) == 4 ? 0x1p-90f : 0x1p-900;
  GPU_INLINE T corrected(T x, T quotient) const {
    return gpu::fused(gpu::fused(-quotient, value_, x), reciprocal_, quotient);
  }
  using Bits = typename text::BitsOf<T>::type;
  T value_, reciprocal_;
  Bits least_ = ~Bits(0);
};

template <int most, class T>
GPU_INLINE void softmax_row(const T* x, int columns, T* y) {
  using Vec = text::Vec<T>;
  Row<T, most> row(x, columns);
  const Vec largest(row.maximum());
  Vec total(T(0));
  Divisor<T> all;
  row.for_vectors([&](int v, int, int n) {
    row.values[v] = text::exp(row.values[v] - largest);
    total = total + text::keep_lanes(row.values[v], n);
    all.look_at(row.values[v]);
  });
  all.set(text::sum(total));
  all.divide([&](auto quotient) {
    row.for_vectors([&](int v, int j, int n) { text::store_partial(y + j, quotient(row.values[v]), n); });
  });
}

// See text::cross_entropy_row.
template <int most, bool tempered, bool dense, class T>
GPU_INLINE void cross_entropy_row(const Loss<T>& loss, size_t number) {
  using Vec = text::Vec<T>;
  if (text::is_left_out(loss, number)) return;
  const Vec zero(T(0)), one(T(1)), divisor(loss.parameter);
  const size_t at = number * loss.columns;
  const int label = dense ? 0 : loss.labels[number], lane_of_label = label - text::lane_of_thread<T>();
  const T score_of_label = dense ? T(0) : loss.scores[at + size_t(label)];
  Row<T, most> row(loss.scores + at, int(loss.columns));
  const T largest = row.maximum();
  Vec total = zero, mass = zero, shifted = zero;
  Divisor<T> all;
  row.for_vectors([&](int v, int j, int n) {
    Vec shift = row.values[v] - Vec(largest);
    if (tempered) shift = shift / divisor;
    row.values[v] = text::keep_lanes(text::exp(shift), n);
    total = total + row.values[v];
    all.look_at(row.values[v]);
    if (!dense) return;
    const Vec t = text::load_partial(loss.targets + at + j, n);
    mass = mass + t;
    shifted = shifted + text::select(t == zero, zero, t * shift);
  });
  all.set(text::sum(total));
  mass = dense ? Vec(text::sum(mass)) : one;
  if (dense) {
    shifted = Vec(text::sum(shifted));
  } else {
    const T of_label = score_of_label - largest;
    shifted = Vec(tempered ? of_label / loss.parameter : of_label);
  }
  Vec value = text::fma(mass, text::log(all.value()), -shifted);
  if (tempered) value = value * Vec(loss.parameter * loss.parameter);
  const T weight = text::weight_of(loss, number);
  text::store_partial(loss.losses + number, Vec(weight) * value, 1);
  if (!loss.gradient) return;
  const Vec factor((tempered ? loss.scale * loss.parameter : loss.scale) * weight);
  Vec t[Row<T, most>::group];
  all.divide([&](auto quotient) {
    row.for_groups(
        [&](int i, int j, int n) {
          t[i] = dense ? text::load_partial(loss.targets + at + j, n) : Vec(lane_of_label == j ? T(1) : T(0));
        },
        [&](int i, int v, int j, int n) {
          text::store_partial(loss.gradient + at + j,
                              factor * (dense ? quotient(row.values[v]) * mass - t[i] : quotient(row.values[v]) - t[i]),
                              n);
        });
  });
}

// ---- Launches
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

template <int most, bool tempered, bool dense, class T>
void cross_entropy_of(const Loss<T>& loss) {
  launch_pieces<text::Vec<T>::lanes>(by_rows(loss.rows, loss.columns), [=] GPU_LAMBDA(size_t row, size_t) {
    cross_entropy_row<most, tempered, dense>(loss, row);
  });
}
template <class T>
void softmax_cross_entropy(const Loss<T>& loss) {
  const auto short_rows = [&](auto most) {
    constexpr int vectors = decltype(most)::value;
    const auto of = [&](auto tempered) {
      constexpr bool is_tempered = decltype(tempered)::value;
      loss.targets ? cross_entropy_of<vectors, is_tempered, true>(loss)
                   : cross_entropy_of<vectors, is_tempered, false>(loss);
    };
    loss.parameter == 1 ? of(text::Constant<false>()) : of(text::Constant<true>());
  };
  // Of blended targets teams take care, however short a row is.
  const bool is_plain = loss.smoothing == 0 && !loss.other_labels;
  if (!is_plain || !with_most_vectors<T>(loss.columns, short_rows)) teams::softmax_cross_entropy<T>(loss);
}

}  // namespace

template <class T>
void put_rows(Kernels<T>& table) {
  table.softmax = softmax<T>;
  table.softmax_cross_entropy = softmax_cross_entropy<T>;
}
PUT(rows);

}  // namespace gradus::cuda
