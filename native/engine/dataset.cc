#include "dataset.h"

#include <algorithm>
#include <cmath>

#include "arena.h"

namespace gradus {

size_t size_of(DataType type) {
  switch (type) {
    case DataType::float32:
      return 4;
    case DataType::float64:
      return 8;
    case DataType::uint8:
      return 1;
    case DataType::int32:
      return 4;
  }
  return 0;
}

size_t Column::elements() const {
  size_t elements = 1;
  for (size_t extent : shape) elements = product(elements, extent);
  return elements;
}

// As many channels' numbers as a row has, one after the other.
static std::shared_ptr<const BytesByChannel> by_channel(const Column& column) {
  if (column.scales.empty()) return nullptr;
  const std::vector<size_t>& shape = column.shape;
  const size_t channels = column.scales.size();
  if (shape.empty() || shape.back() != channels || column.offsets.size() != channels || column.type != DataType::uint8)
    throw Error("GRADUS_INVALID_ARGUMENT", column.name +
                                               ": expected a scale and an offset for each of the last "
                                               "dimension's elements, and bytes");
  const size_t pixels = shape.size() > 1 ? shape[shape.size() - 2] : 1;
  const auto rows = std::make_shared<BytesByChannel>();
  for (size_t i = 0; i < product(pixels, channels); ++i) {
    rows->scales.push_back(column.scales[i % channels]);
    rows->offsets.push_back(column.offsets[i % channels]);
  }
  return rows;
}

Dataset::Dataset(size_t examples, std::vector<Column> inputs, std::vector<Column> target, std::vector<Column> weight)
    : examples_(examples), columns_{std::move(inputs), std::move(target), std::move(weight)} {
  if (columns_[1].size() > 1 || columns_[2].size() > 1)
    throw Error("GRADUS_INVALID_ARGUMENT", "a dataset has at most one target and one weight column");
  if (examples > UINT32_MAX) throw Error("GRADUS_TOO_LARGE", "examples: expected fewer than 2^32 rows");
  for (auto& role : columns_)
    for (Column& column : role) {
      column.bounds = std::make_shared<Bounds>();
      column.by_channel = by_channel(column);
      column.version = std::make_shared<std::atomic<uint64_t>>(1);
      column.data = allocate_zeroed(product(product(examples, column.elements()), size_of(column.type)), Pages::plain);
    }
}

size_t Dataset::size() const { return rows_ ? rows_->size() : examples_; }
size_t Dataset::row(size_t i) const { return rows_ ? (*rows_)[i] : i; }
const std::vector<Column>& Dataset::columns(Role role) const { return columns_[size_t(role)]; }

const Column& Dataset::column(Role role, size_t number) const {
  if (number >= columns(role).size())
    throw Error("GRADUS_INVALID_ARGUMENT", "the dataset has no such column: " + std::to_string(number));
  return columns(role)[number];
}

void Dataset::write(Role role, size_t number, size_t first, const void* from, size_t count) {
  const Column& to = column(role, number);
  const size_t elements = examples_ * to.elements(), bytes = size_of(to.type);
  if (first > elements || count > elements - first)
    throw Error("GRADUS_INVALID_ARGUMENT", to.name + ": expected at most " + std::to_string(elements) +
                                               " elements, received " + std::to_string(count) + " from element " +
                                               std::to_string(first) + " on");
  if (count == 0) return;
  ++*to.version;
  std::memcpy(to.data.get() + first * bytes, from, count * bytes);
  if (to.type != DataType::int32) return;
  const auto [least, most] =
      std::minmax_element(static_cast<const int32_t*>(from), static_cast<const int32_t*>(from) + count);
  to.bounds->least = std::min<int32_t>(to.bounds->least, *least);
  to.bounds->most = std::max<int32_t>(to.bounds->most, *most);
}

static void read_bytes(const Column& from, const uint8_t* at, size_t n, float* to) {
  const BytesByChannel* const by_channel = from.by_channel.get();
  const size_t period = by_channel ? by_channel->scales.size() : 1;
  const double *const scales = by_channel ? by_channel->scales.data() : &from.scale,
                      *const offsets = by_channel ? by_channel->offsets.data() : &from.offset;
  for (size_t j = 0; j < n; ++j) to[j] = std::fma(float(at[j]), float(scales[j % period]), float(offsets[j % period]));
}

void Dataset::read(Role role, size_t number, size_t first_row, size_t rows, void* to) const {
  const Column& from = column(role, number);
  const size_t n = from.elements(), bytes = n * size_of(from.type);
  for (size_t i = 0; i < rows && n > 0; ++i) {
    const uint8_t* at = from.data.get() + row(first_row + i) * bytes;
    if (from.type == DataType::uint8)
      read_bytes(from, at, n, static_cast<float*>(to) + i * n);
    else
      std::memcpy(static_cast<uint8_t*>(to) + i * bytes, at, bytes);
  }
}

std::shared_ptr<void> Dataset::reader() const {
  ++*readers_;
  return {nullptr, [readers = readers_](void*) { --*readers; }};
}

std::shared_ptr<Dataset> Dataset::subset(std::vector<uint32_t> rows) const {
  for (uint32_t& row : rows) {
    if (row >= size())
      throw Error("GRADUS_INVALID_ARGUMENT",
                  "rows: expected numbers below " + std::to_string(size()) + ", received " + std::to_string(row));
    row = uint32_t(this->row(row));
  }
  auto view = std::make_shared<Dataset>(*this);
  view->rows_ = std::make_shared<const std::vector<uint32_t>>(std::move(rows));
  return view;
}

template <class T>
static bool all_finite(const T* x, size_t n) {
  return std::all_of(x, x + n, [](T value) { return std::isfinite(value); });
}

size_t Dataset::first_nonfinite(Role role, size_t number) const {
  const Column& of = column(role, number);
  const size_t n = of.elements();
  for (size_t i = 0; i < size() && n > 0; ++i) {
    const uint8_t* at = of.data.get() + row(i) * n * size_of(of.type);
    if (of.type == DataType::float32 && !all_finite(reinterpret_cast<const float*>(at), n)) return i;
    if (of.type == DataType::float64 && !all_finite(reinterpret_cast<const double*>(at), n)) return i;
  }
  return size();
}

size_t Dataset::first_outside(Role role, size_t number, size_t limit) const {
  const Column& of = column(role, number);
  const auto is_outside = [limit](int32_t value) { return value < 0 || size_t(value) >= limit; };
  if (!is_outside(of.bounds->least) && !is_outside(of.bounds->most)) return size();
  const size_t n = of.elements();
  for (size_t i = 0; i < size() && n > 0; ++i) {
    const int32_t* at = reinterpret_cast<const int32_t*>(of.data.get()) + row(i) * n;
    if (std::any_of(at, at + n, is_outside)) return i;
  }
  return size();
}

std::pair<int32_t, int32_t> Dataset::range(Role role, size_t number) const {
  const Column& of = column(role, number);
  if (of.type != DataType::int32) throw Error("GRADUS_INVALID_ARGUMENT", of.name + ": expected an int32 column");
  const size_t n = of.elements();
  const int32_t* values = reinterpret_cast<const int32_t*>(of.data.get());
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (size_t i = 0; i < size() && n > 0; ++i)
    for (size_t j = 0; j < n; ++j) {
      low = std::min(low, values[row(i) * n + j]);
      high = std::max(high, values[row(i) * n + j]);
    }
  return low <= high ? std::make_pair(low, high) : std::make_pair(0, 0);
}

}  // namespace gradus
