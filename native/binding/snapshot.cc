#include "snapshot.h"

#include <algorithm>
#include <cstring>

#include "call_arguments.h"
#include "program.h"
#include "properties.h"

namespace gradus::binding {
namespace {

// Those that an array names, none twice; undefined: all but the gradients.
std::vector<std::string> chosen_arenas(Napi::Value names, std::vector<std::string> all) {
  all.erase(std::find(all.begin(), all.end(), "gradients"));
  if (names.IsUndefined()) return all;
  const Napi::Array list = array(names, "arenas");
  std::vector<std::string> chosen;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value value = list.Get(i);
    const std::string name = text(value, "arenas");
    if (std::count(all.begin(), all.end(), name) == 0 || std::count(chosen.begin(), chosen.end(), name) > 0)
      invalid("arenas", "names of the program's arenas but gradients, each once", value);
    chosen.push_back(name);
  }
  return chosen;
}

}  // namespace

Napi::Function Snapshot::define(Napi::Env env) {
  return DefineClass(
      env, "NativeSnapshot",
      {accessor<&Snapshot::dtype>("dtype"), accessor<&Snapshot::arenas>("arenas"),
       accessor<&Snapshot::length>("length"), accessor<&Snapshot::step, &Snapshot::set_step>("step"),
       accessor<&Snapshot::momentum_product, &Snapshot::set_momentum_product>("momentumProduct"),
       accessor<&Snapshot::watching, &Snapshot::set_watching>("watching"), method<&Snapshot::read>("read"),
       method<&Snapshot::write>("write"), method<&Snapshot::dispose>("dispose")});
}

Snapshot::Snapshot(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] { construct(info); });
}

void Snapshot::construct(const Napi::CallbackInfo& info) {
  const Program& of = Program::from(info[0], "program");
  const std::vector<std::string> names = chosen_arenas(info[1], of.present().arenas());
  // Reading the names may have disposed of it.
  const gradus::Program& program = of.present();
  size_t length = 0;
  for (const ParameterInfo& parameter : program.parameters()) length += parameter.size;
  data_ = std::make_shared<gradus::Snapshot>(program.precision(), length, names);
}

const std::shared_ptr<gradus::Snapshot>& Snapshot::idle() const {
  if (!data_) throw Error("GRADUS_DISPOSED", "The snapshot was disposed: make a new one");
  if (data_.use_count() > 1) throw Error("GRADUS_BUSY", "The snapshot is in a call: wait for its promise first");
  return data_;
}

Napi::Value Snapshot::dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), idle()->precision == Precision::float64 ? "float64" : "float32");
}

Napi::Value Snapshot::arenas(const Napi::CallbackInfo& info) {
  std::vector<std::string> names;
  for (const gradus::Snapshot::Arena& arena : idle()->arenas) names.push_back(arena.name);
  return text_array(info.Env(), names);
}

Napi::Value Snapshot::length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(idle()->length));
}

Napi::Value Snapshot::step(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(idle()->step));
}

void Snapshot::set_step(const Napi::CallbackInfo& info) { idle()->step = step_number(info[0], "step"); }

Napi::Value Snapshot::momentum_product(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), idle()->momentum_product);
}

void Snapshot::set_momentum_product(const Napi::CallbackInfo& info) {
  idle()->momentum_product = share(info[0], "momentumProduct");
}

Napi::Value Snapshot::watching(const Napi::CallbackInfo& info) {
  return Environment::of(info.Env()).copy_of(info.Env(), idle()->watching);
}

void Snapshot::set_watching(const Napi::CallbackInfo& info) { idle()->watching = copy_of_doubles(info[0], "watching"); }

// The arena, its first element and the array.
Snapshot::Place Snapshot::place_of(const Napi::CallbackInfo& info) const {
  const std::string name = text(info[0], "arena");
  const size_t first = whole_number(info[1], "first");
  gradus::Snapshot& data = *idle();
  const bool is_double = data.precision == Precision::float64;
  const napi_typedarray_type type = is_double ? napi_float64_array : napi_float32_array;
  const Elements given = elements(info[2], "data", array_name(type));
  if (given.type != type) invalid("data", array_name(type), info[2]);
  if (first > data.length) invalid("first", "at most " + std::to_string(data.length), info[1]);
  if (given.length > data.length - first)
    invalid("data", "at most " + std::to_string(data.length - first) + " elements", info[2]);
  for (gradus::Snapshot::Arena& arena : data.arenas)
    if (arena.name == name)
      return {arena.memory.data() + first * data.element_size(), given.length * data.element_size(), given.data};
  invalid("arena", "an arena of the snapshot", info[0]);
}

void Snapshot::read(const Napi::CallbackInfo& info) {
  const Place place = place_of(info);
  if (place.bytes > 0) std::memcpy(place.given, place.kept, place.bytes);
}

void Snapshot::write(const Napi::CallbackInfo& info) {
  const Place place = place_of(info);
  if (place.bytes > 0) std::memcpy(place.kept, place.given, place.bytes);
}

void Snapshot::dispose(const Napi::CallbackInfo&) {
  if (data_) idle();
  data_.reset();
}

}  // namespace gradus::binding
