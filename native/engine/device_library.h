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

// Why a card cannot be used, by what the library tells of it.
Error refusal_of(const DeviceTable& table, int32_t ordinal, const DeviceInfo& info);

}  // namespace gradus
