// What the binary exports; lib/native.ts has the types.
#include "binding/dataset.h"
#include "binding/environment.h"
#include "binding/kernels.h"
#include "binding/program.h"

namespace gradus::binding {
namespace {

Napi::Value set_error_class(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!info[0].IsFunction()) invalid("errorClass", "a class", info[0]);
    Environment::of(info.Env()).error_class = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
  });
}

const Isa* isa_in_use() {
  if (const Isa* isa = chosen_isa()) return isa;
  std::string known;
  for (const Isa* const* isa = available_isas(); *isa; ++isa) known += std::string(known.empty() ? "" : ", ") + (*isa)->name;
  throw Error("GRADUS_INVALID_ARGUMENT",
              "GRADUS_ISA: expected one of " + known + " on this machine, received \"" + std::getenv("GRADUS_ISA") + '"');
}

Napi::Object names_of_isas(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env);
  for (const Isa* const* isa = available_isas(); *isa; ++isa) names.Set(names.Length(), (*isa)->name);
  return names;
}

Napi::Object activations(Napi::Env env) {
  Napi::Object names = Napi::Object::New(env);
#define ACTIVATION(name, parameter) names.Set(#name, double(parameter));
#include "kernels/activations.def"
#undef ACTIVATION
  return names;
}

Napi::Object load(Napi::Env env, Napi::Object exports) {
  return guarded(env, [&] {
    const Isa* isa = isa_in_use();
    auto owned = std::make_unique<Environment>();
    Environment& environment = *owned;
    env.SetInstanceData(owned.release());
    environment.isa = isa;
    environment.calls.open(env);
    environment.dataset_class = Napi::Persistent(Dataset::define(env));
    environment.program_class = Napi::Persistent(Program::define(env));
    environment.float32_array = Napi::Persistent(env.Global().Get("Float32Array").As<Napi::Function>());
    environment.float64_array = Napi::Persistent(env.Global().Get("Float64Array").As<Napi::Function>());
    exports.Set("setErrorClass", Napi::Function::New<set_error_class>(env, "setErrorClass"));
    exports.Set("Dataset", environment.dataset_class.Value());
    exports.Set("Program", environment.program_class.Value());
    exports.Set("isa", isa->name);
    exports.Set("availableIsas", names_of_isas(env));
    exports.Set("activations", activations(env));
    exports.Set("kernels", kernel_functions(env));
    return exports;
  });
}

}  // namespace
}  // namespace gradus::binding

static Napi::Object initialize(Napi::Env env, Napi::Object exports) { return gradus::binding::load(env, exports); }
NODE_API_MODULE(gradus, initialize)
