// Reading a descriptor's objects: each field checked, and what is wrong said with the place it is in.
#pragma once
#include <cmath>

#include "arena.h"
#include "value.h"

namespace gradus {

using Shape = std::vector<size_t>;

inline size_t elements_of(const Shape& shape) {
  size_t elements = 1;
  for (size_t extent : shape) elements = product(elements, extent);
  return elements;
}

inline std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

class Fields {
 public:
  Fields(const Value& value, std::string place) : place_(std::move(place)) {
    object_ = std::get_if<Value::Object>(&value.data);
    if (!object_) fail("expected an object");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error("GRADUS_BAD_DESCRIPTOR", place_ + ": " + what); }
  const std::string& place() const { return place_; }
  const Value* find(const std::string& key) const {
    const auto at = object_->find(key);
    return at == object_->end() || std::holds_alternative<std::monostate>(at->second.data) ? nullptr : &at->second;
  }
  template <class A>
  const A& get(const std::string& key, const char* expected) const {
    const Value* value = find(key);
    const A* found = value ? std::get_if<A>(&value->data) : nullptr;
    if (!found) fail(key + ": expected " + expected);
    return *found;
  }
  const std::string& text(const std::string& key) const { return get<std::string>(key, "a string"); }
  const Value::Array& array(const std::string& key) const { return get<Value::Array>(key, "an array"); }
  bool flag(const std::string& key) const { return get<bool>(key, "true or false"); }
  double number(const std::string& key) const {
    const double value = get<double>(key, "a number");
    if (!std::isfinite(value)) fail(key + ": expected a finite number");
    return value;
  }
  double number(const std::string& key, double fallback) const { return find(key) ? number(key) : fallback; }
  // In [low, high).
  double number_within(const std::string& key, double fallback, double low, double high) const {
    const double value = number(key, fallback);
    if (value < low || value >= high) fail(key + ": out of range: " + std::to_string(value));
    return value;
  }
  size_t count(const Value& value, const std::string& what) const {
    const double* number = std::get_if<double>(&value.data);
    if (!number || !(*number >= 0) || *number > 9007199254740991.0 || *number != std::floor(*number))
      fail(what + ": expected a whole number");
    return size_t(*number);
  }
  size_t count(const std::string& key) const {
    const Value* value = find(key);
    if (!value) fail(key + ": expected a whole number");
    return count(*value, key);
  }
  std::vector<size_t> counts(const std::string& key) const {
    std::vector<size_t> counts;
    for (const Value& value : array(key)) counts.push_back(count(value, key));
    return counts;
  }
  Shape shape(const std::string& key) const {
    Shape shape = counts(key);
    for (size_t extent : shape)
      if (extent == 0) fail(key + ": expected extents above 0");
    elements_of(shape);
    return shape;
  }

 private:
  std::string place_;
  const Value::Object* object_ = nullptr;
};

}  // namespace gradus
