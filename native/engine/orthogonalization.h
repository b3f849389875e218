// Muon's step for a matrix (Jordan et al. 2024): its momentum made orthogonal, so that every direction moves alike.
#pragma once
#include <array>

#include "kernels/device.h"
#include "memory.h"

namespace gradus {

// What a matrix is worked on in: as large as the largest needs.
template <class T>
using OrthogonalizationMemory = std::array<Buffer<T>, 4>;
template <class T>
void reserve_orthogonalization(OrthogonalizationMemory<T>& memory, size_t rows, size_t columns, Memory& from);

// matrix (rows, columns) becomes about U · Vᵀ of its singular value decomposition U · S · Vᵀ, by `steps` of a
// Newton–Schulz iteration with Jordan's quintic polynomial. `squares` is a number there.
template <class T>
void orthogonalize(const Device<T>& device, T* matrix, size_t rows, size_t columns, size_t steps,
                   OrthogonalizationMemory<T>& memory, double& squares);

}  // namespace gradus
