// The losses with their gradients, the tangents of these, and the scores of ensembles: a team takes a row.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

template <class T>
void put_losses(Kernels<T>& table) {
  TEAMS(multiclass_hinge);
  TEAMS(one_vs_all_hinge);
  TEAMS(mean_squared_error);
  TEAMS(mean_absolute_error);
  TEAMS(binary_cross_entropy);
  TEAMS(huber);
  TEAMS(softmax_cross_entropy_tangent);
  TEAMS(no_tangent);
  TEAMS(mean_squared_error_tangent);
  TEAMS(binary_cross_entropy_tangent);
  TEAMS(huber_tangent);
  TEAMS(combine);
}
PUT(losses);

}  // namespace gradus::cuda
