#include "kernel_call.h"

namespace gradus::binding {
namespace {

struct GatherRows {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t n = call.size("rows"), columns = call.size("columns", 1), table_rows = call.size("tableRows");
    const T* table = call.input("table", product("table", {table_rows, columns}));
    const int32_t* rows = call.indices("rows", n, table_rows);
    T* y = call.output("y", product("y", {n, columns}));
    call.check_overlap();
    call.kernels.gather_rows(table, columns, rows, n, y);
  }
};

struct ScatterAddRows {
  template <class T>
  static void run(KernelCall<T>& call) {
    const size_t n = call.size("rows"), columns = call.size("columns", 1), table_rows = call.size("tableRows");
    const T* dy = call.input("dy", product("dy", {n, columns}));
    const int32_t* rows = call.indices("rows", n, table_rows);
    T* table = call.output("table", product("table", {table_rows, columns}));
    call.check_overlap();
    call.kernels.scatter_add_rows(dy, columns, rows, n, table);
  }
};

struct ConvertBytes {
  template <class T>
  static void run(KernelCall<T>& call) {
    const T scale = call.real("scale"), offset = call.real("offset");
    const size_t n = call.template length_of<uint8_t>("x");
    const uint8_t* x = call.template input_of<uint8_t>("x", n);
    T* y = call.output("y", n);
    call.check_overlap();
    call.kernels.convert_bytes(x, n, scale, offset, y);
  }
};

}  // namespace

void set_rows(Napi::Env env, Napi::Object& to) {
  set_kernel<GatherRows>(env, to, "gather_rows");
  set_kernel<ScatterAddRows>(env, to, "scatter_add_rows");
  set_kernel<ConvertBytes>(env, to, "convert_bytes");
}

}  // namespace gradus::binding
