#include "partition.h"

#include <algorithm>

namespace gradus {
namespace {

constexpr size_t column_unit = 32;  // a whole register tile on every instruction set
constexpr size_t row_unit = 4;

// The bounds of part `part` of `length` cut into `parts` at multiples of `unit`.
size_t bound(size_t length, size_t unit, size_t parts, size_t part) {
  const size_t units = (length + unit - 1) / unit;
  return std::min(length, (units / parts * part + std::min(part, units % parts)) * unit);
}

}  // namespace

// Each piece copies all of the operand that is not cut, so the longer side of C is cut, unless it has too few units.
Piece piece_of(size_t m, size_t n, size_t pieces, size_t piece) {
  const bool by_columns = n >= m && n >= column_unit * pieces;
  if (by_columns) {
    const size_t first = bound(n, column_unit, pieces, piece);
    return {0, m, first, bound(n, column_unit, pieces, piece + 1) - first};
  }
  const size_t first = bound(m, row_unit, pieces, piece);
  return {first, bound(m, row_unit, pieces, piece + 1) - first, 0, n};
}

}  // namespace gradus
