// Names that descriptors may hold, for whoever lists them.
#pragma once
#include <string>
#include <vector>

namespace gradus {

std::vector<std::string> loss_names();
std::vector<std::string> metric_names();
std::vector<std::string> optimizer_names();

}  // namespace gradus
