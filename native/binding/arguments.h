// JavaScript values into checked C++ values. What does not fit is one error that names the argument, what was expected
// of it and what came, in the words of lib/errors.ts.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "errors.h"

namespace gradus::binding {

// A value in a few words, never longer than a line.
std::string describe(Napi::Value value);
[[noreturn]] void invalid(const std::string& argument, const std::string& expected, Napi::Value received);

constexpr double largest_integer = 9007199254740991;  // 2⁵³ − 1

double finite_number(Napi::Value value, const std::string& name);
uint64_t whole_number(Napi::Value value, const std::string& name, uint64_t least = 0);
bool truth(Napi::Value value, const std::string& name);
std::string text(Napi::Value value, const std::string& name);
// Longer strings are no names of anything; joined to a message or another name they could pass what JavaScript can
// hold.
constexpr size_t longest_text = 65536;  // bytes of UTF-8
bool is_longer_than(Napi::Value string, size_t bytes);
Napi::Object object(Napi::Value value, const std::string& name);
Napi::Array array(Napi::Value value, const std::string& name);
// Throws GRADUS_TOO_LARGE when the product passes 2⁵³ − 1.
size_t product(const char* name, std::initializer_list<size_t> factors);

template <class T>
constexpr napi_typedarray_type array_type() {
  if constexpr (std::is_same_v<T, float>) return napi_float32_array;
  if constexpr (std::is_same_v<T, double>) return napi_float64_array;
  if constexpr (std::is_same_v<T, uint8_t>) return napi_uint8_array;
  if constexpr (std::is_same_v<T, int32_t>) return napi_int32_array;
  if constexpr (std::is_same_v<T, uint32_t>) return napi_uint32_array;
}
const char* array_name(napi_typedarray_type type);

// The memory of a typed array, as long as no JavaScript runs: neither detached nor shared with other threads. The
// length is that of now, which is what counts for resizable memory.
struct Elements {
  napi_typedarray_type type;
  void* data;
  size_t length;
};
Elements elements(Napi::Value value, const char* name, const char* expected);
bool is_array(Napi::Value value, napi_typedarray_type type);
std::vector<double> copy_of_doubles(Napi::Value value, const char* name);  // all finite
std::vector<double> copy_of_any_doubles(Napi::Value value, const char* name);

enum class InPlace { refused, allowed };

// The arguments of one synchronous kernel, taken in order. T is the type of the first float array among them.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  bool is_double() const;
  size_t size(const char* name, uint64_t least = 0) { return whole_number(next(), name, least); }
  uint64_t integer(const char* name) { return whole_number(next(), name); }
  double number(const char* name) { return finite_number(next(), name); }
  bool flag(const char* name) { return truth(next(), name); }
  std::string string(const char* name) { return text(next(), name); }

  // Arrays of exactly this many elements; null or undefined gives a null pointer where that is allowed.
  template <class T>
  const T* input_of(const char* name, size_t length) {
    return static_cast<const T*>(take(name, array_type<T>(), length, sizeof(T), false));
  }
  template <class T>
  T* output_of(const char* name, size_t length) {
    return static_cast<T*>(take(name, array_type<T>(), length, sizeof(T), true));
  }
  bool is_absent();  // and passed over then
  // Of the next argument, without taking it: the length of an array of T; whether it is one.
  template <class T>
  size_t length_of(const char* name) {
    return length_of_next(name, array_type<T>());
  }
  template <class T>
  bool next_is() const {
    return is_array(info_[index_], array_type<T>());
  }

  // To be called before anything is written: no output may overlap another array of the call, save that it may be one
  // where the kernel works in place.
  void check_overlap(InPlace in_place = InPlace::refused) const;

 private:
  struct Range {
    const char* name;
    const uint8_t *begin, *end;
    bool is_output;
  };
  Napi::Value next() { return info_[index_++]; }
  size_t length_of_next(const char* name, napi_typedarray_type type);
  void* take(const char* name, napi_typedarray_type type, size_t length, size_t element_size, bool is_output);

  const Napi::CallbackInfo& info_;
  size_t index_ = 0;
  std::array<Range, 12> ranges_;
  size_t range_count_ = 0;
};

}  // namespace gradus::binding
