// What is said of cards that cannot be used.
#include "engine/device_library.h"

#include <cstdio>
#include <cstdlib>

#include "kernels/cuda/driver.h"
#include "kernels/cuda/management.h"
#include "test.h"

using namespace gradus;

namespace {

int32_t two() { return 2; }
void describe(int32_t ordinal, DeviceInfo* info) {
  *info = DeviceInfo();
  std::snprintf(info->name, sizeof info->name, "card %c", 'A' + ordinal);
}

void check_refusal(DeviceInfo info, int32_t ordinal, const char* code, const std::string& message) {
  DeviceTable table{};
  table.name = "cuda", table.count = two, table.describe = describe;
  const Error error = refusal_of(table, ordinal, info);
  CHECK_EQ(std::string(error.code), std::string(code));
  CHECK_EQ(std::string(error.what()), message);
}
DeviceInfo of(DeviceState state) {
  DeviceInfo info;
  info.state = state;
  return info;
}

}  // namespace

TEST("each reason that a card cannot be used for is one sentence with what was found and what is needed") {
  unsetenv("WSL_DISTRO_NAME");
  check_refusal(of(DeviceState::no_driver), 0, "GRADUS_NO_DEVICE", "no NVIDIA driver was found (libcuda.so.1)");
  setenv("WSL_DISTRO_NAME", "Debian", 1);
  check_refusal(of(DeviceState::no_driver), 0, "GRADUS_NO_DEVICE",
                "no NVIDIA driver was found (libcuda.so.1); under WSL it lies in /usr/lib/wsl/lib, from the driver of "
                "Windows");
  unsetenv("WSL_DISTRO_NAME");

  DeviceInfo old = of(DeviceState::old_driver);
  std::snprintf(old.driver, sizeof old.driver, "535.104");
  old.driver_supports = 12020, old.needs_support = 13000, old.needs_driver = 580;
  check_refusal(old, 0, "GRADUS_NO_DEVICE", "driver 535.104 supports CUDA 12.2; Gradus needs 580 or newer");
  old.driver[0] = 0;
  check_refusal(old, 0, "GRADUS_NO_DEVICE",
                "the NVIDIA driver supports CUDA 12.2; Gradus needs driver 580 or newer, for CUDA 13.0");

  DeviceInfo card = of(DeviceState::old_card);
  std::snprintf(card.name, sizeof card.name, "Tesla V100");
  card.capability[0] = 7, card.least_capability[0] = 8;
  check_refusal(card, 1, "GRADUS_NO_DEVICE", "card 1 (Tesla V100) has the capability 7.0; Gradus needs 8.0 or more");

  unsetenv("CUDA_VISIBLE_DEVICES");
  check_refusal(of(DeviceState::no_such_card), 3, "GRADUS_INVALID_ARGUMENT",
                "device: expected one of the cards 0 (card A), 1 (card B), received 3");
  setenv("CUDA_VISIBLE_DEVICES", "0,1", 1);
  check_refusal(
      of(DeviceState::no_such_card), 3, "GRADUS_INVALID_ARGUMENT",
      "device: expected one of the cards 0 (card A), 1 (card B), received 3; CUDA_VISIBLE_DEVICES is \"0,1\"");
  unsetenv("CUDA_VISIBLE_DEVICES");

  DeviceInfo busy = of(DeviceState::busy);
  check_refusal(busy, 0, "GRADUS_DEVICE_BUSY", "card 0 is held by another process for itself alone");
  busy.state = DeviceState::lost;
  check_refusal(busy, 0, "GRADUS_DEVICE_LOST", "card 0 has failed: restart the process to use the GPU again");
}

TEST("the driver's release is read from what the system says of it, of its open kernel module as well") {
  const auto release = [](const std::string& text) {
    std::FILE* const file = std::fopen("driver-version", "w");
    std::fputs(text.c_str(), file);
    std::fclose(file);
    char found[12] = "";
    cuda::read_driver_release("driver-version", found);
    std::remove("driver-version");
    return std::string(found);
  };
  const std::string second = "GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n";
  CHECK_EQ(
      release("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n" + second),
      std::string("535.104.05"));
  CHECK_EQ(release("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (builder)\n"),
           std::string("580.65.06"));
  CHECK_EQ(release("NVRM version: 1234567890.1\n" + second), std::string());  // longer than there is room for
  CHECK_EQ(release(""), std::string());
  char none[4] = "";
  cuda::read_driver_release("no such file", none);
  CHECK_EQ(std::string(none), std::string());
}

namespace management {

// A card of 1,000 bytes, 600 of them free, on one bus.
int begin() { return 0; }
int fail() { return 9; }
int card_at(const char* bus_id, void** card) {
  static int only = 1;
  *card = &only;
  return std::string(bus_id) == "0000:65:00.0" ? 0 : 6;
}
int memory_of(void* card, unsigned long long* memory) {
  memory[0] = 1000, memory[1] = 600, memory[2] = 400;
  return *static_cast<int*>(card) == 1 ? 0 : 3;
}

void* find(const std::string& name) {
  if (name == "nvmlInit_v2") return reinterpret_cast<void*>(begin);
  if (name == "nvmlDeviceGetHandleByPciBusId_v2") return reinterpret_cast<void*>(card_at);
  return name == "nvmlDeviceGetMemoryInfo" ? reinterpret_cast<void*>(memory_of) : nullptr;
}

}  // namespace management

TEST("a card's free memory is what the driver's management library says, of a part of a card nothing") {
  const cuda::Management known(management::find);
  CHECK_EQ(known.free_memory("0000:65:00.0", 980), uint64_t(600));
  CHECK_EQ(known.free_memory("0000:66:00.0", 980), uint64_t(0));
  CHECK_EQ(known.free_memory("0000:65:00.0", 500), uint64_t(0));  // half of it is visible
  for (const char* missing : {"nvmlInit_v2", "nvmlDeviceGetHandleByPciBusId_v2", "nvmlDeviceGetMemoryInfo"}) {
    const cuda::Management without(
        [=](const char* name) { return name == std::string(missing) ? nullptr : management::find(name); });
    CHECK_EQ(without.free_memory("0000:65:00.0", 980), uint64_t(0));
  }
  const cuda::Management refused([](const char* name) {
    return name == std::string("nvmlInit_v2") ? reinterpret_cast<void*>(management::fail) : management::find(name);
  });
  CHECK_EQ(refused.free_memory("0000:65:00.0", 980), uint64_t(0));
}
