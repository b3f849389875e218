#include "dataset.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include "call_arguments.h"
#include "engine/augmented_images.h"
#include "properties.h"
#include "value.h"

namespace gradus::binding {
namespace {

using Role = gradus::Dataset::Role;

struct TypeName {
  const char* name;
  DataType type;
  napi_typedarray_type array;
};
constexpr TypeName type_names[] = {
    {"float32", DataType::float32, napi_float32_array},
    {"float64", DataType::float64, napi_float64_array},
    {"uint8", DataType::uint8, napi_uint8_array},
    {"int32", DataType::int32, napi_int32_array},
};

std::vector<size_t> shape_of(Napi::Value value, const char* name) {
  const Napi::Array items = array(value, name);
  std::vector<size_t> shape;
  for (uint32_t i = 0; i < items.Length(); ++i) shape.push_back(whole_number(items[i], name));
  return shape;
}

Column column_of(Napi::Value value, const std::string& name) {
  const Napi::Object from = object(value, name);
  Column column;
  column.name = text(from.Get("name"), "column.name");
  const Napi::Value type = from.Get("type");
  const std::string wanted = text(type, "column.type");
  const TypeName* found = nullptr;
  for (const TypeName& known : type_names)
    if (wanted == known.name) found = &known;
  if (!found) invalid("column.type", "float32, float64, uint8 or int32", type);
  column.type = found->type;
  column.shape = shape_of(from.Get("shape"), "column.shape");
  const Napi::Value scale = from.Get("scale"), offset = from.Get("offset");
  const bool by_channel = scale.IsTypedArray() || offset.IsTypedArray();
  if (by_channel) {
    column.scales = copy_of_doubles(scale, "column.scale"), column.offsets = copy_of_doubles(offset, "column.offset");
    return column;
  }
  if (!scale.IsUndefined()) column.scale = finite_number(scale, "column.scale");
  if (!offset.IsUndefined()) column.offset = finite_number(offset, "column.offset");
  return column;
}

std::vector<Column> columns_of(Napi::Value value, const char* name) {
  const Napi::Array items = array(value, name);
  std::vector<Column> columns;
  for (uint32_t i = 0; i < items.Length(); ++i)
    columns.push_back(column_of(items[i], std::string(name) + '[' + std::to_string(i) + ']'));
  return columns;
}

std::vector<Column> optional_column(Napi::Value value, const char* name) {
  if (value.IsNull() || value.IsUndefined()) return {};
  return {column_of(value, name)};
}

Role role_of(Napi::Value value) {
  const std::string name = text(value, "role");
  if (name == "input") return Role::input;
  if (name == "target") return Role::target;
  if (name == "weight") return Role::weight;
  invalid("role", "input, target or weight", value);
}

// The column that two arguments name, checked against those there are.
size_t column_index(const gradus::Dataset& data, Role role, Napi::Value value) {
  const size_t index = whole_number(value, "column");
  const size_t count = data.columns(role).size();
  if (index >= count) invalid("column", "one of the " + std::to_string(count) + " columns of this role", value);
  return index;
}

int64_t bytes_of(const gradus::Dataset& data) {
  int64_t bytes = 0;
  for (const Role role : {Role::input, Role::target, Role::weight})
    for (const Column& column : data.columns(role)) bytes += data.size() * column.elements() * size_of(column.type);
  return bytes;
}

}  // namespace

std::optional<DataType> column_type(napi_typedarray_type array) {
  for (const TypeName& known : type_names)
    if (known.array == array) return known.type;
  return std::nullopt;
}

Napi::Function Dataset::define(Napi::Env env) {
  return DefineClass(
      env, "NativeDataset",
      {accessor<&Dataset::size>("size"), method<&Dataset::write>("write"), method<&Dataset::read>("read"),
       method<&Dataset::subset>("subset"), method<&Dataset::first_nonfinite>("firstNonfinite"),
       method<&Dataset::range>("range"), method<&Dataset::augmented>("augmented"),
       method<&Dataset::fingerprint>("fingerprint"), method<&Dataset::dispose>("dispose")});
}

Dataset::Dataset(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] { construct(info); });
}

Dataset::~Dataset() {
  if (data_) release(Env());
}

void Dataset::release(Napi::Env env) {
  account(env, -accounted());
  const auto last = std::make_shared<std::shared_ptr<gradus::Dataset>>(std::move(data_));
  if (!releases_) return;
  try {
    releases_->run({[last] { last->reset(); }, nullptr});
  } catch (...) {
    // Without another thread it takes its time here.
  }
}

// From here on release() is left to another thread where it takes the system milliseconds.
void Dataset::adopt(Napi::Env env, std::shared_ptr<gradus::Dataset> data) {
  constexpr int64_t large = 1 << 22;
  data_ = std::move(data);
  if (bytes_of(*data_) < large) return;
  std::shared_ptr<Crew>& releases = Environment::of(env).releases;
  if (!releases) releases = std::make_shared<Crew>(1);
  releases_ = releases;
}

void Dataset::construct(const Napi::CallbackInfo& info) {
  if (info[0].IsExternal()) {  // from subset(): a view that is made already
    const auto view = info[0].As<Napi::External<std::shared_ptr<gradus::Dataset>>>();
    if (view.CheckTypeTag(&view_tag)) return adopt(info.Env(), std::move(*view.Data()));
  }
  const size_t examples = whole_number(info[0], "examples");
  temporary_ = !info[4].IsUndefined() && truth(info[4], "temporary");
  adopt(info.Env(),
        std::make_shared<gradus::Dataset>(examples, columns_of(info[1], "inputs"), optional_column(info[2], "target"),
                                          optional_column(info[3], "weight")));
}

const std::shared_ptr<gradus::Dataset>& Dataset::data() const {
  if (!data_) throw Error("GRADUS_DISPOSED", "The dataset was disposed: make a new one");
  return data_;
}

Napi::Value Dataset::size(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(data()->size()));
}

void Dataset::write(const Napi::CallbackInfo& info) {
  gradus::Dataset& to = *data();
  if (to.is_read()) throw Error("GRADUS_BUSY", "The dataset is in a call: wait for its promise first");
  const Role role = role_of(info[0]);
  const size_t index = column_index(to, role, info[1]);
  const size_t first = whole_number(info[2], "first");
  const Column& column = to.columns(role)[index];
  for (const TypeName& known : type_names) {
    if (known.type != column.type) continue;
    const Elements from = elements(info[3], "data", array_name(known.array));
    if (from.type != known.array) invalid("data", array_name(known.array), info[3]);
    to.write(role, index, first, from.data, from.length);
    // The collector is told once, when all is there: while it marks, each word of new memory makes it mark for five
    // milliseconds and more, here and now. Of what is disposed of anyway it is not told.
    written_ += from.length * size_of(column.type);
    if (!temporary_ && written_ >= bytes_of(to)) account(info.Env(), bytes_of(to) - accounted());
  }
}

Napi::Value Dataset::read(const Napi::CallbackInfo& info) {
  const gradus::Dataset& from = *data();
  const Role role = role_of(info[0]);
  const size_t index = column_index(from, role, info[1]);
  const size_t first = whole_number(info[2], "firstRow"), rows = whole_number(info[3], "rows");
  if (first > from.size())
    invalid("firstRow", "at most the " + std::to_string(from.size()) + " rows there are", info[2]);
  if (rows > from.size() - first)
    invalid("rows", "at most the " + std::to_string(from.size() - first) + " rows from there on", info[3]);
  const Column& column = from.columns(role)[index];
  const size_t length = product("rows", {rows, column.elements()});
  const napi_typedarray_type type = column.type == DataType::float64 ? napi_float64_array
                                    : column.type == DataType::int32 ? napi_int32_array
                                                                     : napi_float32_array;
  const Napi::TypedArray to = Environment::of(info.Env()).typed_array(info.Env(), type, length);
  from.read(role, index, first, rows, elements(to, "result", "a typed array").data);
  return to;
}

Napi::Value Dataset::subset(const Napi::CallbackInfo& info) {
  const gradus::Dataset& from = *data();
  const Elements rows = elements(info[0], "rows", "a Uint32Array");
  if (rows.type != napi_uint32_array) invalid("rows", "a Uint32Array", info[0]);
  const auto* first = static_cast<const uint32_t*>(rows.data);
  std::shared_ptr<gradus::Dataset> view = from.subset({first, first + rows.length});
  const auto adopted = Napi::External<std::shared_ptr<gradus::Dataset>>::New(info.Env(), &view);
  adopted.TypeTag(&view_tag);
  return Environment::of(info.Env()).dataset_class.New({adopted});
}

Napi::Value Dataset::first_nonfinite(const Napi::CallbackInfo& info) {
  const gradus::Dataset& from = *data();
  const Role role = role_of(info[0]);
  const size_t row = from.first_nonfinite(role, column_index(from, role, info[1]));
  return Napi::Number::New(info.Env(), row < from.size() ? static_cast<double>(row) : -1);
}

Napi::Value Dataset::range(const Napi::CallbackInfo& info) {
  const gradus::Dataset& from = *data();
  const Role role = role_of(info[0]);
  const size_t index = column_index(from, role, info[1]);
  if (from.columns(role)[index].type != DataType::int32) invalid("column", "a column of type int32", info[1]);
  const auto [least, most] = from.range(role, index);
  return array_of(info.Env(), std::array{least, most}, [&](int32_t end) { return Napi::Number::New(info.Env(), end); });
}

Napi::Value Dataset::augmented(const Napi::CallbackInfo& info) {
  const gradus::Dataset& from = *data();
  const Augmentation augmentation(to_value(info[0], "augment"));
  const uint64_t seed = whole_number(info[1], "seed"), epoch = step_number(info[2], "epoch");
  const Elements rows = elements(info[3], "rows", "a Uint32Array");
  if (rows.type != napi_uint32_array) invalid("rows", "a Uint32Array", info[3]);
  if (from.columns(Role::input).empty()) invalid("dataset", "an input", info.This());
  const auto* first = static_cast<const uint32_t*>(rows.data);
  const std::vector<uint32_t> wanted(first, first + rows.length);
  for (uint32_t row : wanted)
    if (row >= from.size()) invalid("rows", "numbers below " + std::to_string(from.size()), info[3]);
  const size_t length = product("rows", {wanted.size(), from.columns(Role::input)[0].elements()});
  const Napi::TypedArray to = Environment::of(info.Env()).typed_array(info.Env(), napi_float32_array, length);
  preview(from, augmentation, seed, epoch, wanted, static_cast<float*>(elements(to, "result", "a typed array").data));
  return to;
}

namespace {
// Whose call it is: of no object, as a dataset may be in many.
struct Reading final : Caller {
  std::atomic<bool> stop_requested{false};
  uint64_t fingerprint = 0;
  void finished() override {}
  void stop() override { stop_requested = true; }
};
}  // namespace

Napi::Value Dataset::fingerprint(const Napi::CallbackInfo& info) {
  const auto reading = std::make_shared<Reading>();
  auto call = std::make_unique<Call>(info.Env(), reading.get());
  call->work = [reading, data = data()] { reading->fingerprint = data->fingerprint(reading->stop_requested); };
  call->result = [reading, reader = data()->reader()](Napi::Env env) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016" PRIx64, reading->fingerprint);
    return Napi::String::New(env, digits);
  };
  const Napi::Value promise = call->deferred.Promise();
  Environment::of(info.Env()).calls.start(info.Env(), std::move(call));
  return promise;
}

void Dataset::dispose(const Napi::CallbackInfo& info) {
  if (data_) release(info.Env());
}

}  // namespace gradus::binding
