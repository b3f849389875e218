// Which kernel tables are compiled in, which of them this processor can run, and which one is used.
// Compiled without ISA flags, so that the question itself runs everywhere.
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace gradus {

extern const Isa scalar_table;
#if defined(__x86_64__) || defined(_M_X64)
extern const Isa avx2_table, avx512_table;
#elif defined(__aarch64__)
extern const Isa neon_table;
#endif

const Isa* const* available_isas() {
  struct List {
    const Isa* isas[4] = {};
    List() {
      int count = 0;
#if defined(__x86_64__) || defined(_M_X64)
      const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
      if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        isas[count++] = &avx512_table;
      if (avx2) isas[count++] = &avx2_table;
#elif defined(__aarch64__)
      isas[count++] = &neon_table;
#endif
      isas[count++] = &scalar_table;
    }
  };
  static const List list;
  return list.isas;
}

const Isa* chosen_isa() {
  const char* wanted = std::getenv("GRADUS_ISA");
  const Isa* const* isas = available_isas();
  if (!wanted || !*wanted) return isas[0];
  for (; *isas; ++isas)
    if (std::strcmp((*isas)->name, wanted) == 0) return *isas;
  return nullptr;
}

}  // namespace gradus
