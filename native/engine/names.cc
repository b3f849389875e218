#include "names.h"

namespace gradus {

std::vector<std::string> loss_names() {
  return {
#define LOSS(name, ...) #name,
#include "losses.def"
#undef LOSS
  };
}
std::vector<std::string> metric_names() {
  return {
#define METRIC(name, ...) #name,
#include "metrics.def"
#undef METRIC
  };
}
std::vector<std::string> optimizer_names() {
  return {
#define OPTIMIZER(name, ...) #name,
#include "optimizers.def"
#undef OPTIMIZER
  };
}

}  // namespace gradus
