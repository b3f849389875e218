// Which kernel tables are compiled in, which of them this processor can run, and which one is used.
// Compiled without ISA flags, so that the question itself runs everywhere.
#include <cstdlib>
#include <cstring>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <unistd.h>
#endif

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
#if !defined(GRADUS_WITHOUT_AVX512)
      if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        isas[count++] = &avx512_table;
#endif
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

namespace {
size_t told_second_cache() {
  long long bytes = 0;
#if defined(__APPLE__)
  size_t size = sizeof bytes;
  if (sysctlbyname("hw.l2cachesize", &bytes, &size, nullptr, 0) != 0) bytes = 0;
#elif defined(_SC_LEVEL2_CACHE_SIZE)
  bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  return bytes <= 0 || size_t(bytes) > largest_second_cache ? largest_second_cache : size_t(bytes);
}
}  // namespace

size_t second_cache() {
  static const size_t bytes = told_second_cache();
  return bytes;
}

}  // namespace gradus
