#define GRADUS_AVX512
#define GRADUS_NAME "avx512"
#define GRADUS_TABLE avx512_table
#include <immintrin.h>

#include "table-inl.h"
