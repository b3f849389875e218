// What the binary exports; lib/native.ts has the types.
#include "binding/dataset.h"
#include "binding/devices.h"
#include "binding/ensemble.h"
#include "binding/environment.h"
#include "binding/kernels/kernel_call.h"
#include "binding/program.h"
#include "binding/properties.h"
#include "binding/snapshot.h"
#include "binding/value.h"
#include "engine/names.h"
#include "engine/step_memory.h"

#include <cstdlib>

namespace gradus::binding {
namespace {

Napi::Value set_error_class(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!info[0].IsFunction()) invalid("errorClass", "a class", info[0]);
    Environment::of(info.Env()).error_class = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
  });
}

Napi::Value step_memory(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const gradus::Value descriptor = to_value(info[0], "descriptor");
    const uint64_t examples = whole_number(info[1], "examples", 1);
    return Napi::Number::New(info.Env(), double(gradus::step_memory(descriptor, examples)));
  });
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const Isa* const* isa = available_isas(); *isa; ++isa) names.push_back((*isa)->name);
  return names;
}

const Isa* isa_in_use() {
  if (const Isa* isa = chosen_isa()) return isa;
  std::string known;
  for (const std::string& name : isa_names()) known += (known.empty() ? "" : ", ") + name;
  throw Error("GRADUS_INVALID_ARGUMENT", "GRADUS_ISA: expected one of " + known + " on this machine, received \"" +
                                             std::getenv("GRADUS_ISA") + '"');
}

Napi::Object activations(Napi::Env env) {
  Napi::Object names = Napi::Object::New(env);
#define ACTIVATION(name, parameter) define_property(names, #name, double(parameter));
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
    environment.host_function.open(env);
    environment.float32_array = Napi::Persistent(env.Global().Get("Float32Array").As<Napi::Function>());
    environment.int32_array = Napi::Persistent(env.Global().Get("Int32Array").As<Napi::Function>());
    environment.uint8_array = Napi::Persistent(env.Global().Get("Uint8Array").As<Napi::Function>());
    environment.float64_array = Napi::Persistent(env.Global().Get("Float64Array").As<Napi::Function>());
    define_property(exports, "setErrorClass", Napi::Function::New<set_error_class>(env, "setErrorClass"));
    define_property(exports, "Dataset", environment.dataset_class.Value());
    define_property(exports, "Program", environment.program_class.Value());
    define_property(exports, "Ensemble", Ensemble::define(env));
    define_property(exports, "Snapshot", Snapshot::define(env));
    define_property(exports, "devices", Napi::Function::New<devices>(env, "devices"));
    define_property(exports, "stepMemory", Napi::Function::New<step_memory>(env, "stepMemory"));
    define_property(exports, "isa", Napi::String::New(env, isa->name));
    define_property(exports, "availableIsas", text_array(env, isa_names()));
    define_property(exports, "activations", activations(env));
    define_property(exports, "losses", text_array(env, loss_names()));
    define_property(exports, "metrics", text_array(env, metric_names()));
    define_property(exports, "optimizers", text_array(env, optimizer_names()));
    define_property(exports, "kernels", kernel_functions(env));
    return exports;
  });
}

}  // namespace
}  // namespace gradus::binding

static Napi::Object initialize(Napi::Env env, Napi::Object exports) { return gradus::binding::load(env, exports); }
NODE_API_MODULE(gradus, initialize)
