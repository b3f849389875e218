// The GPU's kernels, emulated, against the processor's bits on random shapes and options.
#include "kernels/cuda/table.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

namespace {

constexpr Activation kinds[] = {
#define ACTIVATION(name, parameter) Activation::name,
#include "kernels/activations.def"
#undef ACTIVATION
};
Activation any_kind(Numbers& numbers) { return kinds[numbers.below(std::size(kinds))]; }

}  // namespace

TEST("the emulated GPU adds, scales and averages as the processor does") {
  for_trials(20, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t n = numbers.size(700);
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(n, true));
    auto& y = trial.given(numbers.values<T>(n, true));
    auto& z = trial.template wanted<T>(n);
    auto& e = trial.template wanted<T>(n);
    auto& l = trial.template wanted<T>(n);
    auto& c = trial.template wanted<T>(n);
    auto& f = trial.template wanted<T>(n);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.add(at(x), at(y), n, at(z));
      kernels.exp(at(x), n, at(e));
      kernels.log(at(x), n, at(l));
      kernels.copy(at(x), n, at(c));
      kernels.fill(T(3.5), n, at(f));
      kernels.multiply_add(T(0.7), at(x), n, at(y));
      kernels.scale(T(1.3), n, at(z));
      kernels.move_average(at(e), n, T(0.9), T(2), at(f));
    });
  });
}

TEST("activations and their slopes have the processor's bits") {
  for_trials(30, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t n = numbers.size(300);
    const Activation kind = any_kind(numbers);
    Trial<T> trial;
    auto& x = trial.given(numbers.values<T>(n, true));
    auto& dy = trial.given(numbers.values<T>(n, true));
    auto& y = trial.template wanted<T>(n);
    auto& dx = trial.template wanted<T>(n);
    trial.run([&](const Kernels<T>& kernels, auto at) {
      kernels.activation_forward(kind, T(0.3), at(x), n, at(y));
      kernels.activation_backward(kind, T(0.3), at(x), at(y), at(dy), n, at(dx));
      kernels.activation_bend(kind, T(0.3), at(x), at(y), at(dy), at(dy), n, at(dx));
    });
  });
}

namespace {
// Of a product: sizes, whether strides and widths are such that four elements can be moved at once, and how A and B
// lie.
struct Product {
  size_t m, n, k;
  bool by_fours, a_turned, b_turned, adds_to_c;
};
Product any_product(Numbers& numbers, size_t m, size_t n, size_t k, bool by_fours) {
  return {m, n, k, by_fours, numbers.below(2) == 0, numbers.below(2) == 0, !numbers.often()};
}
// multiply(kernels, task, workspace) on both sides.
template <class T, class F>
void check_product(Numbers& numbers, const Product& of, F multiply) {
  const size_t m = of.m, n = of.n, k = of.k;
  Trial<T> trial;
  const bool special = numbers.below(4) == 0;
  Matmul<T> task;
  task.m = m, task.n = n, task.k = k;
  const auto stride_of = [&](size_t width) { return of.by_fours ? (width + 3) / 4 * 4 : width + numbers.below(4); };
  const bool a_turned = of.a_turned, b_turned = of.b_turned;
  const size_t a_stride = stride_of(a_turned ? m : k), b_stride = stride_of(b_turned ? k : n);
  task.a_row = a_turned ? 1 : a_stride, task.a_column = a_turned ? a_stride : 1;
  task.b_row = b_turned ? 1 : b_stride, task.b_column = b_turned ? b_stride : 1;
  task.c_row = stride_of(n);
  auto& a = trial.given(numbers.values<T>((a_turned ? k : m) * a_stride, special));
  auto& b = trial.given(numbers.values<T>((b_turned ? n : k) * b_stride, special));
  if (numbers.below(3) == 0) task.alpha = T(0.7);
  if (of.adds_to_c) task.beta = T(numbers.below(2) ? 1 : -0.3);
  auto& c = task.beta != 0 ? trial.given(numbers.values<T>(m * task.c_row)) : trial.template wanted<T>(m * task.c_row);
  auto* bias = trial.maybe(numbers.often(), numbers.values<T>(n));
  if (numbers.often()) task.activation = any_kind(numbers), task.activation_parameter = T(0.2);
  auto* gate = trial.maybe(numbers.below(3) == 0, numbers.values<T>(m * n));
  if (gate) {
    constexpr Activation gates[] = {Activation::identity, Activation::relu,    Activation::leaky_relu, Activation::elu,
                                    Activation::tanh,     Activation::sigmoid, Activation::softplus};
    task.gate_kind = gates[numbers.below(std::size(gates))], task.gate_row = n, task.gate_parameter = T(0.2);
  }
  auto& flag = trial.given(std::vector<uint8_t>{0});
  static std::vector<T> memory(matmul_workspace + 16);
  T* workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64 / sizeof(T);
  trial.run([&](const Kernels<T>& kernels, auto at) {
    Matmul<T> here = task;
    here.a = at(a), here.b = at(b), here.c = at(c);
    if (bias) here.bias = at(*bias);
    if (gate) here.gate = at(*gate);
    here.nonfinite = reinterpret_cast<bool*>(at(flag));
    multiply(kernels, here, workspace);
  });
}
using cuda::TileSize;
constexpr TileSize tile_sizes[] = {TileSize::large, TileSize::middle, TileSize::small, TileSize::narrow};
template <class T>
auto by_tiles(TileSize size) {
  return [size](const Kernels<T>& kernels, const Matmul<T>& task, T* workspace) {
    &kernels == &device_kernels<T>() ? cuda::multiply_by_tiles(task, size) : kernels.matmul(task, workspace);
  };
}
}  // namespace

TEST("the product of matrices has the processor's bits, whatever lies where and follows") {
  for_trials(60, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t m = numbers.size(50), n = numbers.size(50);
    const size_t k = numbers.below(12) == 0 ? 500 + numbers.below(600) : numbers.size(80);
    check_product<T>(
        numbers, any_product(numbers, m, n, k, numbers.below(4) == 0),
        [](const Kernels<T>& kernels, const Matmul<T>& task, T* workspace) { kernels.matmul(task, workspace); });
  });
}

TEST("products by tiles of each size have the processor's bits, at and beside the edges of tiles and of blocks of k") {
  for_trials(8, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    for (const TileSize tile : tile_sizes) {
      if (tile == TileSize::large && sizeof(T) == sizeof(double)) continue;
      const auto [rows, columns] = cuda::sides_of_tiles[size_t(tile)];
      Scope scope("tiles of " + std::to_string(rows) + " x " + std::to_string(columns));
      const bool by_fours = numbers.below(2);
      const auto size = [&](size_t side) {
        const size_t near = side * (1 + numbers.below(2)) + numbers.below(3) - 1;
        const size_t any = numbers.below(2) ? near : 1 + numbers.below(side);
        return by_fours ? (any + 3) / 4 * 4 : any;
      };
      const size_t near_block = 510 + numbers.below(6);
      const size_t m = size(rows), n = size(columns);
      const size_t k = numbers.below(tile == TileSize::large ? 8 : 4) == 0 ? near_block : numbers.size(40);
      check_product<T>(numbers, any_product(numbers, m, n, k, by_fours), by_tiles<T>(tile));
    }
  });
}

TEST("products by tiles have the processor's bits where sizes are odd, whichever of A and B is turned, added or not") {
  constexpr size_t sizes[] = {1, 15, 33, 129};
  for_trials(1, [&](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const auto check = [&](size_t m, size_t n, unsigned way) {
      const Product of{m, n, sizes[numbers.below(4)], false, (way & 1) != 0, (way & 2) != 0, (way & 4) != 0};
      Scope scope(std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(of.k) + ", way " +
                  std::to_string(way));
      check_product<T>(numbers, of, by_tiles<T>(tile_sizes[1 + numbers.below(3)]));
    };
    if (is_soak()) return check(sizes[numbers.below(4)], sizes[numbers.below(4)], unsigned(numbers.below(8)));
    unsigned way = 0;
    for (const size_t m : sizes)
      for (const size_t n : sizes)
        for (int i = 0; i < 2; ++i, way = (way + 3) % 8) check(m, n, way);
  });
}

TEST("products by tiles read nothing behind the last elements of A and B, though the rows before are longer") {
  const auto check = [](auto zero, TileSize tile) {
    using T = decltype(zero);
    const unsigned side = cuda::sides_of_tiles[size_t(tile)].rows;
    const size_t size = side + 1, k = 9, stride = side + 4;
    in_each_order([&] {
      OpenDevice device;  // which says what it finds when it is closed
      Matmul<T> task;
      task.m = task.n = size, task.k = k;
      task.a_row = 1, task.a_column = task.b_row = stride, task.c_row = size;
      task.a = task.b = device.given(std::vector<T>((k - 1) * stride + size, T(0.5)));
      task.c = device.wanted<T>(size * size);
      cuda::multiply_by_tiles(task, tile);
      CHECK(device.values(task.c, size * size) == std::vector<T>(size * size, T(0.25) * T(k)));
    });
  };
  for (const TileSize tile : tile_sizes) {
    check(0.0f, tile);
    if (tile != TileSize::large) check(0.0, tile);
  }
}
