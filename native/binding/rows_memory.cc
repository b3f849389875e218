#include "rows_memory.h"

#include <cstring>

#include "dataset.h"

namespace gradus::binding {
namespace {

using Copies = std::vector<std::vector<uint8_t>>;

// The inputs, one argument after the other: an array each, after bytes their scale and offset, or arrays of these which
// come again and again. Without `copies` they
// stay where they are, which holds as long as no JavaScript runs.
void take_inputs(const Napi::CallbackInfo& info, size_t at, RowsCall& call, Copies* copies) {
  call.inputs.clear();
  while (at < info.Length()) {
    const std::string name = "inputs[" + std::to_string(call.inputs.size()) + ']';
    constexpr const char* expected = "a Float32Array, Float64Array, Int32Array or Uint8Array";
    const Napi::Value value = info[at++];
    const Elements found = elements(value, name.c_str(), expected);
    const std::optional<DataType> type = column_type(found.type);
    if (!type) invalid(name, expected, value);
    RowsCall::Column& column = call.inputs.emplace_back();
    column.data = found.data, column.type = *type, column.length = found.length;
    if (copies) {
      const auto* first = static_cast<const uint8_t*>(found.data);
      column.data = copies->emplace_back(first, first + found.length * size_of(*type)).data();
    }
    if (type != DataType::uint8) continue;
    const Napi::Value scale = info[at++], offset = info[at++];
    if (!scale.IsTypedArray()) {
      column.scale = finite_number(scale, "scale"), column.offset = finite_number(offset, "offset");
      continue;
    }
    column.scales = copy_of_doubles(scale, "scale"), column.offsets = copy_of_doubles(offset, "offset");
    if (column.scales.empty() || column.scales.size() != column.offsets.size())
      invalid("offset", "as many numbers as there are scales", offset);
  }
}

}  // namespace

void RowsMemory::answer(const Napi::CallbackInfo& info, size_t output_size, bool is_double, bool may_run_javascript,
                        const std::function<void()>& compute) {
  const size_t element = is_double ? sizeof(double) : sizeof(float);
  Copies copies;
  call.rows = whole_number(info[0], "rows");
  call.batch_size = whole_number(info[1], "batchSize", 1);
  take_inputs(info, 3, call, may_run_javascript ? &copies : nullptr);
  const size_t length = product("rows", {call.rows, output_size});
  result.grow(product("rows", {length, element}), host_memory());
  compute();
  const napi_typedarray_type type = is_double ? napi_float64_array : napi_float32_array;
  const std::string expected = array_name(type);
  const Elements to = elements(info[2], "to", expected.c_str());
  if (to.type != type || to.length < length)
    invalid("to", expected + " of at least " + std::to_string(length) + " elements", info[2]);
  std::memcpy(to.data, result.data(), length * element);
}

}  // namespace gradus::binding
