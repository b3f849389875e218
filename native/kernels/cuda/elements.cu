// Kernels in which each element stands for itself, and the slopes of softmax, as the texts of cpu/ have them.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

template <class T>
void put_elements(Kernels<T>& table) {
  TEAMS(add);
  TEAMS(multiply_add);
  TEAMS(scale);
  TEAMS(scale_rows);
  TEAMS(divide_by_norm);
  TEAMS(move_average);
  TEAMS(activation_forward);
  TEAMS(activation_backward);
  TEAMS(activation_bend);
  TEAMS(softmax_backward);
  TEAMS(softmax_backward_tangent);
  TEAMS(add_penalty_slopes);
  TEAMS(final_gradient);
  TEAMS(momentum_direction);
  TEAMS(inverse_deviations);
  TEAMS(exp);
  TEAMS(log);
  THREADS(maxout_forward);
  THREADS(maxout_backward);
  THREADS(maxout_gather);
}
PUT(elements);

}  // namespace gradus::cuda
