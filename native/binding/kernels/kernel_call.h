// The synchronous kernels of lib/kernels.ts, under their names in kernels.def: memory is checked here, meaning there.
#pragma once
#include <cmath>

#include "../arguments.h"
#include "../environment.h"
#include "../properties.h"

namespace gradus::binding {

Napi::Object kernel_functions(Napi::Env env);

// One call: its arguments, taken in order, and the kernels of its type. Sizes come first, then numbers, then arrays.
template <class T>
struct KernelCall : Arguments {
  KernelCall(const Napi::CallbackInfo& info, Environment& environment)
      : Arguments(info), env(info.Env()), environment(environment), kernels(environment.kernels<T>()) {}

  // 1e300 is finite, and is not as a float.
  T real(const char* name) {
    const double given = number(name);
    const T value = static_cast<T>(given);
    if (!std::isfinite(value)) invalid(name, "a number that float32 can hold", Napi::Number::New(env, given));
    return value;
  }
  const T* input(const char* name, size_t length) { return input_of<T>(name, length); }
  T* output(const char* name, size_t length) { return output_of<T>(name, length); }
  const T* optional_input(const char* name, size_t n) { return is_absent() ? nullptr : input(name, n); }
  T* optional_output(const char* name, size_t n) { return is_absent() ? nullptr : output(name, n); }
  size_t length(const char* name) { return length_of<T>(name); }
  // Whole numbers, each from 0 to below `limit`.
  const int32_t* indices(const char* name, size_t length, size_t limit);

  Napi::Env env;
  Environment& environment;
  const Kernels<T>& kernels;
};

template <class T>
const int32_t* KernelCall<T>::indices(const char* name, size_t length, size_t limit) {
  const int32_t* found = input_of<int32_t>(name, length);
  for (size_t i = 0; i < length; ++i)
    if (found[i] < 0 || static_cast<size_t>(found[i]) >= limit)
      throw Error("GRADUS_INVALID_ARGUMENT", std::string(name) + '[' + std::to_string(i) +
                                                 "]: expected a whole number from 0 to below " + std::to_string(limit) +
                                                 ", received " + std::to_string(found[i]));
  return found;
}

// The callback for a kernel: Kernel::run(KernelCall<T>&) gives the value to return, or none.
template <class Kernel, class T>
Napi::Value run_as(const Napi::CallbackInfo& info, Environment& environment) {
  KernelCall<T> call(info, environment);
  if constexpr (std::is_void_v<decltype(Kernel::run(call))>) {
    Kernel::run(call);
    return info.Env().Undefined();
  } else {
    return Kernel::run(call);
  }
}

template <class Kernel>
Napi::Value run_kernel(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Environment& environment = Environment::of(info.Env());
    return Arguments(info).is_double() ? run_as<Kernel, double>(info, environment)
                                       : run_as<Kernel, float>(info, environment);
  });
}

template <class Kernel>
void set_kernel(Napi::Env env, Napi::Object& to, const char* name) {
  define_property(to, name, Napi::Function::New<run_kernel<Kernel>>(env, name));
}

}  // namespace gradus::binding
