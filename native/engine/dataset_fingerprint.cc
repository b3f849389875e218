// 64 bits over what a dataset holds. Files keep them: another definition would tell every old file that its data are
// others. Integers alone, so they are the same on every machine; no protection against forgery.
#include <algorithm>
#include <cstring>

#include "dataset.h"
#include "fingerprint.h"

namespace gradus {
namespace {

constexpr size_t stretch_bytes = size_t(1) << 16;

// Eight chains of words side by side, as a multiplier takes new numbers long before it is done with the last. Word i of
// what is added belongs to chain i % 8.
class Chains {
 public:
  explicit Chains(uint64_t fingerprint) {
    for (uint64_t i = 0; i < count; ++i) chains_[i] = fold(fingerprint, i);
  }
  // Zeros fill up the last block.
  void add(const uint8_t* bytes, size_t n) {
    add_blocks(bytes, n / block);
    const size_t rest = n % block;
    if (rest == 0) return;
    uint8_t last[block] = {};
    std::memcpy(last, bytes + n - rest, rest);
    add_blocks(last, 1);
  }
  uint64_t fold_all(uint64_t fingerprint) const {
    for (uint64_t chain : chains_) fingerprint = fold(fingerprint, chain);
    return fingerprint;
  }

 private:
  static constexpr size_t count = 8, block = count * sizeof(uint64_t);

  void add_blocks(const uint8_t* bytes, size_t blocks) {
    uint64_t own[count];  // in registers
    std::memcpy(own, chains_, sizeof own);
    for (size_t i = 0; i < blocks; ++i, bytes += block) {
      uint64_t words[count];
      std::memcpy(words, bytes, block);
      for (size_t chain = 0; chain < count; ++chain) own[chain] = fold(own[chain], words[chain]);
    }
    std::memcpy(chains_, own, sizeof own);
  }

  uint64_t chains_[count];
};

uint64_t bits_of(double number) {
  uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

uint64_t fold_layout(uint64_t fingerprint, const Column& column) {
  fingerprint = fold(fold(fingerprint, uint64_t(column.type)), column.shape.size());
  for (size_t extent : column.shape) fingerprint = fold(fingerprint, extent);
  fingerprint = fold(fold(fingerprint, bits_of(column.scale)), bits_of(column.offset));
  for (size_t i = 0; i < column.scales.size(); ++i)
    fingerprint = fold(fold(fingerprint, bits_of(column.scales[i])), bits_of(column.offsets[i]));
  return fingerprint;
}

}  // namespace

// Rows go in stretches of as many as 64 KB hold, at least one, so that those of a view are brought together first.
uint64_t Dataset::fold_elements(uint64_t fingerprint, const Column& column, const std::atomic<bool>& stop) const {
  const size_t bytes = column.elements() * size_of(column.type);  // of a row
  if (bytes == 0) return fingerprint;
  const size_t most = std::max<size_t>(1, stretch_bytes / bytes);
  std::vector<uint8_t> gathered(rows_ ? std::min(most, size()) * bytes : 0);
  Chains chains(fingerprint);
  for (size_t first = 0; first < size() && !stop; first += most) {
    const size_t rows = std::min(most, size() - first);
    for (size_t i = 0; rows_ && i < rows; ++i)
      std::memcpy(gathered.data() + i * bytes, column.data.get() + row(first + i) * bytes, bytes);
    chains.add(rows_ ? gathered.data() : column.data.get() + first * bytes, rows * bytes);
  }
  return chains.fold_all(fingerprint);
}

uint64_t Dataset::fingerprint(const std::atomic<bool>& stop) const {
  uint64_t fingerprint = fold(0, size());
  for (const std::vector<Column>& role : columns_) {
    fingerprint = fold(fingerprint, role.size());
    for (const Column& column : role) fingerprint = fold_elements(fold_layout(fingerprint, column), column, stop);
  }
  return fingerprint;
}

}  // namespace gradus
