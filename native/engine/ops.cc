// Every op, in one translation unit: their headers take most of the time to compile. A new op is a file and a line
// here.
#include "op.h"

#include "ops/activation.cc"
#include "ops/add.cc"
#include "ops/average_pool.cc"
#include "ops/batch_norm.cc"
#include "ops/concat.cc"
#include "ops/convolution.cc"
#include "ops/custom.cc"
#include "ops/dense.cc"
#include "ops/dropout.cc"
#include "ops/embedding.cc"
#include "ops/frame.cc"
#include "ops/group_norm.cc"
#include "ops/layer_norm.cc"
#include "ops/max_pool.cc"
#include "ops/maxout.cc"
#include "ops/reshape.cc"
#include "ops/softmax.cc"
#include "ops/spatial_dropout.cc"
#include "ops/upsample.cc"

namespace gradus {

template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& name, const NodeReader& node) {
  for (const OpEntry<T>* entry = OpEntry<T>::first; entry; entry = entry->next)
    if (name == entry->name) return entry->make(node);
  return nullptr;
}

template std::unique_ptr<Op<float>> make_op(const std::string&, const NodeReader&);
template std::unique_ptr<Op<double>> make_op(const std::string&, const NodeReader&);

}  // namespace gradus
