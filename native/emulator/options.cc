// As the library's own tests set them; where a process uses the library without knowing that it is the emulator, as its
// environment says.
#include <cstdlib>

#include "emulator.h"

namespace gradus::emulator {

namespace {
uint64_t number_of(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

Options of_environment() {
  Options options;
  options.memory = size_t(number_of("GRADUS_EMULATED_MEMORY", options.memory));
  options.others = size_t(number_of("GRADUS_EMULATED_OTHERS", options.others));
  options.fail_at = number_of("GRADUS_EMULATED_LOST_AT", options.fail_at);
  return options;
}
}  // namespace

Options& options() {
  static Options all = of_environment();
  return all;
}

}  // namespace gradus::emulator
