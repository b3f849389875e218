// The rows of a RowsCall as inputs of passes.
#pragma once
#include "batch.h"
#include "calls.h"

namespace gradus {

template <class T>
class Rows {
 public:
  // Throws GRADUS_SHAPE_MISMATCH or GRADUS_INVALID_ARGUMENT when they do not fit the model. Both outlive this.
  Rows(const Model<T>& model, const RowsCall& call);

  size_t size() const { return call_.rows; }
  void reserve(size_t rows, Workspace<T>& in) const;  // as Batch::reserve()
  void gather(size_t first, Pass<T>& pass) const;     // as many rows as the pass has examples

 private:
  void check_numbers(size_t input) const;
  static void bring(Examples& examples, Pass<T>& pass);

  const Model<T>& model_;
  const RowsCall& call_;
};

}  // namespace gradus
