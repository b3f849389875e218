// The library that brings a device: found, loaded and asked. Nothing of it runs before a device is asked for, and it is
// never unloaded.
#pragma once
#include <string>
#include <vector>

#include "error.h"
#include "kernels/device_table.h"

namespace gradus {

// Of the library at this path, from the first call on the same. Throws GRADUS_NO_DEVICE where there is none, or one of
// another version.
const DeviceTable& load_device_library(const std::string& path);

// What devices() tells of a card.
struct DeviceListing {
  std::string device;  // "cuda:0"; "cuda" where there is no card to tell of
  DeviceInfo info;
  std::string reason;  // why it cannot be used; empty: it can
};
std::vector<DeviceListing> list_devices(const std::string& path);
std::string capability_text(const int32_t (&capability)[2]);  // "9.0"; empty where it is not known

// Why a card cannot be used, by what the library tells of it.
Error refusal_of(const DeviceTable& table, int32_t ordinal, const DeviceInfo& info);

}  // namespace gradus
