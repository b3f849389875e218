// The product of two matrices, each element a sum over k in the order of the processors.
#include "matmul_tiles.h"
#include "table.h"

namespace gradus::cuda {
namespace {

// The largest tiles of which there are enough for all multiprocessors of a large card; not measured. Of double the
// largest would not fit into the shared memory of every card.
constexpr size_t enough_tiles = 128;
template <class T>
TileSize size_of_tiles(size_t m, size_t n) {
  const auto tiles = [=](size_t rows, size_t columns) {
    return ((m + rows - 1) / rows) * ((n + columns - 1) / columns);
  };
  if (sizeof(T) == 4 && tiles(128, 128) >= enough_tiles) return TileSize::large;
  if (tiles(64, 64) >= enough_tiles) return TileSize::middle;
  return tiles(32, 32) >= enough_tiles ? TileSize::small : TileSize::narrow;
}

template <class T>
void matmul(const Matmul<T>& task, T*) {
  multiply_by_tiles(task, size_of_tiles<T>(task.m, task.n));
}

template <class T>
void multiply(const Matmul<T>& task, TileSize size) {
  switch (size) {
    case TileSize::large:
      if constexpr (sizeof(T) == 4) return launch_tiles<LargeTile>(task);
      [[fallthrough]];
    case TileSize::middle:
      return launch_tiles<MiddleTile<T>>(task);
    case TileSize::small:
      return launch_tiles<SmallTile<T>>(task);
    case TileSize::narrow:
      return launch_tiles<NarrowTile<T>>(task);
  }
}

}  // namespace

void multiply_by_tiles(const Matmul<float>& task, TileSize size) {
  if (task.m != 0 && task.n != 0) multiply(task, size);
}
void multiply_by_tiles(const Matmul<double>& task, TileSize size) {
  if (task.m != 0 && task.n != 0) multiply(task, size);
}

template <class T>
void put_matmul(Kernels<T>& table) {
  table.matmul = matmul<T>;
}
PUT(matmul);

}  // namespace gradus::cuda
