// The kernels of another checkout, for --against: compiled from its sources, whose table TABLE names.
#include <unistd.h>

#include <memory>

#include "../product.h"
#include "kernels/kernels.h"

namespace gradus {
extern const Isa TABLE;
size_t second_cache() { return size_t(sysconf(_SC_LEVEL2_CACHE_SIZE)); }
}  // namespace gradus

const char* rival_version() { return gradus::TABLE.name; }
void rival_use_threads(size_t) {}  // one
bool rival_multiply(const bench::Product& p) {
  static const std::unique_ptr<float[]> memory(new float[gradus::matmul_workspace + 16]);
  static float* const workspace = memory.get() + (64 - reinterpret_cast<size_t>(memory.get()) % 64) / sizeof(float);
  gradus::Matmul<float> task;
  task.m = p.m, task.n = p.n, task.k = p.k;
  task.a = p.a, task.a_row = p.a_transposed ? 1 : p.k, task.a_column = p.a_transposed ? p.m : 1;
  task.b = p.b, task.b_row = p.b_transposed ? 1 : p.n, task.b_column = p.b_transposed ? p.k : 1;
  task.c = p.c, task.c_row = p.n;
  gradus::TABLE.float32.matmul(task, workspace);
  return true;
}
