#include "value.h"

#include <cmath>

#include "arguments.h"

namespace gradus::binding {
namespace {

constexpr int deepest = 32;
constexpr size_t most_values = 1000000;  // arrays that hold one another twice would grow without end

// Where the walk is: a chain back to the root, so that the text is made only when it is needed.
struct Place {
  const Place* parent;
  std::string key;
  int depth;
  size_t& values;
  std::string path() const { return parent ? parent->path() + key : key; }
};

[[noreturn]] void bad(const Place& place, const std::string& expected, Napi::Value received) {
  throw Error("GRADUS_BAD_DESCRIPTOR", place.path() + ": expected " + expected + ", received " + describe(received));
}

std::string text_at(const Place& place, Napi::Value from) {
  if (is_longer_than(from, longest_text))
    bad(place, "strings of at most " + std::to_string(longest_text) + " bytes", from);
  return from.As<Napi::String>();
}

Value walk(Napi::Value from, const Place& place);

Value walk_array(Napi::Array from, const Place& place) {
  Value::Array items;
  for (uint32_t i = 0; i < from.Length(); ++i) {
    Napi::HandleScope scope(from.Env());
    items.push_back(walk(from[i], {&place, '[' + std::to_string(i) + ']', place.depth + 1, place.values}));
  }
  return {std::move(items)};
}

Value walk_object(Napi::Object from, const Place& place) {
  Value::Object entries;
  Napi::Env env = from.Env();
  napi_value keys_value;
  const auto filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  const napi_status status =
      napi_get_all_property_names(env, from, napi_key_own_only, filter, napi_key_numbers_to_strings, &keys_value);
  if (status != napi_ok) throw Napi::Error::New(env);
  Napi::Array keys(env, keys_value);
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    Napi::HandleScope scope(env);
    const std::string key = text_at(place, keys[i]);
    const Napi::Value value = from.Get(key);
    if (!value.IsUndefined()) entries.emplace(key, walk(value, {&place, '.' + key, place.depth + 1, place.values}));
  }
  return {std::move(entries)};
}

Value walk(Napi::Value from, const Place& place) {
  if (place.depth > deepest) bad(place, "at most " + std::to_string(deepest) + " levels", from);
  if (++place.values > most_values) bad(place, "at most " + std::to_string(most_values) + " values", from);
  switch (from.Type()) {
    case napi_null:
      return {};
    case napi_boolean:
      return {from.As<Napi::Boolean>().Value()};
    case napi_string:
      return {text_at(place, from)};
    case napi_number: {
      const double number = from.As<Napi::Number>();
      if (!std::isfinite(number)) bad(place, "a finite number", from);
      return {number};
    }
    case napi_object:
      if (from.IsArray()) return walk_array(from.As<Napi::Array>(), place);
      if (!from.IsTypedArray() && !from.IsArrayBuffer() && !from.IsDataView() && !from.IsDate() && !from.IsPromise())
        return walk_object(from.As<Napi::Object>(), place);
      [[fallthrough]];
    default:
      bad(place, "plain data (an object, an array, a number, a string, true, false or null)", from);
  }
}

}  // namespace

Value to_value(Napi::Value from, const std::string& name) {
  size_t values = 0;
  return walk(from, {nullptr, name, 0, values});
}

}  // namespace gradus::binding
