// Layer norm and batch norm, forward, backward, and how these move.
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

namespace {
// Layer norm and batch norm, each result in an array of its own.
template <class T>
void check_norms(Numbers& numbers, size_t rows, size_t columns) {
  const size_t stride = columns + numbers.below(3), sums = blocks_of(rows) * columns;
  Trial<T> trial;
  auto& x = trial.given(numbers.values<T>(rows * stride));
  auto& dy = trial.given(numbers.values<T>(rows * stride));
  auto& gain = trial.given(numbers.values<T>(columns));
  auto& bias = trial.given(numbers.values<T>(columns));
  auto& column_mean = trial.given(numbers.values<T>(columns));
  auto& column_inverse = trial.given(numbers.values<T>(columns));
  auto& of_rows = trial.template wanted<T>(2 * rows);
  auto& of_columns = trial.template wanted<T>(4 * columns);
  auto& statistics = trial.template wanted<T>(2 * sums);
  auto& dz = trial.template wanted<T>(rows * stride);
  // Of layer norm, of batch norm, of batch norm with constants.
  Array<T>*y[3], *dx[3], *gradients[3];
  for (int i = 0; i < 3; ++i) {
    y[i] = &trial.template wanted<T>(rows * stride);
    dx[i] = &trial.template wanted<T>(rows * stride);
    gradients[i] = &trial.template wanted<T>(2 * sums);
  }
  const bool wants_dx = numbers.often();
  const auto above = Activation(numbers.below(size_t(Activation::softplus) + 1));
  trial.run([&](const Kernels<T>& kernels, auto at) {
    const auto norm_of = [&](int i, T* mean, T* inverse) {
      Norm<T> norm;
      norm.rows = rows, norm.columns = columns, norm.stride = stride, norm.epsilon = T(1e-5);
      norm.x = at(x), norm.gain = at(gain), norm.bias = at(bias), norm.mean = mean, norm.inverse_deviation = inverse;
      norm.y = at(*y[i]), norm.dy = at(dy), norm.dx = wants_dx ? at(*dx[i]) : nullptr;
      norm.dgain = at(*gradients[i]), norm.dbias = norm.dgain + sums;
      return norm;
    };
    const Norm<T> layer = norm_of(0, at(of_rows), at(of_rows) + rows);
    kernels.layer_norm_forward(layer);
    kernels.layer_norm_backward(layer);
    T* const merged = at(of_columns);
    kernels.batch_norm_block_statistics(at(x), rows, columns, stride, at(statistics), at(statistics) + sums);
    kernels.batch_norm_merge(at(statistics), at(statistics) + sums, rows, columns, columns, T(1e-3), merged,
                             merged + columns, merged + 2 * columns);
    kernels.inverse_deviations(at(column_inverse), columns, T(1e-3), merged + 3 * columns);
    Norm<T> batch = norm_of(1, at(column_mean), at(column_inverse));
    batch.above = above, batch.above_parameter = T(0.5), batch.dz = at(dz), batch.dx = at(*dx[1]);
    kernels.batch_norm_forward(batch);
    kernels.batch_norm_block_gradients(batch);
    kernels.batch_norm_backward(batch, rows);
    Norm<T> constants = norm_of(2, at(column_mean), at(column_inverse));
    constants.above = above, constants.above_parameter = T(0.5);
    kernels.batch_norm_forward(constants);
    kernels.batch_norm_backward_of_constants(constants);
  });
}
}  // namespace

TEST("layer norm and batch norm have the processor's bits") {
  for_trials(10, [](Numbers& numbers, auto zero) {
    const auto [rows, columns] = numbers.few_rows(150, 100);
    if (rows > 0) check_norms<decltype(zero)>(numbers, rows, columns);
  });
}

TEST("layer norm and batch norm have them at and beside the edges of patches of rows and columns as well") {
  for_trials(1, [](Numbers& numbers, auto zero) {
    for (const size_t rows : {1, 8, 9, 64, 65})
      for (const size_t columns : {1, 15, 16, 33, 129}) {
        Scope scope(std::to_string(rows) + " x " + std::to_string(columns));
        check_norms<decltype(zero)>(numbers, rows, columns);
      }
  });
}

TEST("layer norm and batch norm have them of rows as long as teams have registers for, and longer ones") {
  for_trials(1, [](Numbers& numbers, auto zero) {
    for (const size_t columns : {65, 255, 256, 257, 1023, 1024, 1025}) {
      Scope scope(std::to_string(columns) + " columns");
      check_norms<decltype(zero)>(numbers, columns < 1000 ? 10 : 3, columns);
    }
  });
}

TEST("what many blocks of rows tell of a column is merged with the processor's bits") {
  for_trials(4, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t blocks = 1 + numbers.below(100), rows = (blocks - 1) * block_rows + 1 + numbers.below(block_rows);
    const size_t columns = numbers.at_least_one(70), stride = columns + numbers.below(3);
    Trial<T> trial;
    auto& means = trial.given(numbers.values<T>(blocks * stride));
    auto& squares = trial.given(numbers.values<T>(blocks * stride, numbers.below(4) == 0));
    auto& merged = trial.template wanted<T>(3 * columns);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      T* const to = at(merged);
      kernels.batch_norm_merge(at(means), at(squares), rows, columns, stride, T(1e-3), to, to + columns,
                               to + 2 * columns);
    });
  });
}

TEST("how norms and their gradients move has the processor's bits") {
  for_trials(10, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = numbers.at_least_one(40), columns = numbers.at_least_one(40);
    const size_t stride = columns + numbers.below(3), n = rows * stride, lines = rows > columns ? rows : columns;
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(n));
    auto& x_tangent = trial.given(numbers.values<T>(n));
    auto& dy = trial.given(numbers.values<T>(n));
    auto& dy_tangent = trial.given(numbers.values<T>(n));
    auto& gain = trial.given(numbers.values<T>(columns));
    auto& gain_tangent = trial.given(numbers.values<T>(columns));
    auto& bias_tangent = trial.given(numbers.values<T>(columns));
    auto& mean = trial.given(numbers.values<T>(lines));
    auto& inverse = trial.given(numbers.values<T>(lines));
    auto& y_tangent = trial.template wanted<T>(n);
    auto& dx_tangent = trial.template wanted<T>(n);
    auto& dgain_tangent = trial.given(numbers.values<T>(columns));
    auto& dbias_tangent = trial.given(numbers.values<T>(columns));
    const bool wants_dx = numbers.often(), follows = numbers.often(), is_layer = numbers.below(2);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      NormTangent<T> of;
      of.norm.rows = rows, of.norm.columns = columns, of.norm.stride = stride;
      of.norm.x = at(x), of.norm.gain = at(gain), of.norm.dy = at(dy);
      of.norm.mean = at(mean), of.norm.inverse_deviation = at(inverse);
      of.x_tangent = at(x_tangent), of.dy_tangent = at(dy_tangent);
      of.gain_tangent = at(gain_tangent), of.bias_tangent = at(bias_tangent);
      of.y_tangent = at(y_tangent), of.follows = follows;
      of.dgain_tangent = at(dgain_tangent), of.dbias_tangent = at(dbias_tangent);
      if (wants_dx) of.dx_tangent = at(dx_tangent);
      is_layer ? kernels.layer_norm_forward_tangent(of) : kernels.batch_norm_forward_tangent(of);
      is_layer ? kernels.layer_norm_backward_tangent(of) : kernels.batch_norm_backward_tangent(of);
    });
  });
}
