// The GPU of these tests: the emulated one, whose findings fail the test that is running, or a card.
#pragma once
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/device_table.h"
#include "test.h"
#if defined(GRADUS_EMULATED)
#include "emulator/emulator.h"
#include "emulator/report.h"
#endif

extern "C" const gradus::DeviceTable* gradus_device(uint32_t version, uint32_t* own);

namespace gradus::test {

inline const DeviceTable& device_table() {
  uint32_t own = 0;
  return *gradus_device(device_version, &own);
}
template <class T>
const Kernels<T>& device_kernels();
template <>
inline const Kernels<float>& device_kernels() {
  return device_table().float32;
}
template <>
inline const Kernels<double>& device_kernels() {
  return device_table().float64;
}

// Where it is one of a long series, each of which takes one order, in turns.
inline std::optional<size_t> only_order;

#if defined(GRADUS_EMULATED)
constexpr bool is_emulated = true;
// What the emulator has found since it was asked last, in words.
inline std::string found() {
  std::string all;
  for (const emulator::Report& report : emulator::take_reports()) all += sentence(report) + "\n";
  return all;
}
template <class F>
void in_each_order(F body) {
  using emulator::Finish, emulator::Order;
  constexpr struct {
    const char* name;
    Order order;
    Finish copies;
  } all[] = {{"forwards, copies late", Order::forwards, Finish::late},
             {"backwards, copies early", Order::backwards, Finish::early},
             {"shuffled, copies at random", Order::shuffled, Finish::random}};
  for (const auto& [name, order, copies] : all) {
    if (only_order && size_t(order) != *only_order) continue;
    Scope scope(name);
    emulator::options().order = order, emulator::options().copies = copies;
    body();
  }
  emulator::options().order = Order::forwards, emulator::options().copies = Finish::late;
}
#else
constexpr bool is_emulated = false;
inline std::string found() { return ""; }
template <class F>
void in_each_order(F body) {
  body();
}
#endif

// A queue that this thread has entered, and the memory taken from it.
class OpenDevice {
 public:
  OpenDevice() {
    CHECK(table_.open(0, &queue_) == DeviceState::ready);
    table_.enter(queue_);
  }
  ~OpenDevice() {
    CHECK(table_.wait(queue_) == DeviceState::ready);
    for (void* memory : memory_) table_.release(queue_, memory);
    table_.close(queue_);
    CHECK_EQ(found(), "");
  }
  OpenDevice(const OpenDevice&) = delete;
  OpenDevice& operator=(const OpenDevice&) = delete;

  uint8_t* allocate(size_t bytes) {
    memory_.push_back(table_.allocate(queue_, bytes));
    return static_cast<uint8_t*>(memory_.back());
  }
  void upload(void* to, const void* from, size_t bytes) { table_.upload(queue_, to, from, bytes); }
  void download(void* to, const void* from, size_t bytes) { table_.download(queue_, to, from, bytes); }

  template <class A>
  A* given(const std::vector<A>& values) {
    A* const at = wanted<A>(values.size());
    upload(at, values.data(), values.size() * sizeof(A));
    return at;
  }
  template <class A>
  A* wanted(size_t n) {
    return reinterpret_cast<A*>(allocate(n * sizeof(A)));
  }
  template <class A>
  std::vector<A> values(const A* from, size_t n) {
    std::vector<A> to(n);
    download(to.data(), from, n * sizeof(A));
    return to;
  }
  template <class T>
  const Kernels<T>& kernels() const {
    return device_kernels<T>();
  }
  Queue* queue() { return queue_; }

 private:
  const DeviceTable& table_ = device_table();
  Queue* queue_ = nullptr;
  std::vector<void*> memory_;
};

}  // namespace gradus::test
