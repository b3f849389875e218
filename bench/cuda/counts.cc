// What the emulator counts of the kernels that kernels.cc measures. A line each: the name, and after tabs the bytes
// moved over those that are to be, the share of sectors moved that are whole, launches, and accesses to banks that
// others keep busy. What is small stays in a card's caches and is not counted.
#include <memory>

#include "cases.h"
#include "emulator/emulator.h"

extern "C" const gradus::DeviceTable* gradus_device(uint32_t version, uint32_t* own);

namespace {
using namespace gradus;

class CountedDevice final : public bench::cuda::Device {
 public:
  explicit CountedDevice(const DeviceTable& table) : Device(table, bench::cuda::Scale::counted) {}

  void measure(const std::string& name, size_t bytes, const std::function<void(size_t)>& call) override {
    wait();
    for_memory([](const void* of, size_t) { emulator::take_moved(of); });
    emulator::take_effort();
    emulator::options().counts = true;
    call(0);
    wait();
    emulator::options().counts = false;
    emulator::Moved all;
    for_memory([&](const void* of, size_t size) {
      const emulator::Moved moved = emulator::take_moved(of);
      if (size < bytes / 32) return;
      all.read += moved.read, all.written += moved.written;
      all.sectors += moved.sectors, all.whole_sectors += moved.whole_sectors;
    });
    const emulator::Effort effort = emulator::take_effort();
    const auto over = [](uint64_t a, uint64_t b) { return b ? double(a) / double(b) : 0; };
    std::printf("%s\t%.4f\t%.4f\t%llu\t%llu\n", name.c_str(), over(all.read + all.written, bytes),
                over(all.whole_sectors, all.sectors), static_cast<unsigned long long>(effort.launches),
                static_cast<unsigned long long>(effort.bank_conflicts));
    std::fflush(stdout);
  }
};

}  // namespace

int main() {
  uint32_t own = 0;
  const DeviceTable& table = *gradus_device(device_version, &own);
  bench::cuda::measure_all([&] { return std::make_unique<CountedDevice>(table); });
}
