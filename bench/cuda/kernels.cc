// What kernels of a device take: kernels LIBRARY [small]. A line each: a name that rivals.py has too, a tab, seconds a
// call, the median of rounds.
#include <dlfcn.h>

#include <chrono>
#include <cstring>
#include <memory>

#include "cases.h"

namespace {
using namespace gradus;
using bench::cuda::Scale;

const DeviceTable* open_library(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) std::fprintf(stderr, "%s\n", dlerror());
  const auto function = library ? reinterpret_cast<DeviceFunction>(dlsym(library, "gradus_device")) : nullptr;
  uint32_t own = 0;
  return function ? function(device_version, &own) : nullptr;
}

class TimedDevice final : public bench::cuda::Device {
 public:
  using Device::Device;

  void measure(const std::string& name, size_t, const std::function<void(size_t)>& call) override {
    using Clock = std::chrono::steady_clock;
    const bool is_small = scale == Scale::small;
    size_t number = 0;
    const auto seconds_of = [&](size_t calls) {
      wait();
      const auto begin = Clock::now();
      for (size_t i = 0; i < calls; ++i) call(number++);
      wait();
      return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    seconds_of(1);
    size_t calls = 1;
    if (!is_small)
      while (seconds_of(calls) < 0.02) calls *= 2;
    std::vector<double> rounds(is_small ? 1 : 9);
    for (double& round : rounds) round = seconds_of(calls) / double(calls);
    std::nth_element(rounds.begin(), rounds.begin() + rounds.size() / 2, rounds.end());
    std::printf("%s\t%.9f\n", name.c_str(), rounds[rounds.size() / 2]);
    std::fflush(stdout);
  }
};

}  // namespace

int main(int count, char** arguments) {
  const DeviceTable* const table = count > 1 ? open_library(arguments[1]) : nullptr;
  if (!table) return std::puts("usage: kernels LIBRARY [small], of this version"), 2;
  const Scale scale = count > 2 && std::strcmp(arguments[2], "small") == 0 ? Scale::small : Scale::of_card;
  bench::cuda::measure_all([&] { return std::make_unique<TimedDevice>(*table, scale); });
}
