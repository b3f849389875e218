// What the wrapped classes share: a type tag, so that a method called on some other object is an error and not a crash.
#pragma once
#include "arguments.h"
#include "environment.h"

namespace gradus::binding {

// Derived has `tag` (napi_type_tag) and `type_name`.
template <class Derived> class Wrapped : public Napi::ObjectWrap<Derived> {
 public:
  explicit Wrapped(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Derived>(info) {
    Napi::Object self = info.This().As<Napi::Object>();
    self.TypeTag(&Derived::tag);
  }

  // Hides ObjectWrap's own, which trusts its argument; the methods' callbacks go through it too.
  static Derived* Unwrap(Napi::Object value) { return from(value, "this"); }

  static Derived* from(Napi::Value value, const char* name) {
    return guarded(value.Env(), [&] {
      if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Derived::tag))
        invalid(name, std::string("a ") + Derived::type_name, value);
      return Napi::ObjectWrap<Derived>::Unwrap(value.As<Napi::Object>());
    });
  }

 protected:
  // A method or an accessor, with the catch-all around it.
  template <Napi::Value (Derived::*body)(const Napi::CallbackInfo&)>
  Napi::Value entry(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (static_cast<Derived*>(this)->*body)(info); });
  }
  template <void (Derived::*body)(const Napi::CallbackInfo&)> void entry(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { (static_cast<Derived*>(this)->*body)(info); });
  }
  template <void (Derived::*body)(const Napi::CallbackInfo&, const Napi::Value&)>
  void setter(const Napi::CallbackInfo& info, const Napi::Value& value) {
    guarded(info.Env(), [&] { (static_cast<Derived*>(this)->*body)(info, value); });
  }

  // Tells the collector of native memory, that a small object may hold much of.
  void account(Napi::Env env, int64_t bytes) {
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
    accounted_ += bytes;
  }
  int64_t accounted() const { return accounted_; }

 private:
  int64_t accounted_ = 0;
};

}  // namespace gradus::binding
