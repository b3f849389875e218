// GPUs as JavaScript asks for them.
#pragma once
#include <memory>

#include "arguments.h"
#include "engine/library_device.h"

namespace gradus::binding {

// (library): of each card that it sees what it tells, and why a card cannot be used; one entry where it sees none.
Napi::Value devices(const Napi::CallbackInfo& info);
// "cuda" or "cuda:1" of that library, opened; none for "cpu" or undefined.
std::shared_ptr<OpenDevice> device_of(Napi::Value device, Napi::Value library);

}  // namespace gradus::binding
