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

// Two sums for each block of rows, as the kernels leave them, and two of all rows.
template <class T>
struct BlockSums {
  BlockSums(KernelCall<T>& call, const Norm<T>& norm)
      : kernels(call.kernels), blocks(blocks_of(norm.rows)), columns(norm.columns) {
    const size_t size = product("x", {blocks, columns});
    first = call.environment.template scratch_of<T>(product("x", {2, size + columns}));
    second = first + size, total_of_first = second + size, total_of_second = total_of_first + columns;
  }
  // total = beta · total + the sums of the blocks
  void add_to(T beta, T* of_first, T* of_second) const {
    kernels.add_blocks(first, blocks, columns, columns, beta, of_first);
    kernels.add_blocks(second, blocks, columns, columns, beta, of_second);
  }

  const Kernels<T>& kernels;
  size_t blocks, columns;
  T *first, *second, *total_of_first, *total_of_second;
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
    T *const dgain = norm.dgain, *const dbias = norm.dbias;
    const BlockSums<T> sums(call, norm);
    norm.dgain = sums.first, norm.dbias = sums.second;
    call.kernels.layer_norm_backward(norm);
    sums.add_to(1, dgain, dbias);
  }
};

struct BatchNormStatistics {
  template <class T>
  static void run(KernelCall<T>& call) {
    Norm<T> norm = norm_of(call);
    const size_t rows = norm.rows, columns = norm.columns;
    const T epsilon = call.real("epsilon");
    const T* x = call.input("x", rows * columns);
    T* mean = call.output("mean", columns);
    T* variance = call.output("variance", columns);
    T* inverse = call.output("inverseDeviation", columns);
    call.check_overlap();
    const BlockSums<T> sums(call, norm);
    call.kernels.batch_norm_block_statistics(x, rows, columns, columns, sums.first, sums.second);
    call.kernels.batch_norm_merge(sums.first, sums.second, rows, columns, columns, epsilon, mean, variance, inverse);
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
    T *const dgain = norm.dgain, *const dbias = norm.dbias;
    const BlockSums<T> sums(call, norm);
    norm.dgain = sums.first, norm.dbias = sums.second;
    call.kernels.batch_norm_block_gradients(norm);
    if (norm.dx) {
      norm.dgain = sums.total_of_first, norm.dbias = sums.total_of_second;
      sums.add_to(0, norm.dgain, norm.dbias);
      call.kernels.batch_norm_backward(norm, norm.rows);
    }
    sums.add_to(1, dgain, dbias);
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
