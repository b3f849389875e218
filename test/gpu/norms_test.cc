// Layer norm and batch norm, forward, backward, and how these move.
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

TEST("layer norm and batch norm have the processor's bits") {
  for_trials(10, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = numbers.at_least_one(150), columns = numbers.at_least_one(100), blocks = blocks_of(rows);
    const size_t stride = columns + numbers.below(3);
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(rows * stride));
    auto& dy = trial.given(numbers.values<T>(rows * stride));
    auto& gain = trial.given(numbers.values<T>(columns));
    auto& bias = trial.given(numbers.values<T>(columns));
    auto& mean = trial.template wanted<T>(rows);
    auto& inverse = trial.template wanted<T>(rows);
    auto& y = trial.template wanted<T>(rows * stride);
    auto& dx = trial.template wanted<T>(rows * stride);
    auto& dgain = trial.template wanted<T>(blocks * columns);
    auto& dbias = trial.template wanted<T>(blocks * columns);
    auto& column_mean = trial.given(numbers.values<T>(columns));
    auto& column_inverse = trial.given(numbers.values<T>(columns));
    auto& means = trial.template wanted<T>(blocks * columns);
    auto& squares = trial.template wanted<T>(blocks * columns);
    auto& merged = trial.template wanted<T>(3 * columns);
    auto& dz = trial.template wanted<T>(rows * stride);
    const bool wants_dx = numbers.often();
    const auto above = Activation(numbers.below(size_t(Activation::softplus) + 1));
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Norm<T> norm;
      norm.rows = rows, norm.columns = columns, norm.stride = stride, norm.epsilon = T(1e-5);
      norm.x = at(x), norm.gain = at(gain), norm.bias = at(bias), norm.y = at(y);
      norm.mean = at(mean), norm.inverse_deviation = at(inverse);
      norm.dy = at(dy), norm.dgain = at(dgain), norm.dbias = at(dbias);
      if (wants_dx) norm.dx = at(dx);
      kernels.layer_norm_forward(norm);
      kernels.layer_norm_backward(norm);
      kernels.batch_norm_block_statistics(at(x), rows, columns, stride, at(means), at(squares));
      kernels.batch_norm_merge(at(means), at(squares), rows, columns, columns, T(1e-3), at(merged),
                               at(merged) + columns, at(merged) + 2 * columns);
      norm.mean = at(column_mean), norm.inverse_deviation = at(column_inverse), norm.dx = at(dx);
      norm.above = above, norm.above_parameter = T(0.5), norm.dz = at(dz);
      kernels.batch_norm_forward(norm);
      kernels.batch_norm_block_gradients(norm);
      kernels.batch_norm_backward(norm, rows);
      kernels.batch_norm_backward_of_constants(norm);
      kernels.inverse_deviations(at(column_inverse), columns, T(1e-3), at(column_mean));
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
