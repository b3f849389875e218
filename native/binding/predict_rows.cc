// A prediction on the calling thread: for rows so few that a promise would take longer than the work.
#include "dataset.h"
#include "program.h"

namespace gradus::binding {
namespace {

// The inputs, one argument after the other: an array each, after bytes their scale and offset. No JavaScript runs
// meanwhile, so the memory stays what it is.
void take_inputs(const Napi::CallbackInfo& info, size_t at, RowsCall& call) {
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
    if (type != DataType::uint8) continue;
    column.scale = finite_number(info[at++], "scale");
    column.offset = finite_number(info[at++], "offset");
  }
}

}  // namespace

Napi::Value Program::predict_rows(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  gradus::Program& program = idle();
  rows_.rows = whole_number(info[0], "rows");
  rows_.batch_size = whole_number(info[1], "batchSize", 1);
  take_inputs(info, 2, rows_);
  const Environment& environment = Environment::of(env);
  const size_t size = product("rows", {rows_.rows, program.output_size()});
  const Napi::TypedArray array = environment.float_array(env, is_double(), size);
  void* out = elements(array, "result", "a typed array").data;
  if (host_) host_->begin_here(environment.host_function.get(Value()).As<Napi::Function>());
  // A custom layer runs JavaScript, which may do anything: it finds the program busy, and what it disposes of is let
  // go of at the end.
  busy_ = true;
  program.stop_requested = false;
  struct End {
    Program& self;
    ~End() { self.end_call(); }
  } const end{*this};
  program.predict_rows(rows_, out);
  present();
  return array;
}

}  // namespace gradus::binding
