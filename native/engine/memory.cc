#include "memory.h"

namespace gradus {

namespace {
class HostMemory final : public Memory {
 public:
  bool is_host() const override { return true; }
  std::shared_ptr<uint8_t> allocate(size_t bytes) override { return allocate_zeroed(bytes, Pages::huge); }
  void upload(void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void download(void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void clear(void* at, size_t bytes) override {
    if (bytes > 0) std::memset(at, 0, bytes);
  }
  void guard(const uint32_t*) override {}
  void wait() override {}
};
}  // namespace

// Never destroyed: where a process ends in the middle of a call, the threads of pools go on until they are gone.
Memory& host_memory() {
  static Memory& memory = *new HostMemory;
  return memory;
}

}  // namespace gradus
