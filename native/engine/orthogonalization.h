// Muon's step for a matrix (Jordan et al. 2024): its momentum made orthogonal, so that every direction moves alike.
#pragma once
#include <array>

#include "kernels/device.h"
#include "memory.h"

namespace gradus {

// matrix (rows, columns) becomes about U · Vᵀ of its singular value decomposition U · S · Vᵀ, by `steps` of a
// Newton–Schulz iteration with Jordan's quintic polynomial.
template <class T>
struct OrthogonalizationMemory {
  Memory& from;
  std::array<Buffer<T>, 4>& buffers;
  double& squares;  // there
};
template <class T>
void orthogonalize(const Device<T>& device, T* matrix, size_t rows, size_t columns, size_t steps,
                   const OrthogonalizationMemory<T>& memory);

}  // namespace gradus
