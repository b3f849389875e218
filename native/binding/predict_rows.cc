// A prediction on the calling thread: for rows so few that a promise would take longer than the work.
#include <cstring>

#include "dataset.h"
#include "program.h"

namespace gradus::binding {
namespace {

using Copies = std::vector<std::vector<uint8_t>>;

// The inputs, one argument after the other: an array each, after bytes their scale and offset. Without `copies` they
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
    column.scale = finite_number(info[at++], "scale");
    column.offset = finite_number(info[at++], "offset");
  }
}

}  // namespace

// The result is copied at the end, when no JavaScript of a custom layer can take its array away any more.
void Program::predict_rows(const Napi::CallbackInfo& info) {
  gradus::Program& program = idle();
  Copies copies;
  rows_.rows = whole_number(info[0], "rows");
  rows_.batch_size = whole_number(info[1], "batchSize", 1);
  take_inputs(info, 3, rows_, host_ ? &copies : nullptr);
  const size_t length = product("rows", {rows_.rows, program.output_size()});
  rows_result_.grow(product("rows", {length, is_double() ? sizeof(double) : sizeof(float)}));
  compute_rows(info.Env(), program);
  const napi_typedarray_type type = is_double() ? napi_float64_array : napi_float32_array;
  const std::string expected = array_name(type);
  const Elements to = elements(info[2], "to", expected.c_str());
  if (to.type != type || to.length < length)
    invalid("to", expected + " of at least " + std::to_string(length) + " elements", info[2]);
  std::memcpy(to.data, rows_result_.data(), length * (is_double() ? sizeof(double) : sizeof(float)));
}

// A custom layer's JavaScript may do anything: it finds the program busy, and what it disposes of is let go of at the
// end.
void Program::compute_rows(Napi::Env env, gradus::Program& program) {
  if (host_) host_->begin_here(Environment::of(env).host_function.get(Value()).As<Napi::Function>());
  busy_ = true;
  program.stop_requested = false;
  struct End {
    Program& self;
    ~End() { self.end_call(); }
  } const end{*this};
  program.predict_rows(rows_, rows_result_.data());
  present();
}

}  // namespace gradus::binding
