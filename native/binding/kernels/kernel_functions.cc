// Every kernel's function, in one translation unit: napi.h takes most of the time to compile.
#include "kernel_call.h"

#include "activations.cc"
#include "linear.cc"
#include "losses.cc"
#include "norms.cc"
#include "random.cc"
#include "rows.cc"
#include "updates.cc"

namespace gradus::binding {

Napi::Object kernel_functions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  for (const auto set : {set_linear, set_activations, set_random, set_losses, set_norms, set_rows, set_updates})
    set(env, functions);
  return functions;
}

}  // namespace gradus::binding
