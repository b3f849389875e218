// Choices at kinks folded into a fingerprint, and scores of several models as those of one.
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

TEST("fingerprints of choices are the processor's") {
  for_trials(15, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = numbers.size(20), columns = numbers.at_least_one(20), n = rows * columns;
    const T parameter = numbers.below(2) ? T(1) : T(0.3);
    Trial<T> trial;
    auto& scores = trial.given(numbers.values<T>(n, numbers.below(4) == 0));
    auto& targets = trial.given(numbers.values<T>(n));
    auto& labels = trial.given(numbers.integers<int32_t>(rows, columns));
    auto& winners = trial.given(numbers.integers<int32_t>(n, 9));
    auto& prints = trial.given(numbers.integers<uint64_t>(8, SIZE_MAX));
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Loss<T> loss;
      loss.rows = rows, loss.columns = columns, loss.parameter = parameter;
      loss.scores = at(scores), loss.labels = at(labels), loss.targets = at(targets);
      kernels.fold_signs(at(scores), n, at(prints)[0]);
      kernels.fold_values(at(scores), n, at(prints)[1]);
      kernels.fold_winners(at(winners), n, at(prints)[2]);
      kernels.no_choices(loss, at(prints)[3]);
      kernels.multiclass_hinge_choices(loss, at(prints)[4]);
      kernels.one_vs_all_hinge_choices(loss, at(prints)[5]);
      kernels.mean_absolute_error_choices(loss, at(prints)[6]);
      kernels.huber_choices(loss, at(prints)[7]);
    });
  });
}

TEST("scores of several models are combined to the processor's bits") {
  for_trials(40, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t members = numbers.at_least_one(20), rows = numbers.size(12), columns = numbers.at_least_one(40);
    const size_t first = numbers.below(3), n = rows * columns, of_member = (first + rows) * columns;
    constexpr Combine combines[] = {Combine::probabilities, Combine::geometric, Combine::scores, Combine::vote};
    constexpr Link links[] = {Link::identity, Link::softmax, Link::sigmoid};
    Combination<T> task;
    task.combine = combines[numbers.below(4)], task.link = links[numbers.below(3)];
    task.members = members, task.rows = rows, task.columns = columns, task.first = first;
    task.temperature = numbers.below(2) ? T(1) : T(1.7);
    Trial<T> trial;
    auto& scores = trial.given(numbers.values<T>(members * of_member, numbers.below(4) == 0));
    auto& starts = trial.addresses(scores, members, of_member);
    std::vector<T> shares = numbers.values<T>(members);
    for (T& share : shares) share = std::fabs(share) / T(members) + T(0.01);
    auto& weights = trial.given(shares);
    // Of a row with a NaN the instruction sets of processors do not agree upon the largest score; what follows is NaN.
    auto& norms = trial.workspace(rows * 2 * members);
    auto& combined = trial.template wanted<T>(n);
    auto& spread = trial.template wanted<T>(n);
    const bool wants_spread = numbers.below(2);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Combination<T> here = task;
      here.scores = at(starts), here.weights = at(weights), here.norms = at(norms);
      here.combined = at(combined);
      if (wants_spread) here.spread = at(spread);
      kernels.combine(here);
    });
  });
}
