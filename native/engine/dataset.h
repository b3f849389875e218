// Examples resident in native memory: input columns, at most one target column and one of weights, of equal length.
// Shared ownership: a running program keeps the data alive whatever JavaScript does.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradus {

enum class DataType { float32, float64, uint8, int32 };
size_t size_of(DataType type);

struct Column {
  std::string name;
  DataType type = DataType::float32;
  std::vector<size_t> shape;      // of one example; empty for a scalar
  double scale = 1, offset = 0;   // a uint8 element v stands for v * scale + offset
  std::shared_ptr<uint8_t> data;  // examples × elements of the type, 64-byte aligned
  size_t elements() const;        // of one example
};

class Dataset {
 public:
  enum class Role { input, target, weight };
  // All columns zero-filled; write() fills them. Throws GRADUS_TOO_LARGE when the size overflows or memory is short.
  Dataset(size_t examples, std::vector<Column> inputs, std::vector<Column> target, std::vector<Column> weight);

  size_t size() const;  // rows of this view
  // Copies count elements (of the column's type) to element `first` of the column. Bounds are checked.
  void write(Role role, size_t column, size_t first, const void* from, size_t count);
  // The same memory, only these rows, in this order. Indices are checked.
  std::shared_ptr<Dataset> subset(std::vector<uint32_t> rows) const;
  size_t row(size_t i) const;  // where row i of the view lies in the columns
  // First row of a column with a NaN or infinity, or size() when all are finite (integers always are).
  size_t first_nonfinite(Role role, size_t column) const;
  // Smallest and largest value of an int32 column (labels, indices).
  std::pair<int32_t, int32_t> range(Role role, size_t column) const;

  const std::vector<Column>& columns(Role role) const;

 private:
  const Column& column(Role role, size_t number) const;

  size_t examples_ = 0;
  std::array<std::vector<Column>, 3> columns_;         // by role
  std::shared_ptr<const std::vector<uint32_t>> rows_;  // of the view, or none: all as they lie
};

}  // namespace gradus
