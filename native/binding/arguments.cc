#include "arguments.h"

#include <cmath>

namespace gradus::binding {
namespace {

// Of a typed array; asks V8, not the object, so that nothing of the user's runs.
Elements inspect(Napi::Value value) {
  Elements found{};
  napi_value buffer;
  size_t offset;
  napi_get_typedarray_info(value.Env(), value, &found.type, &found.length, &found.data, &buffer, &offset);
  return found;
}

napi_value buffer_of(Napi::Value value) {
  napi_value buffer = nullptr;
  napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, nullptr, &buffer, nullptr);
  return buffer;
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  char digits[32];
  const bool is_whole = number == std::floor(number) && std::fabs(number) < 1e15;
  std::snprintf(digits, sizeof digits, is_whole ? "%.0f" : "%.15g", number);
  return digits;
}

// Looks at the string's beginning alone: it may be of any length.
std::string quoted(Napi::Value string) {
  constexpr size_t most = 60;
  char beginning[most + 8];
  size_t length = 0;
  napi_get_value_string_utf8(string.Env(), string, beginning, sizeof beginning, &length);
  return '"' + shortened({beginning, length}, most) + '"';
}

}  // namespace

const char* array_name(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return "an Int8Array";
    case napi_uint8_array:
      return "a Uint8Array";
    case napi_uint8_clamped_array:
      return "a Uint8ClampedArray";
    case napi_int16_array:
      return "an Int16Array";
    case napi_uint16_array:
      return "a Uint16Array";
    case napi_int32_array:
      return "an Int32Array";
    case napi_uint32_array:
      return "a Uint32Array";
    case napi_float32_array:
      return "a Float32Array";
    case napi_float64_array:
      return "a Float64Array";
    default:
      return "an array of bigints";
  }
}

std::string describe(Napi::Value value) {
  if (value.IsEmpty() || value.IsUndefined()) return "undefined";
  switch (value.Type()) {
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>() ? "true" : "false";
    case napi_number:
      return number_text(value.As<Napi::Number>());
    case napi_string:
      return quoted(value);
    case napi_symbol:
      return "a symbol";
    case napi_bigint:
      return "a bigint";
    case napi_function:
      return "a function";
    default:
      break;
  }
  if (value.IsTypedArray()) {
    const Elements found = inspect(value);
    return std::string(array_name(found.type)) + " of length " + std::to_string(found.length);
  }
  if (value.IsArray()) return "an array of length " + std::to_string(value.As<Napi::Array>().Length());
  return "an object";
}

void invalid(const std::string& argument, const std::string& expected, Napi::Value received) {
  throw Error("GRADUS_INVALID_ARGUMENT", argument + ": expected " + expected + ", received " + describe(received));
}

double finite_number(Napi::Value value, const std::string& name) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>();
    if (std::isfinite(number)) return number;
  }
  invalid(name, "a finite number", value);
}

uint64_t whole_number(Napi::Value value, const std::string& name, uint64_t least) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>();
    // Of the type as it is compared: NaN fails both.
    if (number >= static_cast<double>(least) && number <= largest_integer && number == std::floor(number))
      return static_cast<uint64_t>(number);
  }
  invalid(name, "a whole number from " + std::to_string(least) + " up", value);
}

bool truth(Napi::Value value, const std::string& name) {
  if (!value.IsBoolean()) invalid(name, "true or false", value);
  return value.As<Napi::Boolean>();
}

std::string text(Napi::Value value, const std::string& name) {
  if (!value.IsString()) invalid(name, "a string", value);
  if (is_longer_than(value, longest_text))
    invalid(name, "a string of at most " + std::to_string(longest_text) + " bytes", value);
  return value.As<Napi::String>();
}

bool is_longer_than(Napi::Value string, size_t bytes) {
  size_t length = 0;
  napi_get_value_string_utf8(string.Env(), string, nullptr, 0, &length);
  return length > bytes;
}

Napi::Object object(Napi::Value value, const std::string& name) {
  if (!value.IsObject() || value.IsFunction() || value.IsArray() || value.IsTypedArray())
    invalid(name, "an object", value);
  return value.As<Napi::Object>();
}

Napi::Array array(Napi::Value value, const std::string& name) {
  if (!value.IsArray()) invalid(name, "an array", value);
  return value.As<Napi::Array>();
}

size_t product(const char* name, std::initializer_list<size_t> factors) {
  size_t result = 1;
  for (const size_t factor : factors) {
    if (factor && result > static_cast<size_t>(largest_integer) / factor)
      throw Error("GRADUS_TOO_LARGE", std::string(name) + ": the sizes give more than 2^53 - 1 elements");
    result *= factor;
  }
  return result;
}

Elements elements(Napi::Value value, const char* name, const char* expected) {
  if (!value.IsTypedArray()) invalid(name, expected, value);
  Napi::Env env = value.Env();
  const napi_value buffer = buffer_of(value);
  bool is_plain = false, is_detached = false;
  napi_is_arraybuffer(env, buffer, &is_plain);
  if (!is_plain)
    throw Error("GRADUS_INVALID_ARGUMENT",
                std::string(name) +
                    ": expected memory of this thread alone, received an array on a SharedArrayBuffer; copy it first");
  napi_is_detached_arraybuffer(env, buffer, &is_detached);
  if (is_detached)
    throw Error("GRADUS_INVALID_ARGUMENT", std::string(name) + ": expected " + expected +
                                               ", received a detached array (its buffer was transferred away)");
  return inspect(value);
}

bool is_array(Napi::Value value, napi_typedarray_type type) {
  return value.IsTypedArray() && inspect(value).type == type;
}

std::vector<double> copy_of_any_doubles(Napi::Value value, const char* name) {
  const Elements found = elements(value, name, "a Float64Array");
  if (found.type != napi_float64_array) invalid(name, "a Float64Array", value);
  const auto* data = static_cast<const double*>(found.data);
  return {data, data + found.length};
}

std::vector<double> copy_of_doubles(Napi::Value value, const char* name) {
  const std::vector<double> copy = copy_of_any_doubles(value, name);
  for (size_t i = 0; i < copy.size(); ++i)
    if (!std::isfinite(copy[i]))
      invalid(std::string(name) + '[' + std::to_string(i) + ']', "a finite number",
              Napi::Number::New(value.Env(), copy[i]));
  return copy;
}

bool Arguments::is_double() const {
  for (size_t i = 0; i < info_.Length(); ++i) {
    if (!info_[i].IsTypedArray()) continue;
    const napi_typedarray_type type = inspect(info_[i]).type;
    if (type == napi_float32_array || type == napi_float64_array) return type == napi_float64_array;
  }
  return false;
}

bool Arguments::is_absent() {
  const Napi::Value value = info_[index_];
  if (!value.IsUndefined() && !value.IsNull()) return false;
  ++index_;
  return true;
}

size_t Arguments::length_of_next(const char* name, napi_typedarray_type type) {
  const Elements found = elements(info_[index_], name, array_name(type));
  if (found.type != type) invalid(name, array_name(type), info_[index_]);
  return found.length;
}

void* Arguments::take(const char* name, napi_typedarray_type type, size_t length, size_t element_size, bool is_output) {
  const Napi::Value value = next();
  const Elements found = elements(value, name, array_name(type));
  if (found.type != type || found.length != length)
    invalid(name, std::string(array_name(type)) + " of length " + std::to_string(length), value);
  const auto* begin = static_cast<const uint8_t*>(found.data);
  ranges_.at(range_count_++) = {name, begin, begin + length * element_size, is_output};
  return found.data;
}

void Arguments::check_overlap(InPlace in_place) const {
  for (size_t i = 0; i < range_count_; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Range &a = ranges_[i], &b = ranges_[j];
      const bool both = a.begin != a.end && b.begin != b.end;
      const bool overlap = both && a.begin < b.end && b.begin < a.end;
      const bool same = a.begin == b.begin && a.end == b.end;
      if (!overlap || !(a.is_output || b.is_output) || (same && in_place == InPlace::allowed)) continue;
      const Range &output = a.is_output ? a : b, &other = a.is_output ? b : a;
      throw Error(
          "GRADUS_INVALID_ARGUMENT",
          std::string(output.name) + ": expected memory of its own, received an array that overlaps " + other.name);
    }
  }
}

}  // namespace gradus::binding
