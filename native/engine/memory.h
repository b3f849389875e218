// Memory that kernels work in. The host cannot touch a device's: it uploads and downloads.
#pragma once
#include <optional>

#include "arena.h"

namespace gradus {

// What can still be taken of a memory.
struct Room {
  size_t free = 0, grain = 1;  // bytes; what is taken may be rounded up to grains
};

class Memory {
 public:
  virtual ~Memory() = default;
  virtual bool is_host() const = 0;
  // 64-byte aligned and zero-filled. Throws GRADUS_OUT_OF_MEMORY, and then nothing has changed.
  virtual std::shared_ptr<uint8_t> allocate(size_t bytes) = 0;
  // None where that cannot be told, as of a host, which promises more than there is.
  virtual std::optional<Room> room() const { return std::nullopt; }
  // All of them in the order of the kernels called before and after. `from` has been read when upload() returns;
  // download() waits for what was called before it.
  virtual void upload(void* to, const void* from, size_t bytes) = 0;
  virtual void download(void* to, const void* from, size_t bytes) = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;  // both in this memory
  virtual void clear(void* at, size_t bytes) = 0;
  // Kernels that are called from now on do nothing where by then *flag is not 0; null: they do. Only where kernels run
  // later than they are called: whoever calls those of the host looks first.
  virtual void guard(const uint32_t* flag) = 0;
  // For all that was called. Throws what has gone wrong on the way.
  virtual void wait() = 0;
  // See RepeatedStep and Branches.
  virtual void begin_step() {}
  virtual void end_step() {}
  virtual void branch(uint32_t) {}
};

// While it is there a step is called that comes again and again, with other numbers: a device may keep it, and call it
// at once when its end has come or when it is waited for.
class RepeatedStep {
 public:
  explicit RepeatedStep(Memory& memory) : memory_(memory) { memory_.begin_step(); }
  ~RepeatedStep() { memory_.end_step(); }
  RepeatedStep(const RepeatedStep&) = delete;
  RepeatedStep& operator=(const RepeatedStep&) = delete;

 private:
  Memory& memory_;
};

// Kernels of which none needs what those of another branch write, nor writes what they read: a device may have them run
// side by side. What is called before runs before all of them, what is called after they are gone after all.
class Branches {
 public:
  explicit Branches(Memory& memory) : memory_(memory) {}
  ~Branches() { memory_.branch(0); }
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;
  void next() { memory_.branch(++count_); }

 private:
  Memory& memory_;
  uint32_t count_ = 0;
};

// While it is there.
class Guarded {
 public:
  Guarded(Memory& memory, const uint32_t* flag) : memory_(memory) { memory_.guard(flag); }
  ~Guarded() { memory_.guard(nullptr); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

 private:
  Memory& memory_;
};

// The processor's own, where all that is only moving bytes.
Memory& host_memory();

// Elements in a memory; one owner has them.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(size_t size, Memory& from) { grow(size, from); }
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;
  // At least this many elements; zeros when it has to move.
  void grow(size_t size, Memory& from) {
    if (size <= size_) return;
    memory_ = from.allocate(product(size, sizeof(T)));
    size_ = size;
  }
  // The same elements for one more reader; growing either parts them.
  Buffer shared() const {
    Buffer other;
    other.memory_ = memory_, other.size_ = size_;
    return other;
  }
  // For kernels of that memory, and for the host where it is the host's.
  T* data() { return reinterpret_cast<T*>(memory_.get()); }
  const T* data() const { return reinterpret_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }

 private:
  std::shared_ptr<uint8_t> memory_;
  size_t size_ = 0;
};

}  // namespace gradus
