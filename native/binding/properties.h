// Objects and arrays in the making. Their properties are defined, not set: a setter that somebody has put on
// Object.prototype or Array.prototype neither runs nor swallows them.
#pragma once
#include <string>
#include <vector>

#include "errors.h"

namespace gradus::binding {

inline void define_property(Napi::Object to, const char* name, Napi::Value value) {
  to.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_default_jsproperty));
}
inline void define_property(Napi::Object to, const char* name, double number) {
  define_property(to, name, Napi::Number::New(to.Env(), number));
}

// convert(item) gives the value of each.
template <class Items, class Convert>
Napi::Array array_of(Napi::Env env, const Items& items, const Convert& convert) {
  Napi::Array to = Napi::Array::New(env, items.size());
  size_t i = 0;
  for (const auto& item : items) define_property(to, std::to_string(i++).c_str(), convert(item));
  return to;
}

inline Napi::Array text_array(Napi::Env env, const std::vector<std::string>& texts) {
  return array_of(env, texts, [env](const std::string& text) { return Napi::String::New(env, text); });
}

}  // namespace gradus::binding
