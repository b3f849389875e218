// What one JavaScript environment (the main thread, or one worker thread) keeps of the addon. There are no globals.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "arguments.h"
#include "calls.h"
#include "engine/memory.h"
#include "engine/pool.h"
#include "kernels/kernels.h"

namespace gradus::binding {

// Values that belong to objects and live as long as those do, where no other JavaScript sees them: a WeakMap.
class HiddenProperty {
 public:
  void open(Napi::Env env);  // with the functions of WeakMap as they are at load
  void set(Napi::Object of, Napi::Value value) const;
  Napi::Value get(Napi::Object of) const;
  void remove(Napi::Object of) const noexcept;

 private:
  Napi::ObjectReference map_;
  Napi::FunctionReference set_, get_, delete_;
};

struct Environment {
  Napi::FunctionReference error_class;  // GradusError
  Napi::FunctionReference dataset_class, program_class;
  // The constructors, as they were at load.
  Napi::FunctionReference float32_array, float64_array, int32_array, uint8_array;
  HiddenProperty host_function;  // of programs
  const Isa* isa = nullptr;
  std::shared_ptr<Pool> pool = std::make_shared<Pool>();  // of all programs
  Buffer<uint8_t> scratch;                                // of single kernels, kept from call to call
  Calls calls;
  std::shared_ptr<Crew> releases;  // lets go of large memory, which takes the system milliseconds; made on first use

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  template <class T>
  const Kernels<T>& kernels() const {
    return kernels_of<T>(*isa);
  }
  // So many elements for the kernel that runs, until the next one. What is in them is left from the one before.
  template <class T>
  T* scratch_of(size_t n) {
    scratch.grow(n * sizeof(T), host_memory());
    return reinterpret_cast<T*>(scratch.data());
  }
  // Zero-filled, of one of the types above; throws GRADUS_OUT_OF_MEMORY.
  Napi::TypedArray typed_array(Napi::Env env, napi_typedarray_type type, size_t length) const;
  Napi::TypedArray float_array(Napi::Env env, bool is_double, size_t length) const {
    return typed_array(env, is_double ? napi_float64_array : napi_float32_array, length);
  }
  template <class T>
  Napi::TypedArray copy_of(Napi::Env env, const T* from, size_t length) const {
    const Napi::TypedArray to = typed_array(env, array_type<T>(), length);
    void* data = nullptr;
    napi_get_typedarray_info(env, to, nullptr, nullptr, &data, nullptr, nullptr);
    std::copy_n(from, length, static_cast<T*>(data));
    return to;
  }
  template <class T>
  Napi::TypedArray copy_of(Napi::Env env, const std::vector<T>& from) const {
    return copy_of(env, from.data(), from.size());
  }
};

}  // namespace gradus::binding
