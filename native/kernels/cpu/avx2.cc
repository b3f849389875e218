#define GRADUS_AVX2
#define GRADUS_NAME "avx2"
#define GRADUS_TABLE avx2_table
#include <immintrin.h>

#include "table-inl.h"
