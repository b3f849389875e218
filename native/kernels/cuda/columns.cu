// Sums and maxima down columns that run along the lanes.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {

template <class T>
void put_columns(Kernels<T>& table) {
  TEAMS(column_sums);
  TEAMS(block_sums);
  TEAMS(add_blocks);
  TEAMS(column_maxima);
  TEAMS(moments);
  TEAMS(limit_column_norms);
}
PUT(columns);

}  // namespace gradus::cuda
