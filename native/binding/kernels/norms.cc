#include "kernel_call.h"

namespace gradus::binding {
namespace {

template <class T>
Norm<T> norm_of(KernelCall<T>& call) {
  Norm<T> norm;
  norm.rows = call.size("rows", 1), norm.columns = norm.stride = call.size("columns", 1);
  product("x", {norm.rows, norm.columns});
  return norm;
}

// The kernels' struct serves both directions, so what only forward writes is not const in it.
template <class T>
T* written_before(const T* values) {
  return const_cast<T*>(values);
}

struct LayerNormForward {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    norm.epsilon = call.real("epsilon");
    norm.x = call.input("x", norm.rows * norm.columns);
    norm.gain = call.input("gain", norm.columns);
    norm.bias = call.input("bias", norm.columns);
    norm.mean = call.output("mean", norm.rows);
    norm.inverse_deviation = call.output("inverseDeviation", norm.rows);
    norm.y = call.output("y", norm.rows * norm.columns);
    call.check_overlap();
    call.kernels.layer_norm_forward(norm);
  }
};

// What both backward passes take; `statistics` is the length of mean and inverseDeviation.
template <class T>
void take_backward(KernelCall<T>& call, Norm<T>& norm, size_t statistics) {
  norm.x = call.input("x", norm.rows * norm.columns);
  norm.gain = call.input("gain", norm.columns);
  norm.mean = written_before(call.input("mean", statistics));
  norm.inverse_deviation = written_before(call.input("inverseDeviation", statistics));
  norm.dy = call.input("dy", norm.rows * norm.columns);
  norm.dx = call.optional_output("dx", norm.rows * norm.columns);
  norm.dgain = call.output("dgain", norm.columns);
  norm.dbias = call.output("dbias", norm.columns);
  call.check_overlap();
}

struct LayerNormBackward {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    take_backward(call, norm, norm.rows);
    call.kernels.layer_norm_backward(norm);
  }
};

struct BatchNormStatistics {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    norm.epsilon = call.real("epsilon");
    norm.x = call.input("x", norm.rows * norm.columns);
    norm.mean = call.output("mean", norm.columns);
    norm.variance = call.output("variance", norm.columns);
    norm.inverse_deviation = call.output("inverseDeviation", norm.columns);
    call.check_overlap();
    call.kernels.batch_norm_statistics(norm);
  }
};

struct BatchNormForward {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    norm.x = call.input("x", norm.rows * norm.columns);
    norm.gain = call.input("gain", norm.columns);
    norm.bias = call.input("bias", norm.columns);
    norm.mean = written_before(call.input("mean", norm.columns));
    norm.inverse_deviation = written_before(call.input("inverseDeviation", norm.columns));
    norm.y = call.output("y", norm.rows * norm.columns);
    call.check_overlap();
    call.kernels.batch_norm_forward(norm);
  }
};

struct BatchNormBackward {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    take_backward(call, norm, norm.columns);
    call.kernels.batch_norm_backward(norm);
  }
};

}  // namespace

void set_norms(Napi::Env env, Napi::Object& to) {
  set_kernel<LayerNormForward>(env, to, "layer_norm_forward");
  set_kernel<LayerNormBackward>(env, to, "layer_norm_backward");
  set_kernel<BatchNormStatistics>(env, to, "batch_norm_statistics");
  set_kernel<BatchNormForward>(env, to, "batch_norm_forward");
  set_kernel<BatchNormBackward>(env, to, "batch_norm_backward");
}

}  // namespace gradus::binding
