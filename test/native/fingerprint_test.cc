// Fingerprints of datasets against their definition written plainly: every row copied out, then every word in order.
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "engine/dataset.h"
#include "test.h"

namespace gradus {
namespace {
using Role = Dataset::Role;

uint64_t fold(uint64_t fingerprint, uint64_t word) {
  uint64_t z = fingerprint ^ word;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (z ^ (z >> 31)) + 0x9e3779b97f4a7c15;
}
uint64_t bits(double number) {
  uint64_t bits;
  std::memcpy(&bits, &number, 8);
  return bits;
}

// After each 64 KB of whole rows, and at the end, zeros up to a multiple of 64 bytes.
std::vector<uint64_t> words_of(const Dataset& data, const Column& column) {
  const size_t row = column.elements() * size_of(column.type);
  const size_t rows = std::max<size_t>(1, 65536 / std::max<size_t>(1, row));
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < data.size(); ++i) {
    for (size_t j = 0; j < row; ++j) bytes.push_back(column.data.get()[data.row(i) * row + j]);
    if (i + 1 == data.size() || (i + 1) % rows == 0) bytes.resize((bytes.size() + 63) / 64 * 64);
  }
  std::vector<uint64_t> words(bytes.size() / 8);
  for (size_t i = 0; i < bytes.size(); ++i) words[i / 8] |= uint64_t(bytes[i]) << (i % 8 * 8);
  return words;
}

uint64_t reference(const Dataset& data) {
  uint64_t f = fold(0, data.size());
  for (Role role : {Role::input, Role::target, Role::weight}) {
    f = fold(f, data.columns(role).size());
    for (const Column& column : data.columns(role)) {
      f = fold(f, uint64_t(column.type));
      f = fold(f, column.shape.size());
      for (size_t extent : column.shape) f = fold(f, extent);
      f = fold(fold(f, bits(column.scale)), bits(column.offset));
      if (column.elements() == 0) continue;
      uint64_t chains[8];
      for (uint64_t i = 0; i < 8; ++i) chains[i] = fold(f, i);
      const std::vector<uint64_t> words = words_of(data, column);
      for (size_t i = 0; i < words.size(); ++i) chains[i % 8] = fold(chains[i % 8], words[i]);
      for (uint64_t chain : chains) f = fold(f, chain);
    }
  }
  return f;
}

Column column(DataType type, std::vector<size_t> shape, double scale = 1, double offset = 0) {
  Column made;
  made.name = "x", made.type = type, made.shape = std::move(shape), made.scale = scale, made.offset = offset;
  return made;
}
// Any bytes: whether they are numbers does not matter here.
void fill(Dataset& data, uint32_t seed) {
  std::mt19937 random(seed);
  for (Role role : {Role::input, Role::target, Role::weight})
    for (size_t i = 0; i < data.columns(role).size(); ++i) {
      const Column& to = data.columns(role)[i];
      std::vector<uint8_t> bytes(data.size() * to.elements() * size_of(to.type));
      for (uint8_t& byte : bytes) byte = uint8_t(random());
      data.write(role, i, 0, bytes.data(), data.size() * to.elements());
    }
}
const std::atomic<bool> no_stop{false};

TEST("a dataset's fingerprint is that of its words in order, whatever rows a view has") {
  const std::vector<std::vector<size_t>> shapes{{}, {1}, {3}, {0}, {64}, {5, 13}, {16384}, {70001}};
  for (DataType type : {DataType::float32, DataType::float64, DataType::uint8, DataType::int32})
    for (const std::vector<size_t>& shape : shapes)
      for (size_t rows : {0, 1, 2, 17, 400}) {
        Column x = column(type, shape, 0.5, -1);
        if (rows * x.elements() > 300000 && shape.size() == 1) continue;
        Dataset data(rows, {x, column(DataType::uint8, {2})}, {column(DataType::int32, {})}, {});
        fill(data, 1);
        CHECK_EQ(data.fingerprint(no_stop), reference(data));
        std::vector<uint32_t> order;
        for (size_t i = 0; i < rows; ++i) order.push_back(uint32_t((i * 7 + 3) % rows)), order.push_back(uint32_t(i));
        const auto view = data.subset(order);
        CHECK_EQ(view->fingerprint(no_stop), reference(*view));
      }
}

TEST("one row's 70,001 bytes and 20,000 rows of 4 pass the end of a stretch") {
  Dataset data(20000, {column(DataType::int32, {})}, {}, {column(DataType::float32, {})});
  fill(data, 2);
  CHECK_EQ(data.fingerprint(no_stop), reference(data));
  std::vector<uint32_t> backwards;
  for (uint32_t i = 20000; i > 0; --i) backwards.push_back(i - 1);
  const auto view = data.subset(backwards);
  CHECK_EQ(view->fingerprint(no_stop), reference(*view));
  CHECK(view->fingerprint(no_stop) != data.fingerprint(no_stop));
  CHECK_EQ(view->subset(backwards)->fingerprint(no_stop), data.fingerprint(no_stop));
}

TEST("whatever differs gives another fingerprint") {
  std::set<uint64_t> seen;
  size_t tried = 0;
  const auto add = [&](const Dataset& data) { seen.insert(data.fingerprint(no_stop)), ++tried; };
  const Column plain = column(DataType::uint8, {4, 6});
  for (const Column& x : {plain, column(DataType::uint8, {6, 4}), column(DataType::uint8, {24}),
                          column(DataType::uint8, {4, 6}, 2), column(DataType::uint8, {4, 6}, 1, 1),
                          column(DataType::int32, {6}), column(DataType::float32, {6}), column(DataType::float64, {3})})
    for (size_t rows : {0, 3, 4}) add(Dataset(rows, {x}, {}, {}));
  add(Dataset(4, {}, {plain}, {})), add(Dataset(4, {}, {}, {plain})), add(Dataset(4, {plain, plain}, {}, {}));
  Dataset data(40, {plain}, {}, {});  // 960 bytes: each of them counts, and so does its place
  for (size_t i = 0; i < 960; ++i) {
    const uint8_t one = uint8_t(1 << i % 8), zero = 0;
    data.write(Role::input, 0, i, &one, 1);
    add(data);
    data.write(Role::input, 0, i, &zero, 1);
  }
  CHECK_EQ(seen.size(), tried);
}

}  // namespace
}  // namespace gradus
