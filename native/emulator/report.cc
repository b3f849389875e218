#include "report.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

namespace gradus::emulator {

namespace {
std::mutex mutex;
std::vector<Report>& reports = *new std::vector<Report>;

// The function of an address and its place in the sources, by addr2line.
struct Place {
  std::string function = "?", line = "?";
};
Place place_of(const void* address) {
  Place place;
  Dl_info info;
  if (!address || !dladdr(address, &info) || !info.dli_fname) return place;
  const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(info.dli_fbase);
  char command[1024];
  std::snprintf(command, sizeof command, "addr2line -C -f -e '%s' %#zx 2>/dev/null", info.dli_fname, size_t(offset));
  if (FILE* output = popen(command, "r")) {
    char text[4096];
    for (std::string* to : {&place.function, &place.line})
      if (std::fgets(text, sizeof text, output)) to->assign(text, std::strcspn(text, "\n"));
    pclose(output);
  }
  // Without the namespaces that all have, and without parameters.
  for (const char* common : {"(anonymous namespace)::", "gradus::", "void "})
    for (size_t at; (at = place.function.find(common)) != std::string::npos;)
      place.function.erase(at, std::strlen(common));
  place.function.resize(std::min(place.function.find('('), place.function.size()));
  return place;
}
}  // namespace

const char* name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::outside:
      return "outside of all memory it may use";
    case Trouble::unwritten:
      return "a read of what nobody wrote";
    case Trouble::race:
      return "a race";
    case Trouble::misaligned:
      return "a misaligned access";
    case Trouble::host_memory:
      return "the host's memory in a kernel";
    case Trouble::device_memory:
      return "the device's memory on the host";
    case Trouble::barrier:
      return "a barrier not reached by all";
    case Trouble::collective:
      return "other lanes than the mask says";
    case Trouble::deadlock:
      return "a deadlock";
    case Trouble::in_use:
      return "memory released that is in use";
    case Trouble::leak:
      return "memory never released";
  }
  return "?";
}

std::string sentence(const Report& report) {
  std::string text = std::string(name_of(report.trouble)) + ": " + report.text;
  if (report.at) text += ", at " + place_of(static_cast<const char*>(report.at) - 1).line;
  if (report.kernel) text += ", in kernel " + place_of(report.kernel).function;
  return text;
}

void tell(Trouble trouble, const std::string& text, const void* kernel, const void* at) {
  const std::lock_guard<std::mutex> lock(mutex);
  for (const Report& known : reports)
    if (known.trouble == trouble && known.kernel == kernel && known.at == at) return;
  reports.push_back({trouble, text, kernel, at});
}

std::vector<Report> take_reports() {
  const std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(reports, {});
}

}  // namespace gradus::emulator
