#include "environment.h"

#include <cstdint>

namespace gradus::binding {

void* Environment::matmul_memory() {
  constexpr size_t alignment = 64;
  if (!workspace) workspace.reset(new double[matmul_workspace + alignment / sizeof(double)]);
  const auto address = reinterpret_cast<uintptr_t>(workspace.get());
  return reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
}

Napi::TypedArray Environment::typed_array(Napi::Env env, napi_typedarray_type type, size_t length) const {
  try {
    const auto& constructor = type == napi_float64_array   ? float64_array
                              : type == napi_float32_array ? float32_array
                                                           : int32_array;
    return constructor.New({Napi::Number::New(env, static_cast<double>(length))}).As<Napi::TypedArray>();
  } catch (const Napi::Error&) {
    throw Error("GRADUS_OUT_OF_MEMORY",
                "There is not enough memory for an array of " + std::to_string(length) + " numbers");
  }
}

}  // namespace gradus::binding
