// Cutting a matmul's C into one piece a thread, by rows or by columns, never along k: the bits do not depend on it.
#pragma once
#include <cstddef>

#include "../kernels/kernels.h"

namespace gradus {

struct Piece {
  size_t row = 0, rows = 0, column = 0, columns = 0;
};

// Piece `piece` of `pieces` of an m × n matrix: whole register tiles wide where it is cut by columns. May be empty.
Piece piece_of(size_t m, size_t n, size_t pieces, size_t piece);

// The same of a matmul: the task that computes only this piece.
template <class T>
Matmul<T> piece_of(const Matmul<T>& task, size_t pieces, size_t piece) {
  const Piece part = piece_of(task.m, task.n, pieces, piece);
  Matmul<T> cut = task;
  cut.m = part.rows, cut.n = part.columns;
  cut.a += part.row * task.a_row;
  cut.b += part.column * task.b_column;
  cut.c += part.row * task.c_row + part.column;
  if (task.bias) cut.bias += part.column;
  if (task.gate) cut.gate += part.row * task.gate_row + part.column;
  return cut;
}

}  // namespace gradus
