#include "batch.h"

#include <numeric>

#include "philox.h"

namespace gradus {

// Apart from the streams of dropout, which are numbers of nodes, and those of initialisation, from 2³¹ on.
constexpr uint32_t shuffle_stream = (uint32_t(1) << 31) - 1;

// Fisher and Yates' shuffle, one draw a row.
std::vector<uint32_t> permutation(uint64_t seed, uint64_t epoch, size_t size) {
  std::vector<uint32_t> rows(size);
  std::iota(rows.begin(), rows.end(), 0u);
  PhiloxBlock draws{};
  for (size_t i = size; i-- > 1;) {
    if (i % 4 == 3 || i + 1 == size) draws = philox({seed, shuffle_stream, epoch}, i / 4);
    std::swap(rows[i], rows[size_t(uint64_t(draws.words[i % 4]) * (i + 1) >> 32)]);
  }
  return rows;
}

namespace {
double read(const Column& column, size_t element) {
  const uint8_t* at = column.data.get() + element * size_of(column.type);
  switch (column.type) {
    case DataType::float32:
      return *reinterpret_cast<const float*>(at);
    case DataType::float64:
      return *reinterpret_cast<const double*>(at);
    case DataType::uint8:
      return *at * column.scale + column.offset;
    case DataType::int32:
      return *reinterpret_cast<const int32_t*>(at);
  }
  return 0;
}

[[noreturn]] void mismatch(const std::string& column, const std::string& expected, const std::string& received) {
  throw Error("GRADUS_SHAPE_MISMATCH", column + ": expected " + expected + ", received " + received);
}
}  // namespace

template <class T>
Batch<T>::Batch(const Plan& plan, const Graph<T>& graph, bool labels, bool dense)
    : inputs_(plan.inputs),
      columns_(elements_of(graph.output_shape())),
      output_shape_(graph.output_shape()),
      takes_labels_(labels),
      takes_dense_(dense) {
  for (size_t i = 0; i < inputs_.size(); ++i) vocabularies_.push_back(graph.vocabulary(i));
}

template <class T>
void Batch<T>::use(const Dataset& data, bool with_targets, const std::vector<double>& class_weights,
                   const std::vector<uint32_t>* order) {
  data_ = &data;
  order_ = order;
  size_ = data.size();
  check_inputs();
  kind_ = Targets::none;
  if (with_targets) check_targets();
  class_weights_ = with_targets ? class_weights : std::vector<double>();
  if (!class_weights_.empty() && (kind_ != Targets::labels || class_weights_.size() != columns_))
    throw Error("GRADUS_INVALID_ARGUMENT", "classWeights: expected integer labels and one weight for each of " +
                                               std::to_string(columns_) + " classes");
  const auto& weight = data.columns(Dataset::Role::weight);
  if (!weight.empty() && weight[0].elements() != 1)
    mismatch(weight[0].name, "one weight a row", to_string(weight[0].shape));
  weighted_ = with_targets && (!weight.empty() || !class_weights_.empty());
}

template <class T>
void Batch<T>::check_inputs() const {
  const auto& columns = data_->columns(Dataset::Role::input);
  if (columns.size() != inputs_.size())
    mismatch("dataset", std::to_string(inputs_.size()) + " inputs", std::to_string(columns.size()));
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (columns[i].elements() != elements_of(inputs_[i].shape))
      mismatch(columns[i].name, "shape " + to_string(inputs_[i].shape), to_string(columns[i].shape));
    if (inputs_[i].index && columns[i].type != DataType::int32)
      mismatch(columns[i].name, "an int32 column", "another type");
    if (inputs_[i].index) check_numbers(Dataset::Role::input, i, vocabularies_[i]);
  }
}

// Before anything is computed, so that a bad number in a late row costs no update.
template <class T>
void Batch<T>::check_numbers(Dataset::Role role, size_t column, size_t limit) const {
  const size_t bad = data_->first_outside(role, column, limit);
  if (bad == data_->size()) return;
  const Column& of = data_->columns(role)[column];
  const int32_t* at = reinterpret_cast<const int32_t*>(of.data.get()) + data_->row(bad) * of.elements();
  while (*at >= 0 && size_t(*at) < limit) ++at;
  throw Error("GRADUS_INVALID_ARGUMENT", of.name + ": expected numbers from 0 to " + std::to_string(limit - 1) +
                                             ", received " + std::to_string(*at) + " in row " + std::to_string(bad));
}

template <class T>
void Batch<T>::check_targets() {
  const auto& columns = data_->columns(Dataset::Role::target);
  if (columns.empty()) mismatch("dataset", "a target column", "none");
  const Column& target = columns[0];
  const bool integers = target.type == DataType::int32;
  if (takes_labels_ && integers && (target.elements() == 1 || !takes_dense_)) {
    if (target.elements() != 1) mismatch(target.name, "one label a row", to_string(target.shape));
    check_numbers(Dataset::Role::target, 0, columns_);
    kind_ = Targets::labels;
  } else if (takes_dense_) {
    if (target.elements() != columns_)
      mismatch(target.name, "shape " + to_string(output_shape_), to_string(target.shape));
    kind_ = Targets::dense;
  } else {
    mismatch(target.name, "an int32 column of labels", "another type");
  }
}

template <class T>
void Batch<T>::reserve(size_t rows) {
  labels_.grow(rows);
  targets_.grow(takes_dense_ ? product(rows, columns_) : 0);
  weights_.grow(rows);
}

template <class T>
double Batch<T>::weight_of(size_t i) const {
  double weight = 1;
  const auto& columns = data_->columns(Dataset::Role::weight);
  if (!columns.empty()) weight = read(columns[0], row(i));
  if (!class_weights_.empty()) {
    weight *= class_weights_[size_t(read(data_->columns(Dataset::Role::target)[0], row(i)))];
  }
  return weight;
}

template <class T>
double Batch<T>::weight(size_t first, size_t rows) const {
  if (!weighted_) return double(rows);
  double sum = 0;
  for (size_t i = first; i < first + rows; ++i) sum += weight_of(i);
  return sum;
}

template <class T>
void Batch<T>::gather(size_t first, size_t rows, Graph<T>& graph) {
  graph.pass.batch = rows;
  const auto& columns = data_->columns(Dataset::Role::input);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    NodeState<T>& node = graph.pass.nodes[i];
    if (inputs_[i].index)
      gather_integers(columns[i], first, rows, node.indices.data());
    else
      gather_reals(columns[i], first, rows, graph.pass, node.value.data());
  }
  if (kind_ == Targets::none) return;
  const Column& target = data_->columns(Dataset::Role::target)[0];
  if (kind_ == Targets::labels)
    gather_integers(target, first, rows, labels_.data());
  else
    gather_reals(target, first, rows, graph.pass, targets_.data());
  if (weighted_)
    for (size_t i = 0; i < rows; ++i) weights_.data()[i] = T(weight_of(first + i));
}

template <class T>
void Batch<T>::gather_reals(const Column& column, size_t first, size_t rows, Pass<T>& pass, T* to) const {
  const size_t n = column.elements();
  pass.row_blocks(rows, n, [&](size_t begin, size_t count) {
    for (size_t i = begin; i < begin + count; ++i) {
      const uint8_t* from = column.data.get() + row(first + i) * n * size_of(column.type);
      T* at = to + i * n;
      switch (column.type) {
        case DataType::float32:
          std::copy_n(reinterpret_cast<const float*>(from), n, at);
          break;
        case DataType::float64:
          std::copy_n(reinterpret_cast<const double*>(from), n, at);
          break;
        case DataType::int32:
          std::copy_n(reinterpret_cast<const int32_t*>(from), n, at);
          break;
        case DataType::uint8:
          pass.kernels->convert_bytes(from, n, T(column.scale), T(column.offset), at);
          break;
      }
    }
  });
}

template <class T>
void Batch<T>::gather_integers(const Column& column, size_t first, size_t rows, int32_t* to) const {
  const size_t n = column.elements();
  const int32_t* from = reinterpret_cast<const int32_t*>(column.data.get());
  for (size_t i = 0; i < rows; ++i) std::copy_n(from + row(first + i) * n, n, to + i * n);
}

template class Batch<float>;
template class Batch<double>;

}  // namespace gradus
