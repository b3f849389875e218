// Datasets in a device's memory: copied when they are first used there, and again when they have been written to.
#pragma once
#include <vector>

#include "dataset.h"
#include "memory.h"

namespace gradus {

class Residence {
 public:
  // Where kernels find what the host has here: in a host's memory where it is. Once for all views of one column.
  const uint8_t* of(const Column& column, size_t bytes, Memory& memory);
  // The rows of a view, or null.
  const uint32_t* view_of(const Dataset& data, Memory& memory);
  // Whatever was here before: the order of an epoch.
  const uint32_t* order(const std::vector<uint32_t>& rows, bool is_new, Memory& memory);
  size_t bytes() const;

 private:
  struct Copy {
    std::weak_ptr<const void> of;
    const void* at;
    uint64_t version;
    Buffer<uint8_t> data;
  };
  const uint8_t* copy_of(std::shared_ptr<const void> owner, const void* at, size_t bytes, uint64_t version,
                         Memory& memory);

  std::vector<Copy> copies_;
  Buffer<uint32_t> order_;
  bool has_order_ = false;
};

}  // namespace gradus
