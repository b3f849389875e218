// What the emulator has found: each kind of trouble once a place in the code.
#pragma once
#include <string>
#include <vector>

namespace gradus::emulator {

enum class Trouble {
  outside,    // an access that no allocation, nor the shared struct, has room for
  unwritten,  // a read of what nobody wrote
  race,       // two threads at one place, one of them writing, and nothing between them
  misaligned,
  host_memory,    // a kernel uses the host's
  device_memory,  // the host uses the device's
  barrier,        // not reached by all threads of the block
  collective,     // called by other lanes than its mask says
  deadlock,
  in_use,  // memory released while something queued uses it
  leak,
};
const char* name_of(Trouble trouble);

struct Report {
  Trouble trouble;
  std::string text;  // what, by which thread of which block
  const void* kernel;
  const void* at;  // the instruction, or none
};
// With the kernel's name and the line, as far as the debug information tells them.
std::string sentence(const Report& report);

void tell(Trouble trouble, const std::string& text, const void* kernel, const void* at);
// What was told since the last call.
std::vector<Report> take_reports();

}  // namespace gradus::emulator
