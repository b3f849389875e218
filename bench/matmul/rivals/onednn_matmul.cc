// oneDNN's matmul primitive, as PyPI has it: made once for a product, then run on any operands of that form.
#include <oneapi/dnnl/dnnl.h>

#include <cstdio>

#include "../product.h"

namespace {

struct Primitive {
  bench::Product of{};
  dnnl_primitive_t run = nullptr;
  dnnl_memory_t memory[3] = {};
};
dnnl_engine_t engine;
dnnl_stream_t stream;

void make(const bench::Product& p, Primitive& primitive) {
  for (dnnl_memory_t memory : primitive.memory)
    if (memory) dnnl_memory_destroy(memory);
  if (primitive.run) dnnl_primitive_destroy(primitive.run);
  const auto m = dnnl_dim_t(p.m), n = dnnl_dim_t(p.n), k = dnnl_dim_t(p.k);
  const dnnl_dims_t sizes[] = {{m, k}, {k, n}, {m, n}};
  const dnnl_dims_t strides[] = {
      {p.a_transposed ? 1 : k, p.a_transposed ? m : 1}, {p.b_transposed ? 1 : n, p.b_transposed ? k : 1}, {n, 1}};
  dnnl_memory_desc_t forms[3];
  for (int i = 0; i < 3; ++i) dnnl_memory_desc_create_with_strides(&forms[i], 2, sizes[i], dnnl_f32, strides[i]);
  dnnl_primitive_desc_t description;
  dnnl_matmul_primitive_desc_create(&description, engine, forms[0], forms[1], nullptr, forms[2], nullptr);
  dnnl_primitive_create(&primitive.run, description);
  for (int i = 0; i < 3; ++i) dnnl_memory_create(&primitive.memory[i], forms[i], engine, DNNL_MEMORY_NONE);
  dnnl_primitive_desc_destroy(description);
  for (dnnl_memory_desc_t form : forms) dnnl_memory_desc_destroy(form);
  primitive.of = p;
}

}  // namespace

const char* rival_version() {
  static char text[60];
  const dnnl_version_t* version = dnnl_version();
  std::snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  return text;
}
void rival_use_threads(size_t) {  // OMP_NUM_THREADS says how many
  dnnl_engine_create(&engine, dnnl_cpu, 0);
  dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}
bool rival_multiply(const bench::Product& p) {
  static Primitive primitive;
  const bench::Product& last = primitive.of;
  if (last.m != p.m || last.n != p.n || last.k != p.k || last.a_transposed != p.a_transposed ||
      last.b_transposed != p.b_transposed)
    make(p, primitive);
  void* const data[] = {const_cast<float*>(p.a), const_cast<float*>(p.b), p.c};
  for (int i = 0; i < 3; ++i) dnnl_memory_set_data_handle(primitive.memory[i], data[i]);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, primitive.memory[0]},
                                       {DNNL_ARG_WEIGHTS, primitive.memory[1]},
                                       {DNNL_ARG_DST, primitive.memory[2]}};
  dnnl_primitive_execute(primitive.run, stream, 3, arguments);
  return true;
}
