#include "activation_name.h"
#include "kernel_call.h"

namespace gradus::binding {
namespace {

struct ActivationForward {
  template <class T>
  static void run(KernelCall<T>& call) {
    const Activation kind = activation_called(call.string("activation"));
    const T parameter = call.real("parameter");
    const size_t n = call.length("x");
    const T* x = call.input("x", n);
    T* y = call.output("y", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.activation_forward(kind, parameter, x, n, y);
  }
};

struct ActivationBackward {
  template <class T>
  static void run(KernelCall<T>& call) {
    const Activation kind = activation_called(call.string("activation"));
    const T parameter = call.real("parameter");
    const size_t n = call.length("x");
    const T* x = call.input("x", n);
    const T* y = call.input("y", n);
    const T* dy = call.input("dy", n);
    T* dx = call.output("dx", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.activation_backward(kind, parameter, x, y, dy, n, dx);
  }
};

struct MaxoutForward {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t rows = call.size("rows"), units = call.size("units"), pieces = call.size("pieces", 1);
    const T* x = call.input("x", product("x", {rows, units, pieces}));
    T* y = call.output("y", product("y", {rows, units}));
    int32_t* winners = call.template output_of<int32_t>("winners", rows * units);
    call.check_overlap();
    if (units > 0) call.kernels.maxout_forward(x, rows, units, pieces, y, winners);
  }
};

struct MaxoutBackward {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t rows = call.size("rows"), units = call.size("units"), pieces = call.size("pieces", 1);
    const T* dy = call.input("dy", product("dy", {rows, units}));
    const int32_t* winners = call.indices("winners", rows * units, pieces);
    T* dx = call.output("dx", product("dx", {rows, units, pieces}));
    call.check_overlap();
    if (units > 0) call.kernels.maxout_backward(dy, winners, rows, units, pieces, dx);
  }
};

struct Softmax {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t rows = call.size("rows"), columns = call.size("columns", 1);
    const T* x = call.input("x", product("x", {rows, columns}));
    T* y = call.output("y", rows * columns);
    call.check_overlap();
    call.kernels.softmax(x, rows, columns, y);
  }
};

struct Exp {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t n = call.length("x");
    const T* x = call.input("x", n);
    T* y = call.output("y", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.exp(x, n, y);
  }
};

struct Log {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t n = call.length("x");
    const T* x = call.input("x", n);
    T* y = call.output("y", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.log(x, n, y);
  }
};

}  // namespace

void set_activations(Napi::Env env, Napi::Object& to) {
  set_kernel<ActivationForward>(env, to, "activation_forward");
  set_kernel<ActivationBackward>(env, to, "activation_backward");
  set_kernel<MaxoutForward>(env, to, "maxout_forward");
  set_kernel<MaxoutBackward>(env, to, "maxout_backward");
  set_kernel<Softmax>(env, to, "softmax");
  set_kernel<Exp>(env, to, "exp");
  set_kernel<Log>(env, to, "log");
}

}  // namespace gradus::binding
