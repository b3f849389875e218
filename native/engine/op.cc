#include "op.h"

namespace gradus {

const Shape& NodeReader::only_input() const {
  if (inputs.size() != 1 || input_is_index[0]) fields.fail("inputs: expected one, of real numbers");
  return input_shapes[0];
}

std::optional<size_t> NodeReader::optional_parameter(const std::string& role, const Shape& shape) const {
  const Value* roles = fields.find("parameters");
  if (!roles) return std::nullopt;
  const Fields numbers(*roles, fields.place() + ": parameters");
  if (!numbers.find(role)) return std::nullopt;
  const size_t number = numbers.count(role);
  if (number >= parameters.size()) numbers.fail(role + ": there is no parameter " + std::to_string(number));
  const Shape& found = parameters[number].shape;
  bool fits = found.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] == 0 || shape[i] == found[i];
  if (!fits) numbers.fail(role + ": expected shape " + to_string(shape) + ", received " + to_string(found));
  return number;
}

size_t NodeReader::parameter(const std::string& role, const Shape& shape) const {
  const std::optional<size_t> number = optional_parameter(role, shape);
  if (!number) fields.fail("parameters: expected a " + role);
  return *number;
}

}  // namespace gradus
