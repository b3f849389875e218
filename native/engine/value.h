// A JSON-like value: what a model descriptor is made of on its way from JavaScript into a Program.
#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace gradus {

struct Value {
  using Array = std::vector<Value>;
  using Object = std::map<std::string, Value>;
  std::variant<std::monostate, bool, double, std::string, Array, Object> data;
};

}  // namespace gradus
