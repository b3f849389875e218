#include "device_library.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#if defined(__linux__)
#include <dlfcn.h>
#endif

namespace gradus {

namespace {

std::string version_text(uint32_t version) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", unsigned(version));
  return text;
}

// 12020 is 12.2.
std::string cuda_text(int32_t version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

#if defined(__linux__)
const DeviceTable* load(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = dlerror();
    throw Error("GRADUS_NO_DEVICE", "the CUDA library cannot be loaded: " + std::string(reason ? reason : path));
  }
  const auto function = reinterpret_cast<DeviceFunction>(dlsym(library, "gradus_device"));
  if (!function) throw Error("GRADUS_NO_DEVICE", path + ": expected a library of Gradus, received another one");
  uint32_t own = 0;
  const DeviceTable* table = function(device_version, &own);
  if (!table)
    throw Error("GRADUS_NO_DEVICE", path + ": expected the CUDA library of version " + version_text(device_version) +
                                        ", received one of version " + version_text(own));
  return table;
}
#else
const DeviceTable* load(const std::string&) {
  throw Error("GRADUS_NO_DEVICE", "a GPU can be used on linux-x64 only: there is no CUDA library for this platform");
}
#endif

std::string no_driver_text() {
  std::string text = "no NVIDIA driver was found (libcuda.so.1)";
  if (std::getenv("WSL_DISTRO_NAME")) text += "; under WSL it lies in /usr/lib/wsl/lib, from the driver of Windows";
  return text;
}

std::string old_driver_text(const DeviceInfo& info) {
  const std::string supports = " supports CUDA " + cuda_text(info.driver_supports) + "; Gradus needs ";
  const std::string needed = std::to_string(info.needs_driver) + " or newer";
  if (info.driver[0]) return "driver " + std::string(info.driver) + supports + needed;
  return "the NVIDIA driver" + supports + "driver " + needed + ", for CUDA " + cuda_text(info.needs_support);
}

std::string no_such_card_text(const DeviceTable& table, int32_t ordinal) {
  const int32_t count = table.count();
  std::string text = count == 0 ? "device: no card is visible" : "device: expected one of the cards ";
  for (int32_t i = 0; i < count; ++i) {
    DeviceInfo info;
    table.describe(i, &info);
    text += (i > 0 ? ", " : "") + std::to_string(i) + " (" + info.name + ")";
  }
  text += ", received " + std::to_string(ordinal);
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"))
    text += "; CUDA_VISIBLE_DEVICES is \"" + std::string(visible) + "\"";
  return text;
}

}  // namespace

std::string capability_text(const int32_t (&of)[2]) {
  return of[0] == 0 ? "" : std::to_string(of[0]) + "." + std::to_string(of[1]);
}

const DeviceTable& load_device_library(const std::string& path) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, const DeviceTable*>;  // never destroyed: nothing is unloaded
  const std::lock_guard<std::mutex> lock(mutex);
  const DeviceTable*& table = (*loaded)[path];
  if (!table) table = load(path);
  return *table;
}

Error refusal_of(const DeviceTable& table, int32_t ordinal, const DeviceInfo& info) {
  const std::string card = std::to_string(ordinal) + (info.name[0] ? " (" + std::string(info.name) + ")" : "");
  switch (info.state) {
    case DeviceState::no_driver:
      return Error("GRADUS_NO_DEVICE", no_driver_text());
    case DeviceState::old_driver:
      return Error("GRADUS_NO_DEVICE", old_driver_text(info));
    case DeviceState::old_card:
      return Error("GRADUS_NO_DEVICE", "card " + card + " has the capability " + capability_text(info.capability) +
                                           "; Gradus needs " + capability_text(info.least_capability) + " or more");
    case DeviceState::no_such_card:
      return Error("GRADUS_INVALID_ARGUMENT", no_such_card_text(table, ordinal));
    case DeviceState::busy:
      return Error("GRADUS_DEVICE_BUSY", "card " + card + " is held by another process for itself alone");
    case DeviceState::out_of_memory:
      return Error("GRADUS_OUT_OF_MEMORY", "card " + card +
                                               " has no memory to begin with: " + std::to_string(info.free) +
                                               " of its " + std::to_string(info.memory) + " bytes are free");
    default:
      return Error("GRADUS_DEVICE_LOST", "card " + card + " has failed: restart the process to use the GPU again");
  }
}

std::vector<DeviceListing> list_devices(const std::string& path) {
  std::vector<DeviceListing> listings;
  try {
    const DeviceTable& table = load_device_library(path);
    const int32_t count = table.count();
    for (int32_t i = 0; i < std::max(count, 1); ++i) {
      DeviceListing listing{count > 0 ? "cuda:" + std::to_string(i) : "cuda", {}, ""};
      table.describe(i, &listing.info);
      if (listing.info.state != DeviceState::ready) listing.reason = refusal_of(table, i, listing.info).what();
      listings.push_back(listing);
    }
  } catch (const Error& error) {
    listings.push_back({"cuda", {}, error.what()});
  }
  return listings;
}

}  // namespace gradus
