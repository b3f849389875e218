// The emulated device as hosts see it: memory that runs out, calls that fail, misuse that is told.
#include "device.h"
#include "emulator/memory.h"
#include "steps.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;
using emulator::options;
using emulator::Trouble;

namespace {
bool is_told(Trouble trouble) {
  bool told = false;
  for (const emulator::Report& report : emulator::take_reports()) told = told || report.trouble == trouble;
  return told;
}
struct Restored {
  emulator::Options before = options();
  ~Restored() { options() = before; }
};
}  // namespace

TEST("memory runs out without harm, and is there again when it was released") {
  const Restored restored;
  options().memory = 10000;
  OpenDevice device;
  const DeviceTable& table = device_table();
  void* const most = table.allocate(device.queue(), 9000);
  CHECK(most != nullptr);
  CHECK(table.allocate(device.queue(), 2000) == nullptr);
  CHECK(table.allocate(device.queue(), SIZE_MAX) == nullptr);
  DeviceInfo info;
  table.describe(0, &info);
  CHECK(info.memory == 10000 && info.free == 1000);
  table.release(device.queue(), most);
  CHECK(device.allocate(2000) != nullptr);
}

TEST("what is allocated lies in the gaps that were left, and nowhere twice") {
  Numbers numbers(1);
  OpenDevice device;
  const DeviceTable& table = device_table();
  std::vector<std::pair<uint8_t*, size_t>> taken;
  for (int i = 0; i < 400; ++i) {
    if (taken.size() > 20) {
      std::swap(taken[numbers.below(taken.size())], taken.back());
      table.release(device.queue(), taken.back().first);
      taken.pop_back();
    }
    const size_t size = 256 * (1 + numbers.below(4)) - numbers.below(3);
    uint8_t* const at = static_cast<uint8_t*>(table.allocate(device.queue(), size));
    for (const auto& [other, bytes] : taken) CHECK(at + size <= other || other + bytes <= at);
    taken.push_back({at, size});
  }
  for (const auto& [at, size] : taken) table.release(device.queue(), at);
}

TEST("the call that is to fail does, and the next wait says why") {
  const Restored restored;
  const DeviceTable& table = device_table();
  OpenDevice device;
  float* const x = device.given(std::vector<float>(100, 1.0f));
  options().fail_at = 2, options().fail_with = DeviceState::busy;
  device.kernels<float>().scale(2.0f, 100, x);
  device.kernels<float>().scale(3.0f, 100, x);  // this one
  CHECK(table.wait(device.queue()) == DeviceState::busy);
  CHECK(table.wait(device.queue()) == DeviceState::ready);
  CHECK(device.values(x, 100) == std::vector<float>(100, 2.0f));
}

TEST("nothing runs before somebody waits") {
  OpenDevice device;
  float* const x = device.given(std::vector<float>(10, 1.0f));
  device.values(x, 10);
  emulator::take_moved(x);
  device.kernels<float>().scale(2.0f, 10, x);
  CHECK_EQ(emulator::take_moved(x).written, 0u);
  CHECK(device_table().wait(device.queue()) == DeviceState::ready);
  CHECK_EQ(emulator::take_moved(x).written, 40u);
}

TEST("branches that need each other are told when they are replayed") {
  const DeviceTable& table = device_table();
  OpenDevice device;
  float* const x = device.given(std::vector<float>(10, 1.0f));
  float* const y = device.given(std::vector<float>(10, 1.0f));
  const auto step = [&](bool is_right) {
    table.begin_step(device.queue());
    table.branch(device.queue(), 1);
    device.kernels<float>().scale(2.0f, 10, x);
    if (!is_right) table.branch(device.queue(), 2);
    device.kernels<float>().add(x, y, 10, y);
    table.branch(device.queue(), 0);
    table.end_step(device.queue());
    table.wait(device.queue());
  };
  for (int i = 0; i < 3; ++i) step(true);
  CHECK(!is_told(Trouble::race));
  step(false);
  CHECK(!is_told(Trouble::race));
  step(false);
  CHECK(is_told(Trouble::race));
}

TEST("memory that is released under a kernel, or never, is told") {
  const DeviceTable& table = device_table();
  OpenDevice device;
  void* const x = table.allocate(device.queue(), 400);
  device.kernels<float>().fill(1.0f, 100, static_cast<float*>(x));
  table.release(device.queue(), x);
  CHECK(is_told(Trouble::in_use));
  table.wait(device.queue());
  CHECK(is_told(Trouble::outside));
  void* const kept = table.allocate(device.queue(), 10);
  emulator::tell_leaks();
  CHECK(is_told(Trouble::leak));
  table.release(device.queue(), kept);
  emulator::tell_leaks();
  CHECK(!is_told(Trouble::leak));
}

TEST("the host's memory in a kernel, the device's on the host, and too long an upload are told") {
  OpenDevice device;
  std::vector<float> mine(100, 1.0f);
  float* const x = device.given(mine);
  device.kernels<float>().add(x, mine.data(), 100, x);
  CHECK(device_table().wait(device.queue()) == DeviceState::ready);
  CHECK(is_told(Trouble::host_memory));
  CHECK(*const_cast<volatile float*>(x + 3) == 1.0f);
  CHECK(is_told(Trouble::device_memory));
  mine.resize(101);
  device.upload(x, mine.data(), 101 * sizeof(float));
  CHECK(is_told(Trouble::outside));
}
