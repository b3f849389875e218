#include "kernels.h"

namespace gradus::binding {

Napi::Object kernel_functions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  return functions;
}

}  // namespace gradus::binding
