// Examples resident in native memory: input columns, at most one target column and one of weights, of equal length.
// Shared ownership: a running program keeps the data alive whatever JavaScript does.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace gradus {

using DataType = ElementType;
size_t size_of(DataType type);

// Around all that was ever written to an int32 column; the zeros from before count too.
struct Bounds {
  std::atomic<int32_t> least{0}, most{0};
};

// What bytes stand for in one row of pixels, or of what else the last two dimensions are: v * scales[i] + offsets[i].
struct BytesByChannel {
  std::vector<double> scales, offsets;
};

struct Column {
  std::string name;
  DataType type = DataType::float32;
  std::vector<size_t> shape;     // of one example; empty for a scalar
  double scale = 1, offset = 0;  // a uint8 element v stands for v * scale + offset
  // In place of those, or none: by element of the last dimension; the dataset makes rows of them.
  std::vector<double> scales, offsets;
  std::shared_ptr<const BytesByChannel> by_channel;
  std::shared_ptr<uint8_t> data;  // examples × elements of the type, 64-byte aligned
  std::shared_ptr<Bounds> bounds;
  std::shared_ptr<std::atomic<uint64_t>> version;  // another one after each write
  size_t elements() const;                         // of one example
};

class Dataset {
 public:
  enum class Role { input, target, weight };
  // All columns zero-filled; write() fills them. Throws GRADUS_TOO_LARGE when the size overflows and for 2³²
  // rows or more, GRADUS_OUT_OF_MEMORY when memory is short.
  Dataset(size_t examples, std::vector<Column> inputs, std::vector<Column> target, std::vector<Column> weight);

  size_t size() const;  // rows of this view
  // Copies count elements (of the column's type) to element `first` of the column. Bounds are checked.
  void write(Role role, size_t column, size_t first, const void* from, size_t count);
  // Copies rows that there are in the view to `to`, as a model sees them: bytes become floats, v * scale + offset.
  void read(Role role, size_t column, size_t first_row, size_t rows, void* to) const;
  // The same memory, only these rows, in this order. Indices are checked.
  std::shared_ptr<Dataset> subset(std::vector<uint32_t> rows) const;
  size_t bytes_of(const Column& column) const { return examples_ * column.elements() * size_of(column.type); }
  size_t row(size_t i) const;  // where row i of the view lies in the columns
  // Likewise of all; none: as they lie.
  const std::shared_ptr<const std::vector<uint32_t>>& view() const { return rows_; }
  // First row of a column with a NaN or infinity, or size() when all are finite (integers always are).
  size_t first_nonfinite(Role role, size_t column) const;
  // First row of an int32 column with a number that is not below `limit` or not from 0 up, or size().
  size_t first_outside(Role role, size_t column, size_t limit) const;
  // Smallest and largest value of an int32 column (labels, indices).
  std::pair<int32_t, int32_t> range(Role role, size_t column) const;

  const std::vector<Column>& columns(Role role) const;

  // 64 bits over types, shapes, scales, offsets and the rows of the view in their order, wherever they lie: two
  // datasets that differ have the same by chance alone. Nothing once `stop` is set.
  uint64_t fingerprint(const std::atomic<bool>& stop) const;

  // For a call that reads: as long as anybody holds the pointer the memory is_read(), this view's and every other's,
  // and must not be written.
  std::shared_ptr<void> reader() const;
  bool is_read() const { return *readers_ > 0; }

 private:
  const Column& column(Role role, size_t number) const;
  uint64_t fold_elements(uint64_t fingerprint, const Column& column, const std::atomic<bool>& stop) const;

  size_t examples_ = 0;
  std::array<std::vector<Column>, 3> columns_;         // by role
  std::shared_ptr<const std::vector<uint32_t>> rows_;  // of the view, or none: all as they lie
  std::shared_ptr<std::atomic<size_t>> readers_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace gradus
