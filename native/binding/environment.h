// What one JavaScript environment (the main thread, or one worker thread) keeps of the addon. There are no globals.
#pragma once
#include <memory>

#include "calls.h"
#include "engine/dataset.h"
#include "errors.h"
#include "kernels/kernels.h"

namespace gradus::binding {

struct Environment {
  Napi::FunctionReference error_class;  // GradusError
  Napi::FunctionReference dataset_class, program_class;
  Napi::FunctionReference float32_array, float64_array, int32_array;  // the constructors, as they were at load
  const Isa* isa = nullptr;
  std::unique_ptr<double[]> workspace;               // of matmul, made on first use
  std::shared_ptr<gradus::Dataset> adopted_dataset;  // for the constructor that subset() is about to call
  Calls calls;
  std::shared_ptr<Worker> releases;  // lets go of large memory, which takes the system milliseconds; made on first use

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  template <class T>
  const Kernels<T>& kernels() const {
    return kernels_of<T>(*isa);
  }
  // matmul_workspace elements of either type, aligned to 64 bytes.
  void* matmul_memory();
  // A zero-filled Float32Array, Float64Array or Int32Array. Throws GRADUS_OUT_OF_MEMORY where V8's own API would end
  // the process.
  Napi::TypedArray typed_array(Napi::Env env, napi_typedarray_type type, size_t length) const;
  Napi::TypedArray float_array(Napi::Env env, bool is_double, size_t length) const {
    return typed_array(env, is_double ? napi_float64_array : napi_float32_array, length);
  }
};

}  // namespace gradus::binding
