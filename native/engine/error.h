// What the engine throws; the binding turns it into a JavaScript Error with the same code.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace gradus {

struct Error : std::runtime_error {
  Error(const char* code, const std::string& message) : std::runtime_error(message), code(code) {}
  const char* code;  // "GRADUS_…", stable
  bool is(std::string_view other) const { return code == other; }
};

// Says of memory that is not there what it was for.
template <class Take>
void while_taking(const char* what, const Take& take) {
  try {
    take();
  } catch (const Error& error) {
    if (!error.is("GRADUS_OUT_OF_MEMORY")) throw;
    throw Error(error.code, error.what() + std::string(": ") + what);
  }
}

}  // namespace gradus
