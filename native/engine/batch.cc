#include "batch.h"

#include <numeric>

#include "kernels/philox.h"

namespace gradus {

// Fisher and Yates' shuffle, one draw a row.
std::vector<uint32_t> permutation(uint64_t seed, uint64_t epoch, size_t size) {
  std::vector<uint32_t> rows(size);
  std::iota(rows.begin(), rows.end(), 0u);
  PhiloxBlock draws{};
  for (size_t i = size; i-- > 1;) {
    if (i % 4 == 3 || i + 1 == size) draws = philox({seed, streams::shuffle, epoch}, i / 4);
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
Batch<T>::Batch(const Model<T>& model, const Dataset& data, Workspace<T>& workspace)
    : model_(model), data_(data), memory_(workspace.batch), workspace_(workspace) {
  check_inputs();
  bring(Dataset::Role::input);
}

// To where the device reads them, before passes take memory there, and before the first step: nobody waits within one.
template <class T>
void Batch<T>::bring_columns(Dataset::Role role) const {
  for (size_t column = 0; column < data_.columns(role).size(); ++column) examples_of(role, column, 0);
}

template <class T>
void Batch<T>::use_targets(const std::vector<double>& class_weights) {
  check_targets();
  class_weights_ = class_weights;
  if (!class_weights_.empty() && (kind_ != Targets::labels || class_weights_.size() != columns()))
    throw Error("GRADUS_INVALID_ARGUMENT", "classWeights: expected integer labels and one weight for each of " +
                                               std::to_string(columns()) + " classes");
  const auto& weight = data_.columns(Dataset::Role::weight);
  if (!weight.empty() && weight[0].elements() != 1)
    mismatch(weight[0].name, "one weight a row", to_string(weight[0].shape));
  weighted_ = !weight.empty() || !class_weights_.empty();
  bring(Dataset::Role::target), bring(Dataset::Role::weight);
}

template <class T>
void Batch<T>::check_inputs() const {
  const auto& columns = data_.columns(Dataset::Role::input);
  const std::vector<InputPlan>& inputs = model_.plan().inputs;
  if (columns.size() != inputs.size())
    mismatch("dataset", std::to_string(inputs.size()) + " inputs", std::to_string(columns.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (columns[i].elements() != elements_of(inputs[i].shape))
      mismatch(columns[i].name, "shape " + to_string(inputs[i].shape), to_string(columns[i].shape));
    if (inputs[i].index && columns[i].type != DataType::int32)
      mismatch(columns[i].name, "an int32 column", "another type");
    if (inputs[i].index) check_numbers(Dataset::Role::input, i, model_.vocabulary(i));
    if (columns[i].by_channel && !workspace_.memory.is_host())
      throw Error("GRADUS_NO_DEVICE", columns[i].name + ": scales by channel are for the processor: train on it");
  }
}

// Before anything is computed, so that a bad number in a late row costs no update.
template <class T>
void Batch<T>::check_numbers(Dataset::Role role, size_t column, size_t limit) const {
  const size_t bad = data_.first_outside(role, column, limit);
  if (bad == data_.size()) return;
  const Column& of = data_.columns(role)[column];
  const int32_t* at = reinterpret_cast<const int32_t*>(of.data.get()) + data_.row(bad) * of.elements();
  while (*at >= 0 && size_t(*at) < limit) ++at;
  throw Error("GRADUS_INVALID_ARGUMENT", of.name + ": expected numbers from 0 to " + std::to_string(limit - 1) +
                                             ", received " + std::to_string(*at) + " in row " + std::to_string(bad));
}

// Without a loss nobody minds what the targets are.
template <class T>
void Batch<T>::check_targets() {
  const std::optional<LossPlan>& loss = model_.plan().loss;
  const bool takes_labels = loss && loss->takes_labels, takes_dense = !loss || loss->takes_dense;
  const auto& columns = data_.columns(Dataset::Role::target);
  if (columns.empty()) mismatch("dataset", "a target column", "none");
  const Column& target = columns[0];
  const bool integers = target.type == DataType::int32;
  if (takes_labels && integers && (target.elements() == 1 || !takes_dense)) {
    if (target.elements() != 1) mismatch(target.name, "one label a row", to_string(target.shape));
    check_numbers(Dataset::Role::target, 0, this->columns());
    kind_ = Targets::labels;
  } else if (takes_dense) {
    if (target.elements() != this->columns())
      mismatch(target.name, "shape " + to_string(model_.output_shape()), to_string(target.shape));
    kind_ = Targets::dense;
  } else {
    mismatch(target.name, "an int32 column of labels", "another type");
  }
}

template <class T>
void Batch<T>::use_order(const std::vector<uint32_t>& order, bool is_new) {
  order_ = &order;
  order_there_ = workspace_.residence.order(order, is_new, workspace_.memory);
}

template <class T>
AugmentedColumn Batch<T>::column_of(const Augmentation& augmentation, uint64_t epoch, uint64_t first_row) const {
  if (!workspace_.memory.is_host())
    throw Error("GRADUS_NO_DEVICE", "the device has no kernel convert_images yet: use the processor");
  const std::vector<InputPlan>& inputs = model_.plan().inputs;
  const size_t input = image_input_of(inputs);
  const ImageShape shape = image_shape_of(inputs[input].name, inputs[input].shape);
  return {data_, input, shape, augmentation, model_.plan().seed, epoch, first_row};
}

template <class T>
void Batch<T>::use_mirror() {
  static const Augmentation mirror = Augmentation::mirror();
  mirrored_.emplace(column_of(mirror, 0, 0), memory_);
}

template <class T>
void Batch<T>::use_augmentation(const Augmentation& augmentation, uint64_t epoch, uint64_t first_row) {
  images_.emplace(column_of(augmentation, epoch, first_row), memory_);
  // Whatever takes both takes two labels.
  const std::optional<LossPlan>& loss = model_.plan().loss;
  if (mixes_labels() && !(loss->takes_labels && loss->takes_dense))
    throw Error("GRADUS_INVALID_ARGUMENT", "augment: expected a loss that takes two labels beside mixed examples");
}

template <class T>
void Batch<T>::reserve(size_t rows, Workspace<T>& in) const {
  Memory& from = in.memory;
  BatchMemory<T>& memory = in.batch;
  if (images_) images_->reserve(rows, from, memory);
  if (mixes_labels()) memory.other_labels.grow(rows, from);
  if (mixes() && kind_ == Targets::dense) memory.other_targets.grow(product(rows, columns()), from);
  if (kind_ == Targets::labels) memory.labels.grow(rows, from);
  if (kind_ == Targets::dense) memory.targets.grow(product(rows, columns()), from);
  if (weighted_) memory.weights.grow(rows, from);
  if (has_example_weights()) memory.example_weights.grow(rows, from);
  if (class_weights_.empty()) return;
  memory.class_weights.grow(class_weights_.size(), from);
  from.upload(memory.class_weights.data(), class_weights_.data(), class_weights_.size() * sizeof(double));
}

template <class T>
double Batch<T>::example_weight_of(size_t i) const {
  return has_example_weights() ? read(data_.columns(Dataset::Role::weight)[0], row(i)) : 1;
}

template <class T>
double Batch<T>::weight_of(size_t i) const {
  const double weight = example_weight_of(i);
  if (class_weights_.empty()) return weight;
  return weight * class_weights_[size_t(read(data_.columns(Dataset::Role::target)[0], row(i)))];
}

template <class T>
const T* Batch<T>::example_weights() const {
  if (class_weights_.empty()) return weights();
  return has_example_weights() ? memory_.example_weights.data() : nullptr;
}

template <class T>
double Batch<T>::weight(size_t first, size_t rows) const {
  if (!weighted_) return double(rows);
  double sum = 0;
  for (size_t i = first; i < first + rows; ++i) sum += weight_of(i);
  return sum;
}

template <class T>
Examples Batch<T>::examples_of(Dataset::Role role, size_t number, size_t first) const {
  const Column& column = data_.columns(role)[number];
  Examples examples;
  examples.data = workspace_.residence.of(column, data_.bytes_of(column), workspace_.memory);
  examples.type = column.type;
  examples.elements = column.elements();
  examples.scale = column.scale, examples.offset = column.offset;
  if (const BytesByChannel* of = column.by_channel.get())
    examples.scales = of->scales.data(), examples.offsets = of->offsets.data(), examples.period = of->scales.size();
  examples.order = order_there_;
  examples.view = workspace_.residence.view_of(data_, workspace_.memory);
  examples.first = first;
  return examples;
}

template <class T>
void Batch<T>::gather_inputs(size_t first, const Images& images, Pass<T>& pass) const {
  for (size_t i = 0; i < data_.columns(Dataset::Role::input).size(); ++i) {
    if (!images || images->input() != i) {
      gather_input(model_, i, examples_of(Dataset::Role::input, i, first), pass);
      continue;
    }
    std::vector<uint32_t>& rows = memory_.view_rows;
    rows.resize(pass.batch);
    for (size_t row = 0; row < pass.batch; ++row) rows[row] = uint32_t(view_row(first + row));
    images->gather(rows, pass.device, pass.workspace.nodes[i].value.data());
  }
}

template <class T>
void Batch<T>::gather_mirrored(size_t first, Pass<T>& pass) const {
  gather_inputs(first, mirrored_, pass);
}

// The rows that those of the batch are mixed with.
template <class T>
Examples Batch<T>::partners_of(Examples examples) const {
  examples.order = memory_.partners.data(), examples.first = 0;
  return examples;
}

template <class T>
void Batch<T>::gather(size_t first, Pass<T>& pass) const {
  gather_inputs(first, images_, pass);
  if (kind_ == Targets::none) return;
  const Examples target = examples_of(Dataset::Role::target, 0, first);
  if (kind_ == Targets::labels) {
    pass.device.gather_numbers(target, pass.batch, memory_.labels.data());
    if (mixes()) pass.device.gather_numbers(partners_of(target), pass.batch, memory_.other_labels.data());
  } else {
    pass.device.gather_examples(target, pass.batch, memory_.targets.data());
    if (mixes()) {
      pass.device.gather_examples(partners_of(target), pass.batch, memory_.other_targets.data());
      images_->mix_targets(pass.batch, columns(), pass.device, memory_.targets.data());
    }
  }
  if (!weighted_) return;
  const Examples weight = has_example_weights() ? examples_of(Dataset::Role::weight, 0, first) : Examples();
  pass.device.gather_weights(weight, target, class_weights(), pass.batch, memory_.weights.data());
  if (class_weights_.empty() || !has_example_weights()) return;
  pass.device.gather_weights(weight, target, nullptr, pass.batch, memory_.example_weights.data());
}

template class Batch<float>;
template class Batch<double>;

}  // namespace gradus
