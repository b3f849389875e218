// What the wrapped classes share: a catch-all around every entry, and a type tag, so that a method called on some other
// object is an error and not a crash.
#pragma once
#include "arguments.h"
#include "environment.h"

namespace gradus::binding {

// Derived has `tag` (napi_type_tag) and `type_name`.
template <class Derived>
class Wrapped : public Napi::ObjectWrap<Derived> {
 public:
  explicit Wrapped(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Derived>(info) {
    info.This().As<Napi::Object>().TypeTag(&Derived::tag);
  }

  static Derived& from(Napi::Value value, const char* name) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Derived::tag))
      invalid(name, std::string("a ") + Derived::type_name, value);
    return *Napi::ObjectWrap<Derived>::Unwrap(value.As<Napi::Object>());
  }

 protected:
  using Property = Napi::ClassPropertyDescriptor<Derived>;

  // body: Napi::Value (Derived::*)(const Napi::CallbackInfo&), or the same without a result. A setter finds its value
  // in info[0].
  template <auto body>
  static Property method(const char* name) {
    return napi_property_descriptor{name, nullptr, call<body>, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  }
  template <auto getter>
  static Property accessor(const char* name) {
    return napi_property_descriptor{name, nullptr, nullptr, call<getter>, nullptr, nullptr, napi_default, nullptr};
  }
  template <auto getter, auto setter>
  static Property accessor(const char* name) {
    return napi_property_descriptor{name, nullptr, nullptr, call<getter>, call<setter>, nullptr, napi_default, nullptr};
  }

  // Tells the collector of native memory, which a small object may hold much of.
  void account(Napi::Env env, int64_t bytes) {
    if (bytes == 0) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
    accounted_ += bytes;
  }
  int64_t accounted() const { return accounted_; }

 private:
  template <auto body>
  static napi_value call(napi_env env, napi_callback_info raw) {
    try {
      const Napi::CallbackInfo info(env, raw);
      return guarded(env, [&]() -> napi_value {
        Derived& self = from(info.This(), "this");
        if constexpr (std::is_void_v<decltype((self.*body)(info))>) {
          (self.*body)(info);
          return nullptr;
        } else {
          return (self.*body)(info);
        }
      });
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
      return nullptr;
    }
  }

  int64_t accounted_ = 0;
};

}  // namespace gradus::binding
