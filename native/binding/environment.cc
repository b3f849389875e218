#include "environment.h"

#include <cstdint>

namespace gradus::binding {

void* Environment::matmul_memory() {
  constexpr size_t alignment = 64;
  if (!workspace) workspace.reset(new double[matmul_workspace + alignment / sizeof(double)]);
  const auto address = reinterpret_cast<uintptr_t>(workspace.get());
  return reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
}

Napi::TypedArray Environment::float_array(Napi::Env env, bool is_double, size_t length) const {
  try {
    const auto& constructor = is_double ? float64_array : float32_array;
    return constructor.New({Napi::Number::New(env, static_cast<double>(length))}).As<Napi::TypedArray>();
  } catch (const Napi::Error&) {
    throw Error("GRADUS_OUT_OF_MEMORY",
                "There is not enough memory for an array of " + std::to_string(length) + " numbers");
  }
}

}  // namespace gradus::binding
