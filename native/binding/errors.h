// How trouble in C++ reaches JavaScript: every entry runs inside guarded(), so that no exception leaves a callback.
#pragma once
#include <napi.h>

#include <string>

#include "engine/error.h"
#include "engine/floating_point.h"

namespace gradus::binding {

struct Trouble {
  std::string code, message;
};

// Of the C++ exception being handled.
Trouble current_trouble();

// At most so many bytes of UTF-8, with an ellipsis where something is left out.
std::string shortened(const std::string& text, size_t most);

// A GradusError once lib/native.ts has registered the class, else an Error with the same code.
Napi::Error javascript_error(Napi::Env env, const Trouble& trouble);

template <class Body>
auto guarded(Napi::Env env, Body body) {
  const FloatingPoint floating_point;
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;  // already a JavaScript exception
  } catch (...) {
    throw javascript_error(env, current_trouble());
  }
}

}  // namespace gradus::binding
