// A JSON-like JavaScript value into the engine's Value.
#pragma once
#include "engine/value.h"
#include "errors.h"

namespace gradus::binding {

// Properties that are undefined are left out. Errors: GRADUS_BAD_DESCRIPTOR names the place (`nodes[2].rate`).
Value to_value(Napi::Value from, const std::string& name);

}  // namespace gradus::binding
