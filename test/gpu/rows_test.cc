// Kernels of rows and columns: sums, softmax, losses, what is gathered.
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

TEST("sums down columns have the processor's bits") {
  for_trials(15, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = numbers.size(300), columns = numbers.at_least_one(150), stride = columns + numbers.below(5);
    const size_t blocks = blocks_of(rows);
    const T beta = numbers.below(2) ? T(0) : T(0.5);
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(rows * stride, numbers.below(4) == 0));
    auto& sums = beta != 0 ? trial.given(numbers.values<T>(columns)) : trial.template wanted<T>(columns);
    auto& of_blocks = trial.template wanted<T>(blocks * columns);
    auto& total = beta != 0 ? trial.given(numbers.values<T>(columns)) : trial.template wanted<T>(columns);
    auto& of_all = beta != 0 ? trial.given(numbers.values<T>(columns)) : trial.template wanted<T>(columns);
    auto& maxima = trial.template wanted<T>(columns);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.column_sums(at(x), rows, columns, stride, beta, at(sums));
      kernels.block_sums(at(x), rows, columns, stride, at(of_blocks));
      kernels.add_blocks(at(of_blocks), blocks, columns, columns, beta, at(total));
      kernels.add_blocks(at(x), rows, columns, stride, beta, at(of_all));  // each row as a block
      kernels.column_maxima(at(x), rows, columns, stride, at(maxima));
    });
  });
}

TEST("softmax and its slopes have the processor's bits") {
  for_trials(15, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const auto [rows, columns] = numbers.few_rows(20, 130);
    const size_t n = rows * columns;
    Trial<T> trial;
    auto& x = trial.given(numbers.scores<T>(n));
    auto& dy = trial.given(numbers.values<T>(n));
    auto& y = trial.template wanted<T>(n);
    auto& dx = trial.template wanted<T>(n);
    auto& moved = trial.template wanted<T>(n);
    trial.run([&, rows = rows, columns = columns](const Kernels<T>& kernels, auto at) {
      kernels.softmax(at(x), rows, columns, at(y));
      kernels.softmax_backward(at(y), at(dy), rows, columns, at(dx));
      kernels.softmax_backward_tangent(at(y), at(dx), at(dy), at(x), rows, columns, at(moved));
    });
  });
}

TEST("softmax and its loss have the processor's bits where a score's share is next to nothing") {
  for_trials(1, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = 1000, columns = 40;
    std::vector<T> scores(rows * columns);
    for (T& score : scores) score = T(numbers.below(1 << 20)) / (1 << 20) * (sizeof(T) == 4 ? -105 : -746);
    Trial<T> trial;
    auto& x = trial.given(scores);
    auto& labels = trial.given(numbers.integers<int32_t>(rows, columns));
    auto& y = trial.template wanted<T>(rows * columns);
    auto& losses = trial.template wanted<T>(rows);
    auto& gradient = trial.template wanted<T>(rows * columns);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.softmax(at(x), rows, columns, at(y));
      Loss<T> loss;
      loss.rows = rows, loss.columns = columns, loss.scores = at(x), loss.labels = at(labels);
      loss.losses = at(losses), loss.gradient = at(gradient);
      kernels.softmax_cross_entropy(loss);
    });
  });
}

namespace {
// What is done to the targets: smoothed, or labels mixed with others.
enum Blend { plain, smoothed, mixed, both };
template <class T>
struct LossRow {
  const char* name;
  void (*Kernels<T>::*kernel)(const Loss<T>&);
  bool takes_labels, takes_targets, is_tangent;
  Blend blend = plain;
};
template <class T>
constexpr LossRow<T> loss_rows[] = {
    {"softmax_cross_entropy", &Kernels<T>::softmax_cross_entropy, true, true, false},
    {"softmax_cross_entropy, smoothed", &Kernels<T>::softmax_cross_entropy, true, true, false, smoothed},
    {"softmax_cross_entropy, mixed", &Kernels<T>::softmax_cross_entropy, true, false, false, mixed},
    {"softmax_cross_entropy, both", &Kernels<T>::softmax_cross_entropy, true, false, false, both},
    {"multiclass_hinge", &Kernels<T>::multiclass_hinge, true, false, false},
    {"one_vs_all_hinge", &Kernels<T>::one_vs_all_hinge, true, false, false},
    {"mean_squared_error", &Kernels<T>::mean_squared_error, false, true, false},
    {"mean_absolute_error", &Kernels<T>::mean_absolute_error, false, true, false},
    {"binary_cross_entropy", &Kernels<T>::binary_cross_entropy, false, true, false},
    {"huber", &Kernels<T>::huber, false, true, false},
    {"softmax_cross_entropy_tangent", &Kernels<T>::softmax_cross_entropy_tangent, true, true, true},
    {"softmax_cross_entropy_tangent, smoothed", &Kernels<T>::softmax_cross_entropy_tangent, true, true, true, smoothed},
    {"no_tangent", &Kernels<T>::no_tangent, true, true, true},
    {"mean_squared_error_tangent", &Kernels<T>::mean_squared_error_tangent, false, true, true},
    {"binary_cross_entropy_tangent", &Kernels<T>::binary_cross_entropy_tangent, false, true, true},
    {"huber_tangent", &Kernels<T>::huber_tangent, false, true, true},
};
}  // namespace

TEST("losses, their gradients and how these move have the processor's bits") {
  for_trials(6, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    for (const LossRow<T>& row : loss_rows<T>) {
      Scope scope(row.name);
      const auto [rows, columns] = numbers.few_rows(40, 90);
      const bool by_labels = row.takes_labels && (!row.takes_targets || numbers.below(2));
      const bool alone = columns == 1 && !row.takes_labels && numbers.below(2);  // labels as targets
      Trial<T> trial;
      Loss<T> loss;
      loss.rows = rows, loss.columns = columns;
      loss.scale = T(0.3), loss.parameter = numbers.below(2) ? T(1) : T(1.7);
      const bool mixes = row.blend == mixed || row.blend == both;
      if (row.blend == smoothed || row.blend == both) loss.smoothing = numbers.below(4) ? T(0.1) : T(1);
      auto& scores = trial.given(numbers.scores<T>(rows * columns));
      auto& labels = trial.given(numbers.integers<int32_t>(rows, columns));
      auto& other_labels = trial.given(numbers.integers<int32_t>(rows, columns));
      std::vector<T> share(rows);
      for (T& s : share) s = T(numbers.below(101)) / 100;
      auto& shares = trial.given(share);
      auto& targets = trial.given(numbers.values<T>(rows * columns));
      auto& tangent = trial.given(numbers.values<T>(rows * columns));
      std::vector<T> weight = numbers.values<T>(rows);
      for (T& w : weight) w = numbers.below(4) == 0 ? T(0) : std::fabs(w);
      auto* weights = trial.maybe(numbers.below(2), weight);
      auto& losses = trial.template wanted<T>(rows);
      const bool slopes = row.is_tangent || numbers.often();
      auto& gradient = trial.template wanted<T>(rows * columns);
      trial.run([&](const Kernels<T>& kernels, auto at) {
        Loss<T> here = loss;
        here.scores = at(scores), here.losses = at(losses), here.tangent = at(tangent);
        if (by_labels || (alone && !row.is_tangent))
          here.labels = at(labels);
        else
          here.targets = at(targets);
        if (mixes) here.other_labels = at(other_labels), here.shares = at(shares);
        if (weights) here.weights = at(*weights);
        if (slopes) here.gradient = at(gradient);
        (kernels.*row.kernel)(here);
      });
    }
  });
}

TEST("what is gathered, copied and turned has the processor's bits") {
  for_trials(12, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t rows = numbers.at_least_one(60), columns = numbers.at_least_one(50), n = rows * columns;
    constexpr ElementType types[] = {ElementType::float32, ElementType::float64, ElementType::uint8,
                                     ElementType::int32};
    const ElementType type = types[numbers.below(4)];
    const bool ordered = numbers.often(), viewed = numbers.often();
    Trial<T> trial;
    auto& floats = trial.given(numbers.values<float>(n));
    auto& doubles = trial.given(numbers.values<double>(n));
    auto& bytes = trial.given(numbers.integers<uint8_t>(n, 256));
    auto& integers = trial.given(numbers.integers<int32_t>(n, rows));
    auto& order = trial.given(numbers.integers<uint32_t>(rows, rows));
    auto& view = trial.given(numbers.integers<uint32_t>(rows, rows));
    auto& x = trial.given(numbers.values<T>(n, true));
    auto& y = trial.template wanted<T>(n);
    auto& to = trial.template wanted<int32_t>(n);
    auto& turned = trial.template wanted<T>(n);
    auto& table = trial.template wanted<T>(n);
    auto& wide = trial.template wanted<T>(rows * (columns + 3));
    auto& sums = trial.given(std::vector<double>(4, 0.5));
    auto& flag = trial.given(std::vector<uint8_t>{0});
    auto& of_classes = trial.given(std::vector<double>(rows, 1.25));
    auto& weights = trial.template wanted<T>(rows);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Examples from;
      from.type = type, from.elements = columns, from.scale = 0.25, from.offset = -3;
      from.data = type == ElementType::float32   ? reinterpret_cast<const uint8_t*>(at(floats))
                  : type == ElementType::float64 ? reinterpret_cast<const uint8_t*>(at(doubles))
                  : type == ElementType::int32   ? reinterpret_cast<const uint8_t*>(at(integers))
                                                 : at(bytes);
      if (ordered) from.order = at(order);
      if (viewed) from.view = at(view);
      kernels.gather_examples(from, rows, at(y));
      from.data = reinterpret_cast<const uint8_t*>(at(integers)), from.type = ElementType::int32;
      kernels.gather_numbers(from, rows, at(to));
      kernels.transpose(at(x), rows, columns, at(turned));
      kernels.gather_rows(at(x), columns, at(integers), rows, at(table));
      kernels.copy_columns(at(x), rows, columns, columns, columns + 3, at(wide));
      kernels.scale_rows(at(x), T(0.5), rows, columns, at(turned));
      kernels.sum(at(x), n, at(sums)[0]);
      kernels.squares(at(x), n, at(sums)[1]);
      kernels.penalty_sums(at(x), n, at(sums)[2], at(sums)[3]);
      kernels.find_nonfinite(at(x), n, *reinterpret_cast<bool*>(at(flag)));
      Examples own, labels;
      own.data = ordered ? reinterpret_cast<const uint8_t*>(at(doubles)) : nullptr, own.type = ElementType::float64;
      labels.data = reinterpret_cast<const uint8_t*>(at(integers)), labels.type = ElementType::int32;
      kernels.gather_weights(own, labels, viewed ? at(of_classes) : nullptr, rows, at(weights));
      kernels.divide_by_norm(at(of_classes), n, at(turned));
    });
  });
}

TEST("gradients of an embedding and counts of a histogram have the processor's bits") {
  for_trials(10, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t n = numbers.size(150), columns = numbers.at_least_one(30), rows = numbers.at_least_one(20);
    Trial<T> trial;
    auto& dy = trial.given(numbers.values<T>(n * columns, true));
    auto& places = trial.given(numbers.integers<int32_t>(n, rows));
    auto& table = trial.given(numbers.values<T>(rows * columns));
    auto& counts = trial.given(numbers.integers<uint32_t>(histogram_bins, 5));
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.scatter_add_rows(at(dy), columns, at(places), n, at(table));
      kernels.histogram(at(dy), n * columns, at(counts));
    });
  });
}

TEST("random numbers and dropout have the processor's bits, wherever they begin") {
  for_trials(15, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t n = numbers.size(200), first = numbers.below(3) == 0 ? (size_t(1) << 36) + 5 : numbers.below(100);
    const Counter counter{numbers.below(SIZE_MAX), uint32_t(numbers.below(1000)), numbers.below(size_t(1) << 40)};
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(n));
    auto& dropped = trial.template wanted<T>(n);
    auto& uniform = trial.template wanted<T>(n);
    auto& normal = trial.template wanted<T>(n);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.dropout(at(x), n, T(0.4), counter, first, at(dropped));
      kernels.random_uniform(counter, first, n, T(-1), T(2), at(uniform));
      kernels.random_normal(counter, first, n, T(0.5), T(3), at(normal));
    });
  });
}

namespace {
template <class T>
struct MetricRow {
  const char* name;
  void (*Kernels<T>::*kernel)(const Metric<T>&);
  bool counts_answers;
};
template <class T>
constexpr MetricRow<T> metric_rows[] = {
    {"accuracy", &Kernels<T>::accuracy, true},
    {"top_k", &Kernels<T>::top_k, false},
    {"confusion_matrix", &Kernels<T>::confusion_matrix, false},
    {"class_counts", &Kernels<T>::class_counts, true},
    {"errors", &Kernels<T>::errors, true},
    {"log_loss", &Kernels<T>::log_loss, true},
    {"r2", &Kernels<T>::r2, true},
};
}  // namespace

TEST("sums of metrics have the processor's bits") {
  for_trials(6, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    for (const MetricRow<T>& row : metric_rows<T>) {
      Scope scope(row.name);
      const size_t rows = numbers.size(40), columns = numbers.at_least_one(9);
      const bool by_labels = numbers.below(2);
      Trial<T> trial;
      auto& scores = trial.given(numbers.values<T>(rows * columns, numbers.below(4) == 0));
      auto& labels = trial.given(numbers.integers<int32_t>(rows, columns < 2 ? 2 : columns));
      auto& targets = trial.given(numbers.values<T>(rows * columns));
      std::vector<T> weight = numbers.values<T>(rows);
      for (T& w : weight) w = numbers.below(4) == 0 ? T(0) : std::fabs(w);
      auto* weights = trial.maybe(numbers.below(2), weight);
      auto& sums = trial.given(std::vector<double>(200));
      trial.run([&](const Kernels<T>& kernels, auto at) {
        Metric<T> metric;
        metric.rows = rows, metric.columns = columns, metric.k = 2;
        metric.scores = at(scores), metric.sums = at(sums);
        metric.answers = row.counts_answers && !by_labels && rows % 2 == 0;
        if (by_labels)
          metric.labels = at(labels);
        else
          metric.targets = at(targets);
        if (weights) metric.weights = at(*weights);
        (kernels.*row.kernel)(metric);
      });
    }
  });
}
