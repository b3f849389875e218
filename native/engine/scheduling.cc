#include "scheduling.h"

#include <cstdint>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gradus {

void ask_for_long_turns() {
#if defined(__linux__) && defined(SYS_sched_setattr)
  // What the system calls take, first version; not every C library declares it.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;  // nanoseconds
  } attributes{};
  constexpr uint32_t usual = 0, batch = 3;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != usual && attributes.policy != batch) return;
  attributes.runtime = 20'000'000;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
#endif
}

}  // namespace gradus
