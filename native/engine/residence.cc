#include "residence.h"

#include <algorithm>

namespace gradus {

// Copies of what is gone make room first.
const uint8_t* Residence::copy_of(std::shared_ptr<const void> owner, const void* at, size_t bytes, uint64_t version,
                                  Memory& memory) {
  copies_.erase(std::remove_if(copies_.begin(), copies_.end(), [](const Copy& copy) { return copy.of.expired(); }),
                copies_.end());
  auto copy = std::find_if(copies_.begin(), copies_.end(), [at](const Copy& other) { return other.at == at; });
  if (copy == copies_.end()) {
    Buffer<uint8_t> data;
    data.grow(bytes, memory);
    copies_.push_back({std::move(owner), at, version - 1, std::move(data)});
    copy = copies_.end() - 1;
  }
  if (copy->version != version) memory.upload(copy->data.data(), at, bytes);
  copy->version = version;
  return copy->data.data();
}

const uint8_t* Residence::of(const Column& column, size_t bytes, Memory& memory) {
  if (memory.is_host()) return column.data.get();
  return copy_of(column.data, column.data.get(), bytes, *column.version, memory);
}

const uint32_t* Residence::view_of(const Dataset& data, Memory& memory) {
  const auto& rows = data.view();
  if (!rows || memory.is_host()) return rows ? rows->data() : nullptr;
  return reinterpret_cast<const uint32_t*>(copy_of(rows, rows->data(), rows->size() * sizeof(uint32_t), 0, memory));
}

const uint32_t* Residence::order(const std::vector<uint32_t>& rows, bool is_new, Memory& memory) {
  if (memory.is_host()) return rows.data();
  has_order_ &= !is_new;
  while_taking("the order of the rows", [&] { order_.grow(rows.size(), memory); });
  if (!has_order_) memory.upload(order_.data(), rows.data(), rows.size() * sizeof(uint32_t));
  has_order_ = true;
  return order_.data();
}

size_t Residence::bytes() const {
  size_t bytes = order_.bytes();
  for (const Copy& copy : copies_) bytes += copy.data.bytes();
  return bytes;
}

}  // namespace gradus
