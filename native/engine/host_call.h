// Calls of the host on what lies in a device's memory.
#pragma once
#include "host.h"
#include "memory.h"

namespace gradus {

// Has the host run the call. What it cannot touch is brought to it, and back; then it waits for the device.
template <class T>
void ask(Host& host, Memory& memory, HostCall& call);

}  // namespace gradus
