// Dropout and random numbers: each value is a function of seed, stream, step and index.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

template <class T>
void put_random(Kernels<T>& table) {
  TEAMS(dropout);
  TEAMS(random_uniform);
  TEAMS(random_normal);
}
PUT(random);

}  // namespace gradus::cuda
