// What the engine throws; the binding turns it into a JavaScript Error with the same code.
#pragma once
#include <stdexcept>
#include <string>

namespace gradus {

struct Error : std::runtime_error {
  Error(const char* code, const std::string& message) : std::runtime_error(message), code(code) {}
  const char* code;  // "GRADUS_…", stable
};

}  // namespace gradus
