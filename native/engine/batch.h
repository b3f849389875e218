// From rows of a dataset, in their order, to the inputs, targets and weights of one pass.
#pragma once
#include "graph.h"

namespace gradus {

// Rows 0 to size − 1 in the order of one epoch: a function of seed, epoch and size alone.
std::vector<uint32_t> permutation(uint64_t seed, uint64_t epoch, size_t size);

enum class Targets { none, labels, dense };

template <class T>
class Batch {
 public:
  Batch(const Plan& plan, const Graph<T>& graph, bool labels, bool dense);

  // What the next calls read; throws GRADUS_SHAPE_MISMATCH or GRADUS_INVALID_ARGUMENT when it does not fit,
  // labels and indices included. The order
  // may be none: rows as they lie.
  void use(const Dataset& data, bool with_targets, const std::vector<double>& class_weights,
           const std::vector<uint32_t>* order);
  void reserve(size_t rows);
  double weight(size_t first, size_t rows) const;  // sum of these rows' weights
  void gather(size_t first, size_t rows, Graph<T>& graph);

  size_t size() const { return size_; }
  size_t columns() const { return columns_; }
  Targets kind() const { return kind_; }
  // Of the rows gathered last; null where there are none.
  const int32_t* labels() const { return kind_ == Targets::labels ? labels_.data() : nullptr; }
  const T* targets() const { return kind_ == Targets::dense ? targets_.data() : nullptr; }
  const T* weights() const { return weighted_ ? weights_.data() : nullptr; }

 private:
  void check_inputs() const;
  void check_targets();
  void check_numbers(Dataset::Role role, size_t column, size_t limit) const;
  size_t row(size_t i) const { return data_->row(order_ ? (*order_)[i] : i); }
  double weight_of(size_t i) const;
  void gather_reals(const Column& column, size_t first, size_t rows, Pass<T>& pass, T* to) const;
  void gather_integers(const Column& column, size_t first, size_t rows, int32_t* to) const;

  std::vector<InputPlan> inputs_;
  std::vector<size_t> vocabularies_;  // by input: numbers from there on name no row
  size_t columns_;                    // elements of one example's output
  Shape output_shape_;
  bool takes_labels_, takes_dense_;
  const Dataset* data_ = nullptr;
  const std::vector<uint32_t>* order_ = nullptr;
  std::vector<double> class_weights_;
  size_t size_ = 0;
  Targets kind_ = Targets::none;
  bool weighted_ = false;
  Buffer<int32_t> labels_;
  Buffer<T> targets_, weights_;
};

}  // namespace gradus
