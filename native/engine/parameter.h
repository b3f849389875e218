// What is known of a parameter before there is a value of it.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace gradus {

struct ParameterInfo {
  std::string name;  // "dense1.weight"
  std::vector<size_t> shape;
  size_t size = 0, offset = 0;  // in elements of the arenas; offset a multiple of 16
  bool trainable = true;
  bool is_statistic = false;  // forward passes of training move it

  // As a matrix: the last dimension are its columns, of units or filters, and all others together its rows.
  bool is_matrix() const { return shape.size() >= 2; }
  size_t columns() const { return shape.back(); }
  size_t rows() const { return size / columns(); }
};

}  // namespace gradus
