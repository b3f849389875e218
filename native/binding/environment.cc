#include "environment.h"

#include <cstdint>

namespace gradus::binding {

void HiddenProperty::open(Napi::Env env) {
  const Napi::Function weak_map = env.Global().Get("WeakMap").As<Napi::Function>();
  const Napi::Object methods = weak_map.Get("prototype").As<Napi::Object>();
  map_ = Napi::Persistent(weak_map.New({}));
  set_ = Napi::Persistent(methods.Get("set").As<Napi::Function>());
  get_ = Napi::Persistent(methods.Get("get").As<Napi::Function>());
  delete_ = Napi::Persistent(methods.Get("delete").As<Napi::Function>());
}

void HiddenProperty::set(Napi::Object of, Napi::Value value) const { set_.Call(map_.Value(), {of, value}); }
Napi::Value HiddenProperty::get(Napi::Object of) const { return get_.Call(map_.Value(), {of}); }
void HiddenProperty::remove(Napi::Object of) const noexcept {
  try {
    delete_.Call(map_.Value(), {of});
  } catch (...) {
    // The environment is going away, and takes all of it along.
  }
}

namespace {
Napi::TypedArray made_by_v8(Napi::Env env, napi_typedarray_type type, size_t length) {
  switch (type) {
    case napi_float64_array:
      return Napi::Float64Array::New(env, length);
    case napi_float32_array:
      return Napi::Float32Array::New(env, length);
    case napi_int32_array:
      return Napi::Int32Array::New(env, length);
    default:
      return Napi::Uint8Array::New(env, length);
  }
}
}  // namespace

Napi::TypedArray Environment::typed_array(Napi::Env env, napi_typedarray_type type, size_t length) const {
  // V8's own way takes half the time, and ends the process where memory is short; so does any object when there is not
  // even this little.
  constexpr size_t little = 4096;
  if (length <= little) return made_by_v8(env, type, length);
  try {
    const auto& constructor = type == napi_float64_array   ? float64_array
                              : type == napi_float32_array ? float32_array
                              : type == napi_int32_array   ? int32_array
                                                           : uint8_array;
    return constructor.New({Napi::Number::New(env, static_cast<double>(length))}).As<Napi::TypedArray>();
  } catch (const Napi::Error&) {
    throw Error("GRADUS_OUT_OF_MEMORY",
                "There is not enough memory for an array of " + std::to_string(length) + " numbers");
  }
}

}  // namespace gradus::binding
