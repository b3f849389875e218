#define GRADUS_NEON
#define GRADUS_NAME "neon"
#define GRADUS_TABLE neon_table
#if defined(__aarch64__)
#include <arm_neon.h>

#include "table-inl.h"
#endif
