// Everything an ISA compiles: the including file has chosen the ISA and named its table GRADUS_TABLE.
// Only that table leaves the object file. No STL here: an inline function of it could escape with it.
#include "../fingerprint.h"
#include "../kernels.h"

namespace gradus {
namespace {
#include "simd.h"

#include "math-inl.h"
#include "activations-inl.h"
#include "matmul-inl.h"
#include "sums-inl.h"
#include "memory-inl.h"
#include "convolution-inl.h"
#include "depthwise-inl.h"
#include "philox-inl.h"
#include "random-inl.h"
#include "losses-inl.h"
#include "norms-inl.h"
#include "rows-inl.h"
#include "updates-inl.h"
#include "bfloat16-inl.h"
#include "statistics-inl.h"
#include "moving-inl.h"
#include "metrics-inl.h"
#include "choices-inl.h"
#include "tangents-inl.h"
#include "norm-tangents-inl.h"
#include "pooling-inl.h"
#include "images-inl.h"
#include "convert-images-inl.h"
#include "group-norm-inl.h"
#include "penalties-inl.h"
#include "combine-inl.h"
#include "judge-inl.h"
}  // namespace

extern const Isa GRADUS_TABLE;
const Isa GRADUS_TABLE = {
    GRADUS_NAME,
    {
#define KERNEL(name, arguments, ...) name<float>,
#include "../kernels.def"
#undef KERNEL
    },
    {
#define KERNEL(name, arguments, ...) name<double>,
#include "../kernels.def"
#undef KERNEL
    },
};
}  // namespace gradus
