#include "kernel_call.h"

namespace gradus::binding {

Napi::Object kernel_functions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  for (const auto set : {set_linear, set_activations, set_random, set_losses, set_norms, set_rows, set_updates})
    set(env, functions);
  return functions;
}

}  // namespace gradus::binding
