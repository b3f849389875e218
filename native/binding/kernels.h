// The synchronous kernels of lib/kernels.ts: memory is checked here, meaning there.
#pragma once
#include "arguments.h"
#include "environment.h"

namespace gradus::binding {

Napi::Object kernel_functions(Napi::Env env);

// One file a group; each sets its functions on the object.
void set_linear(Napi::Env env, Napi::Object& to);
void set_activations(Napi::Env env, Napi::Object& to);
void set_random(Napi::Env env, Napi::Object& to);
void set_losses(Napi::Env env, Napi::Object& to);
void set_norms(Napi::Env env, Napi::Object& to);
void set_rows(Napi::Env env, Napi::Object& to);
void set_updates(Napi::Env env, Napi::Object& to);

template <class T>
struct KernelCall {
  Napi::Env env;
  Environment& environment;
  const Kernels<T>& kernels;
  Arguments in;
};

// The callback for a kernel: Kernel::run<T>(KernelCall<T>&) gives the value to return.
template <class Kernel>
Napi::Value run_kernel(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Environment& environment = Environment::of(info.Env());
    Arguments in(info);
    if (in.is_double()) {
      KernelCall<double> call{info.Env(), environment, environment.kernels<double>(), in};
      return Kernel::run(call);
    }
    KernelCall<float> call{info.Env(), environment, environment.kernels<float>(), in};
    return Kernel::run(call);
  });
}

template <class Kernel>
void set_kernel(Napi::Env env, Napi::Object& to, const char* name) {
  to.Set(name, Napi::Function::New<run_kernel<Kernel>>(env, name));
}

}  // namespace gradus::binding
