// The table of a library of these kernels: each .cu file puts its own into it. What is not put there stays null.
#pragma once
#include "../device_table.h"

#define KERNEL_FILES(FILE) \
  FILE(choices)            \
  FILE(columns)            \
  FILE(elements)           \
  FILE(embedding)          \
  FILE(layer_norm)         \
  FILE(losses) FILE(matmul) FILE(metrics) FILE(moving) FILE(norms) FILE(random) FILE(rows) FILE(updates)

namespace gradus::cuda {

#define FILE(name)   \
  template <class T> \
  void put_##name(Kernels<T>& table);
KERNEL_FILES(FILE)
#undef FILE

// In the file itself, once its function is there.
#define PUT(name)                            \
  template void put_##name(Kernels<float>&); \
  template void put_##name(Kernels<double>&)

template <class T>
void put_kernels(Kernels<T>& table) {
#define FILE(name) put_##name(table);
  KERNEL_FILES(FILE)
#undef FILE
}

// By tiles of so many rows and columns, 128 of float alone, whatever the size: what tests ask for.
enum class TileSize : uint8_t { large, middle, small, narrow };
struct TileSides {
  unsigned rows, columns;
};
constexpr TileSides sides_of_tiles[] = {{128, 128}, {64, 64}, {32, 32}, {32, 16}};
void multiply_by_tiles(const Matmul<float>& task, TileSize size);
void multiply_by_tiles(const Matmul<double>& task, TileSize size);

// Of whole arenas.
template <class T>
BlocksUpdate<T> blocks_update();
template <>
BlocksUpdate<float> blocks_update();
template <>
BlocksUpdate<double> blocks_update();

// All of it, of a library that has these functions.
inline DeviceTable with_kernels(DeviceTable functions) {
  functions.version = device_version;
  put_kernels(functions.float32), put_kernels(functions.float64);
  functions.update32 = blocks_update<float>(), functions.update64 = blocks_update<double>();
  return functions;
}
// What gradus_device() answers.
inline const DeviceTable* if_of_version(uint32_t wanted, uint32_t* own, const DeviceTable& (*table)()) {
  *own = device_version;
  return wanted == device_version ? &table() : nullptr;
}

}  // namespace gradus::cuda
