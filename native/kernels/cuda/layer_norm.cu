// Layer norm. Operation by operation as the texts of cpu/ have it, which take longer rows.
#include "row_parts.h"
#include "table.h"

namespace gradus::cuda {
namespace {

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
  Vec gain[Row<T, most>::group], bias[Row<T, most>::group];
  row.for_groups(
      [&](int i, int j, int n) {
        gain[i] = text::load_partial(norm.gain + j, n), bias[i] = text::load_partial(norm.bias + j, n);
      },
      [&](int i, int v, int j, int n) {
        text::store_partial(y + j, text::fma(row.values[v] * inverse, gain[i], bias[i]), n);
      });
  text::store_partial(norm.mean + number, mean, 1);
  text::store_partial(norm.inverse_deviation + number, inverse, 1);
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

// ---- Backward: a block of threads has a block of rows, its teams one each at a time. What they leave of these is
// added to the columns' sums row after row, by threads that have columns.
constexpr unsigned rows_at_once = 8;

template <class T, int most>
struct BackwardRows {
  // Teams that share a warp write to different banks.
  static constexpr int row = (most | 1) * text::Vec<T>::lanes;
  T dy[rows_at_once][row], normal[rows_at_once][row];
};
template <class T>
struct BackwardParams {
  Norm<T> norm;
  const uint32_t* guard;
};

template <int most, class T>
GPU_INLINE void take_row(const Norm<T>& norm, size_t number, T* dy_beside, T* normal_beside) {
  using Vec = text::Vec<T>;
  const T columns = T(norm.columns);
  Row<T, most> x(norm.x + number * norm.stride, int(norm.columns)),
      dy(norm.dy + number * norm.stride, int(norm.columns));
  const Vec mean(norm.mean[number]), inverse(norm.inverse_deviation[number]);
  Vec total(T(0)), along(T(0)), gain[Row<T, most>::group];
  const auto read_gain = [&](int i, int j, int n) { gain[i] = text::load_partial(norm.gain + j, n); };
  x.for_groups(read_gain, [&](int i, int v, int j, int n) {
    const Vec normal = (x.values[v] - mean) * inverse;
    text::store_partial(dy_beside + j, dy.values[v], n), text::store_partial(normal_beside + j, normal, n);
    const Vec e = dy.values[v] * gain[i];
    total = total + e, along = text::fma(e, normal, along);
    x.values[v] = normal;
  });
  if (!norm.dx) return;
  const Vec mean_e(text::sum(total) / columns), mean_along(text::sum(along) / columns);
  T* const dx = norm.dx + number * norm.stride;
  x.for_groups(read_gain, [&](int i, int v, int j, int n) {
    const Vec e = dy.values[v] * gain[i];
    text::store_partial(dx + j, inverse * text::fnma(x.values[v], mean_along, e - mean_e), n);
  });
}

template <class T, int most>
GPU_KERNEL_OF(rows_at_once* text::Vec<T>::lanes, 1)
void backward_rows(const BackwardParams<T> params) {
  if (is_raised(params.guard)) return;
  constexpr unsigned lanes = text::Vec<T>::lanes, threads = rows_at_once * lanes;
  constexpr unsigned most_columns = (most * lanes + threads - 1) / threads;  // of a thread
  const Norm<T>& norm = params.norm;
  BackwardRows<T, most>& beside = gpu::shared<BackwardRows<T, most>>();
  const unsigned team = gpu::thread() / lanes;
  const size_t first = size_t(gpu::block()) * block_rows, rest = norm.rows - first;
  const unsigned rows = rest < block_rows ? unsigned(rest) : unsigned(block_rows);
  T gains[most_columns], biases[most_columns];
  for (unsigned c = 0; c < most_columns; ++c) gains[c] = biases[c] = 0;
  GPU_ROLLED
  for (unsigned row = 0; row < rows; row += rows_at_once) {
    if (row + team < rows) take_row<most>(norm, first + row + team, beside.dy[team], beside.normal[team]);
    if (!planted(Mistake::no_barrier_before_adding)) gpu::barrier();
    const unsigned there = rows - row < rows_at_once ? rows - row : rows_at_once;
    GPU_UNROLLED
    for (unsigned c = 0; c < most_columns; ++c) {
      const unsigned j = gpu::thread() + c * threads;
      for (unsigned i = 0; j < norm.columns && i < there; ++i) {
        gains[c] = gpu::fused(beside.dy[i][j], beside.normal[i][j], gains[c]);
        biases[c] = beside.dy[i][j] + biases[c];
      }
    }
    if (!planted(Mistake::no_barrier_after_adding)) gpu::barrier();
  }
  T *const dgain = norm.dgain + gpu::block() * norm.columns, *const dbias = norm.dbias + gpu::block() * norm.columns;
  GPU_UNROLLED
  for (unsigned c = 0; c < most_columns; ++c) {
    const unsigned j = gpu::thread() + c * threads;
    if (j < norm.columns) dgain[j] = gains[c], dbias[j] = biases[c];
  }
}

template <class T>
void layer_norm_backward(const Norm<T>& norm) {
  if (norm.rows == 0) return;
  const auto short_rows = [&](auto of) {
    constexpr int most = decltype(of)::value;
    gpu::launch(backward_rows<T, most>,
                {unsigned(blocks_of(norm.rows)), rows_at_once * text::Vec<T>::lanes, sizeof(BackwardRows<T, most>)},
                BackwardParams<T>{norm, gpu::guard()});
  };
  if (!with_most_vectors<T>(norm.columns, short_rows)) teams::layer_norm_backward<T>(norm);
}

}  // namespace

template <class T>
void put_layer_norm(Kernels<T>& table) {
  table.layer_norm_forward = layer_norm_forward<T>;
  table.layer_norm_backward = layer_norm_backward<T>;
}
PUT(layer_norm);

}  // namespace gradus::cuda
