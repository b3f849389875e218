// A device that a library brings, opened: its memory, and its kernels for the engine to call.
#pragma once
#include <atomic>

#include "kernels/device.h"
#include "kernels/device_table.h"
#include "memory.h"

namespace gradus {

// One queue of one card. What is allocated keeps it open.
class OpenDevice final : public Memory, public std::enable_shared_from_this<OpenDevice> {
 public:
  // Throws Error: what refusal_of() says of the card.
  static std::shared_ptr<OpenDevice> open(const DeviceTable& table, int32_t ordinal);
  OpenDevice(const DeviceTable& table, int32_t ordinal, Queue* queue);
  ~OpenDevice() override { table_.close(queue_); }

  // One more queue of the same card.
  std::shared_ptr<OpenDevice> beside() const { return open(table_, ordinal_); }

  const DeviceTable& table() const { return table_; }
  std::string name() const { return std::string(table_.name) + ":" + std::to_string(ordinal_); }  // "cuda:0"
  void enter() const { table_.enter(queue_); }  // kernels that this thread calls go here
  // A kernel that the library has not made: the next wait says so.
  void note_missing(const char* kernel) {
    if (!missing_) missing_ = kernel;
  }

  bool is_host() const override { return false; }
  std::shared_ptr<uint8_t> allocate(size_t bytes) override;
  std::optional<Room> room() const override;
  void upload(void* to, const void* from, size_t bytes) override;
  void download(void* to, const void* from, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void clear(void* at, size_t bytes) override;
  void guard(const uint32_t* flag) override { table_.guard(queue_, flag); }
  void begin_step() override { table_.begin_step(queue_); }
  void end_step() override { table_.end_step(queue_); }
  void branch(uint32_t number) override { table_.branch(queue_, number); }
  // Throws GRADUS_DEVICE_LOST, from then on at each call.
  void wait() override;

 private:
  [[noreturn]] void no_room_for(size_t bytes) const;

  const DeviceTable& table_;
  const int32_t ordinal_;
  Queue* const queue_;
  std::atomic<uint64_t>& taken_;  // on this card, by all of this process
  bool is_lost_ = false;
  const char* missing_ = nullptr;
};

template <class T>
const Kernels<T>& kernels_of(const DeviceTable& table);
template <>
inline const Kernels<float>& kernels_of(const DeviceTable& table) {
  return table.float32;
}
template <>
inline const Kernels<double>& kernels_of(const DeviceTable& table) {
  return table.float64;
}

// Whether this table has the kernel of this name.
template <class T>
bool has_kernel(const Kernels<T>& kernels, const std::string& name) {
#define KERNEL(kernel, arguments, ...) \
  if (name == #kernel) return kernels.kernel != nullptr;
#include "kernels/kernels.def"
#undef KERNEL
  return false;
}

// Each kernel is one call, which the library cuts as it likes.
template <class T>
class LibraryDevice final : public Device<T> {
 public:
  explicit LibraryDevice(OpenDevice& open) : open_(open), kernels_(kernels_of<T>(open.table())) { open.enter(); }

#define KERNEL(name, arguments, extent, piece)                 \
  void name arguments const override {                         \
    {                                                          \
      [[maybe_unused]] const size_t first = 0, count = extent; \
      if (kernels_.name) return kernels_.name piece;           \
    }                                                          \
    open_.note_missing(#name);                                 \
  }
#include "kernels/kernels.def"
#undef KERNEL

  void update(UpdateRule rule, const Update<T>& common, const UpdateBlocks<T>& blocks, UpdateSums* sums) const override;
  void histograms(const Stretch<T>* stretches, size_t count, double* counts) const override;

 private:
  // The whole of it as one piece.
  static size_t by_elements(size_t n) { return n; }
  static size_t by_rows(size_t rows, size_t) { return rows; }
  static size_t by_columns(size_t columns, size_t) { return columns; }
  static size_t by_blocks(size_t rows, size_t) { return rows; }
  static size_t by_chunks(size_t n) { return n; }
  static size_t whole() { return 1; }
  static size_t by_tiles(const Matmul<T>&) { return 1; }
  static const Matmul<T>& tile(const Matmul<T>& task, size_t) { return task; }
  template <class Task>
  static size_t by_parts(const Task& task) {
    return task.length();
  }
  template <class... Sizes>
  static T* own(T* workspace, const Sizes&...) {
    return workspace;
  }

  OpenDevice& open_;
  const Kernels<T>& kernels_;
};

}  // namespace gradus
