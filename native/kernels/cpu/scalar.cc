#define GRADUS_SCALAR
#define GRADUS_NAME "scalar"
#define GRADUS_TABLE scalar_table
#include "table-inl.h"
