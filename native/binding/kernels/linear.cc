#include "activation_name.h"
#include "kernel_call.h"

namespace gradus::binding {
namespace {

struct MatmulKernel {
  template <class T>
  static void run(KernelCall<T>& call) {
    Matmul<T> task;
    task.m = call.size("m"), task.n = call.size("n"), task.k = call.size("k");
    const bool transpose_a = call.flag("transposeA"), transpose_b = call.flag("transposeB");
    task.alpha = call.real("alpha"), task.beta = call.real("beta");
    task.activation = activation_called(call.string("activation"));
    task.activation_parameter = call.real("activationParameter");
    task.a = call.input("a", product("a", {task.m, task.k}));
    task.b = call.input("b", product("b", {task.k, task.n}));
    task.bias = call.optional_input("bias", task.n);
    task.c = call.output("c", product("c", {task.m, task.n}));
    call.check_overlap();
    task.a_row = transpose_a ? 1 : task.k, task.a_column = transpose_a ? task.m : 1;
    task.b_row = transpose_b ? 1 : task.n, task.b_column = transpose_b ? task.k : 1;
    task.c_row = task.n;
    if (task.m > 0 && task.n > 0) call.kernels.matmul(task, call.environment.template scratch_of<T>(matmul_workspace));
  }
};

struct ColumnSums {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t rows = call.size("rows"), columns = call.size("columns");
    const T beta = call.real("beta");
    const T* x = call.input("x", product("x", {rows, columns}));
    T* sums = call.output("sums", columns);
    call.check_overlap();
    if (columns > 0) call.kernels.column_sums(x, rows, columns, columns, beta, sums);
  }
};

struct Add {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t n = call.length("a");
    const T* a = call.input("a", n);
    const T* b = call.input("b", n);
    T* sum = call.output("sum", n);
    call.check_overlap(InPlace::allowed);
    call.kernels.add(a, b, n, sum);
  }
};

}  // namespace

void set_linear(Napi::Env env, Napi::Object& to) {
  set_kernel<MatmulKernel>(env, to, "matmul");
  set_kernel<ColumnSums>(env, to, "column_sums");
  set_kernel<Add>(env, to, "add");
}

}  // namespace gradus::binding
