#include "kernel_call.h"

namespace gradus::binding {
namespace {

template <class T>
Counter counter_of(KernelCall<T>& call) {
  Counter counter;
  counter.seed = call.integer("seed");
  const uint64_t stream = call.integer("stream");
  if (stream > UINT32_MAX)
    throw Error("GRADUS_INVALID_ARGUMENT",
                "stream: expected a whole number below 2^32, received " + std::to_string(stream));
  counter.stream = static_cast<uint32_t>(stream);
  counter.step = call.integer("step");
  return counter;
}

struct Dropout {
  template <class T>
  static void run(KernelCall<T>& call) {
    const Counter counter = counter_of(call);
    const size_t first = call.size("first");
    const T rate = call.real("rate");
    const size_t n = call.length("x");
    const T* x = call.input("x", n);
    T* y = call.output("y", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.dropout(x, n, rate, counter, first, y);
  }
};

struct RandomUniform {
  template <class T>
  static void run(KernelCall<T>& call) {
    const Counter counter = counter_of(call);
    const size_t first = call.size("first");
    const T low = call.real("low"), high = call.real("high");
    const size_t n = call.length("y");
    call.kernels.random_uniform(counter, first, n, low, high, call.output("y", n));
  }
};

struct RandomNormal {
  template <class T>
  static void run(KernelCall<T>& call) {
    const Counter counter = counter_of(call);
    const size_t first = call.size("first");
    const T mean = call.real("mean"), deviation = call.real("deviation");
    const size_t n = call.length("y");
    call.kernels.random_normal(counter, first, n, mean, deviation, call.output("y", n));
  }
};

}  // namespace

void set_random(Napi::Env env, Napi::Object& to) {
  set_kernel<Dropout>(env, to, "dropout");
  set_kernel<RandomUniform>(env, to, "random_uniform");
  set_kernel<RandomNormal>(env, to, "random_normal");
}

}  // namespace gradus::binding
