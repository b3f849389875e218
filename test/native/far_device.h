// A device whose memory the host cannot touch: pages without any rights, but while its kernels run, and those run as
// late as they may. A host that reads too early, or writes, or hands over memory of its own, is seen at once.
#pragma once
#include <memory>

#include "engine/library_device.h"
#include "far_calls.h"

namespace gradus::test {

const DeviceTable& far_device();
// What has gone wrong so far: host memory that a kernel was to work on.
const char* far_complaint();
// Its calls, which are noted while they are wanted.
FarCalls& far_calls();
// So many bytes are left from now on.
void leave_far_memory(size_t bytes);
// From now on waits say this; ready: all is well.
void break_far_device(DeviceState state);

inline std::shared_ptr<OpenDevice> open_far() { return OpenDevice::open(far_device(), 0); }

}  // namespace gradus::test
