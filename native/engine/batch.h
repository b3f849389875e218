// From rows of a dataset, in their order, to the inputs, targets and weights of passes: what one call reads.
#pragma once
#include <optional>

#include "augmented_images.h"

namespace gradus {

// Rows 0 to size − 1 in the order of one epoch: a function of seed, epoch and size alone.
std::vector<uint32_t> permutation(uint64_t seed, uint64_t epoch, size_t size);

// From where the examples of one input lie into a pass.
template <class T>
void gather_input(const Model<T>& model, size_t input, const Examples& from, Pass<T>& pass) {
  NodeMemory<T>& node = pass.workspace.nodes[input];
  if (model.layout().nodes[input].index)
    pass.device.gather_numbers(from, pass.batch, node.indices.data());
  else
    pass.device.gather_examples(from, pass.batch, node.value.data());
}

enum class Targets { none, labels, dense };

template <class T>
class Batch {
 public:
  // Throws GRADUS_SHAPE_MISMATCH or GRADUS_INVALID_ARGUMENT when the data do not fit, labels and indices included.
  // Without an order rows come as they lie. What is referred to outlives the batch.
  Batch(const Model<T>& model, const Dataset& data, Workspace<T>& workspace);
  void use_targets(const std::vector<double>& class_weights);
  // is_new: the order is not that of the call before.
  void use_order(const std::vector<uint32_t>& order, bool is_new);
  // After the targets. Row 0 of the data is row `first_row` of the epoch. Throws GRADUS_INVALID_ARGUMENT, and
  // GRADUS_NO_DEVICE for any but the processor.
  void use_augmentation(const Augmentation& augmentation, uint64_t epoch, uint64_t first_row);

  // For gather_mirrored(). Throws as use_augmentation().
  void use_mirror();

  // Memory for so many rows in a workspace: the batch's own, or another that is only to tell how much it takes.
  void reserve(size_t rows, Workspace<T>& in) const;
  void reserve(size_t rows) const { reserve(rows, workspace_); }
  double weight(size_t first, size_t rows) const;           // sum of these rows' weights
  void gather(size_t first, Pass<T>& pass) const;           // as many rows as the pass has examples
  void gather_mirrored(size_t first, Pass<T>& pass) const;  // their inputs alone, images mirrored
  bool is_mirrored() const { return mirrored_.has_value(); }

  size_t size() const { return data_.size(); }
  size_t columns() const { return model_.output_size(); }
  // Of the rows gathered last; null where there are none.
  const int32_t* labels() const { return kind_ == Targets::labels ? memory_.labels.data() : nullptr; }
  // Beside them, of mixed examples whose targets are labels.
  const int32_t* other_labels() const { return mixes_labels() ? memory_.other_labels.data() : nullptr; }
  const T* shares() const { return memory_.shares.data(); }
  const T* targets() const { return kind_ == Targets::dense ? memory_.targets.data() : nullptr; }
  const T* weights() const { return weighted_ ? memory_.weights.data() : nullptr; }
  const T* example_weights() const;  // without those of the classes, which act on the loss alone

 private:
  void check_inputs() const;
  void bring(Dataset::Role role) const {
    while_taking("the data, which lie there whole", [&] { bring_columns(role); });
  }
  void bring_columns(Dataset::Role role) const;
  void check_targets();
  void check_numbers(Dataset::Role role, size_t column, size_t limit) const;
  size_t view_row(size_t i) const { return order_ ? (*order_)[i] : i; }
  size_t row(size_t i) const { return data_.row(view_row(i)); }
  bool mixes() const { return images_ && images_->mixes(); }
  bool mixes_labels() const { return mixes() && kind_ == Targets::labels; }
  using Images = std::optional<AugmentedImages<T>>;
  AugmentedColumn column_of(const Augmentation& augmentation, uint64_t epoch, uint64_t first_row) const;
  void gather_inputs(size_t first, const Images& images, Pass<T>& pass) const;
  Examples partners_of(Examples examples) const;
  bool has_example_weights() const { return !data_.columns(Dataset::Role::weight).empty(); }
  double example_weight_of(size_t i) const;
  double weight_of(size_t i) const;
  Examples examples_of(Dataset::Role role, size_t column, size_t first) const;
  const double* class_weights() const { return class_weights_.empty() ? nullptr : memory_.class_weights.data(); }

  const Model<T>& model_;
  const Dataset& data_;
  BatchMemory<T>& memory_;
  Workspace<T>& workspace_;
  const std::vector<uint32_t>* order_ = nullptr;
  const uint32_t* order_there_ = nullptr;  // where kernels read it
  std::vector<double> class_weights_;
  std::optional<AugmentedImages<T>> images_, mirrored_;
  Targets kind_ = Targets::none;
  bool weighted_ = false;
};

}  // namespace gradus
