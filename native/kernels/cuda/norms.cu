// Layer norm and batch norm.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

template <class T>
void put_norms(Kernels<T>& table) {
  TEAMS(layer_norm_forward);
  TEAMS(layer_norm_backward);
  TEAMS(batch_norm_block_statistics);
  TEAMS(batch_norm_forward);
  TEAMS(batch_norm_block_gradients);
  TEAMS(batch_norm_backward);
  TEAMS(batch_norm_backward_of_constants);
}
template void put_norms(Kernels<float>&);
template void put_norms(Kernels<double>&);

}  // namespace gradus::cuda
