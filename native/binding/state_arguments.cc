#include "state_arguments.h"

#include <algorithm>
#include <array>

#include "call_arguments.h"
#include "environment.h"
#include "properties.h"

namespace gradus::binding {

namespace {

// Of each arena.
size_t state_elements(const gradus::Program& program) {
  size_t elements = 0;
  for (const ParameterInfo& parameter : program.parameters()) elements += parameter.size;
  return elements;
}

std::vector<std::string> state_arenas(const gradus::Program& program) {
  std::vector<std::string> names = program.arenas();
  names.erase(std::find(names.begin(), names.end(), "gradients"));
  return names;
}

}  // namespace

std::vector<std::string> chosen_arenas(Napi::Value names, const gradus::Program& program) {
  const std::vector<std::string> all = state_arenas(program);
  if (names.IsUndefined()) return all;
  const Napi::Array list = array(names, "arenas");
  std::vector<std::string> chosen;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value name = list.Get(i);
    chosen.push_back(text(name, "arenas"));
    if (std::count(all.begin(), all.end(), chosen.back()) == 0 || chosen.size() > all.size())
      invalid("arenas", "names of the program's arenas but gradients", name);
  }
  return chosen;
}

StateCall state_call(Napi::Value value, const gradus::Program& program) {
  const Napi::Object from = object(value, "state");
  const Napi::Object arenas = object(from.Get("arenas"), "state.arenas");
  const bool is_double = program.precision() == Precision::float64;
  StateCall call;
  call.snapshot.step = step_number(from.Get("step"), "state.step");
  call.snapshot.momentum_product = share(from.Get("momentumProduct"), "state.momentumProduct");
  call.snapshot.watching = copy_of_doubles(from.Get("watching"), "state.watching");
  for (const std::string& name : state_arenas(program)) {
    call.memory.push_back(numbers_of(arenas.Get(name), "state.arenas." + name, state_elements(program), is_double));
    call.snapshot.arenas.push_back({name, call.memory.back().data()});
  }
  return call;
}

namespace {

napi_typedarray_type arena_type(const gradus::Program& program) {
  return program.precision() == Precision::float64 ? napi_float64_array : napi_float32_array;
}

size_t arena_bytes(const gradus::Program& program) {
  return state_elements(program) * (program.precision() == Precision::float64 ? sizeof(double) : sizeof(float));
}

// Of an array that is as it was handed out; undefined where there is none, or its memory has gone elsewhere.
Napi::Value buffer_of(Napi::Value array, const std::string& name, const gradus::Program& program) {
  if (array.IsUndefined()) return array;
  const napi_typedarray_type type = arena_type(program);
  const size_t length = state_elements(program);
  const std::string expected = std::string(array_name(type)) + " of length " + std::to_string(length) +
                               " with memory of its own, as an earlier call gave it";
  if (!array.IsTypedArray()) invalid(name, expected, array);
  Napi::ArrayBuffer buffer = array.As<Napi::TypedArray>().ArrayBuffer();
  bool is_detached = false;
  napi_is_detached_arraybuffer(array.Env(), buffer, &is_detached);
  if (is_detached) return array.Env().Undefined();
  const Elements found = elements(array, name.c_str(), expected.c_str());
  if (found.type != type || found.length != length || buffer.ByteLength() != arena_bytes(program))
    invalid(name, expected, array);
  return buffer;
}

// The buffer's memory in a new one that nobody has: whoever has the old one finds it empty, and can neither read what
// is written next nor give the memory away under the writer. An empty value where the memory cannot be had.
Napi::ArrayBuffer taken(Napi::Env env, Napi::Value buffer) {
  const Napi::FunctionReference& structured_clone = Environment::of(env).structured_clone;
  if (structured_clone.IsEmpty()) return {};
  Napi::Object options = Napi::Object::New(env);
  define_property(options, "transfer", array_of(env, std::array{buffer}, [](Napi::Value each) { return each; }));
  try {
    const Napi::Value clone = structured_clone.Call({buffer, options});
    return clone.IsArrayBuffer() ? clone.As<Napi::ArrayBuffer>() : Napi::ArrayBuffer();
  } catch (const Napi::Error&) {
    return {};  // memory of WebAssembly, gone already under another name, or marked as not to be transferred
  }
}

}  // namespace

std::vector<Napi::Value> earlier_buffers(Napi::Value into, const std::vector<std::string>& names,
                                         const gradus::Program& program) {
  std::vector<Napi::Value> values(names.size(), into.Env().Undefined());
  if (into.IsUndefined()) return values;
  const Napi::Object arenas = object(object(into, "into").Get("arenas"), "into.arenas");
  for (size_t i = 0; i < names.size(); ++i) values[i] = arenas.Get(names[i]);
  // All that may run JavaScript has.
  for (size_t i = 0; i < names.size(); ++i) values[i] = buffer_of(values[i], "into.arenas." + names[i], program);
  return values;
}

Napi::TypedArray arena_array(Napi::Env env, Napi::Value earlier, const gradus::Program& program) {
  const napi_typedarray_type type = arena_type(program);
  const size_t length = state_elements(program);
  Napi::ArrayBuffer memory = earlier.IsUndefined() ? Napi::ArrayBuffer() : taken(env, earlier);
  if (memory.IsEmpty() || memory.ByteLength() != arena_bytes(program))
    return Environment::of(env).typed_array(env, type, length);
  if (type == napi_float64_array) return Napi::Float64Array::New(env, length, memory, 0);
  return Napi::Float32Array::New(env, length, memory, 0);
}

}  // namespace gradus::binding
