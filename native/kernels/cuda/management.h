// A card's free memory, as the driver's management library (NVML) tells it: CUDA itself tells it only to who takes some
// of that memory for a context.
#pragma once
#include <stdint.h>

namespace gradus::cuda {

class Management {
 public:
  /** `find` gives the library's functions by name, or null. */
  template <typename Find>
  explicit Management(Find find) {
    const auto begin = reinterpret_cast<Result (*)()>(find("nvmlInit_v2"));
    card_at_ = reinterpret_cast<CardAt>(find("nvmlDeviceGetHandleByPciBusId_v2"));
    memory_of_ = reinterpret_cast<MemoryOf>(find("nvmlDeviceGetMemoryInfo"));
    is_ready_ = begin && card_at_ && memory_of_ && begin() == 0;
  }

  /** Bytes of the card on that bus, "0000:65:00.0", of whose memory CUDA sees `visible`; 0 where nobody knows. */
  uint64_t free_memory(const char* bus_id, uint64_t visible) const {
    void* card = nullptr;
    Memory memory{};
    if (!is_ready_ || card_at_(bus_id, &card) != 0 || memory_of_(card, &memory) != 0) return 0;
    // The whole card's says nothing of a part of it (MIG).
    const bool is_part = memory.total > visible + visible / 8;
    if (is_part) return 0;
    return memory.free < visible ? memory.free : visible;
  }

 private:
  // As NVML's reference declares them; a result of 0 is success.
  using Result = int;
  struct Memory {
    unsigned long long total, free, used;
  };
  using CardAt = Result (*)(const char* bus_id, void** card);
  using MemoryOf = Result (*)(void* card, Memory*);

  CardAt card_at_ = nullptr;
  MemoryOf memory_of_ = nullptr;
  bool is_ready_ = false;
};

}  // namespace gradus::cuda
