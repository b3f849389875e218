// What the emulator counts: bytes and sectors by array, barriers, bank conflicts; then what the kernels may cost.
#include "device.h"
#include "kernels/cuda/mistakes.h"
#include "kernels/cuda/table.h"
#include "patterns.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;
using emulator::Effort;
using emulator::Moved;

namespace {
constexpr size_t text_lanes = 16;  // threads of a team

// An open device on which all is counted, from nothing on.
struct Counting {
  OpenDevice device;
  Counting() { emulator::options().counts = true; }
  ~Counting() { emulator::options().counts = false; }

  template <class A>
  A* given(const std::vector<A>& values) {
    A* const at = device.given(values);
    CHECK(device_table().wait(device.queue()) == DeviceState::ready);
    emulator::take_moved(at), emulator::take_effort();
    return at;
  }
  Moved moved(const void* of) {
    CHECK(device_table().wait(device.queue()) == DeviceState::ready);
    return emulator::take_moved(of);
  }
  Effort effort() {
    CHECK(device_table().wait(device.queue()) == DeviceState::ready);
    return emulator::take_effort();
  }
};

void check_moved(const Moved& of, uint64_t bytes, uint64_t requests, uint64_t sectors, uint64_t whole) {
  CHECK_EQ(of.read + of.written, bytes);
  CHECK_EQ(of.requests, requests);
  CHECK_EQ(of.sectors, sectors);
  CHECK_EQ(of.whole_sectors, whole);
}
double whole_share(const Moved& of) { return double(of.whole_sectors) / double(of.sectors); }
}  // namespace

TEST("sectors are those of a warp's access, counted by array") {
  in_each_order([] {
    Counting here;
    const size_t n = 64 * 3, room = n * 8 + 8;
    float* const from = here.given(std::vector<float>(room, 1.0f));
    float* const to = here.given(std::vector<float>(room));
    const auto check = [&](unsigned stride, unsigned shift, uint64_t read, uint64_t read_whole, uint64_t written) {
      copy_apart(64, 3, stride, shift, from, to);
      check_moved(here.moved(from), n * 4, 6, read, read_whole);
      check_moved(here.moved(to), n * 4, 6, written, stride == 1 ? written : 0);
    };
    check(1, 0, 24, 24, 24);
    check(1, 1, 30, 18, 24);  // five sectors for four, two of them in part
    check(2, 0, 48, 0, 48);
    check(8, 0, 192, 0, 192);
    copy_fours(32, from, to);
    check_moved(here.moved(from), 512, 1, 16, 16);
    copy_apart(40, 1, 1, 0, from, to);  // 32 lanes, and 8 without the others
    check_moved(here.moved(from), 160, 2, 5, 5);
  });
}

TEST("bank conflicts are counted, and gone where rows begin in different banks") {
  in_each_order([] {
    Counting here;
    float* const from = here.given(std::vector<float>(1024, 1.0f));
    float* const to = here.given(std::vector<float>(1024));
    const auto conflicts_of = [&](unsigned row) {
      turn_square(row, from, to);
      const Effort effort = here.effort();
      CHECK(effort.launches == 1 && effort.barriers == 1 && effort.shared_requests == 64);
      return effort.bank_conflicts;
    };
    CHECK_EQ(conflicts_of(32), 32u * 31);
    CHECK_EQ(conflicts_of(33), 0u);
    CHECK_EQ(conflicts_of(34), 32u);
    CHECK_EQ(conflicts_of(36), 32u * 3);
    const auto of_fours = [&](unsigned apart) {
      store_fours_apart(apart, to);
      return here.effort().bank_conflicts;
    };
    CHECK_EQ(of_fours(4), 0u);
    CHECK_EQ(of_fours(8), 2u * 4);  // a store and a load, in four turns of eight lanes each
    CHECK_EQ(of_fours(32), 2u * 4 * 7);
  });
}

namespace {
// A step of Adam over so many blocks as long as this, by one launch; without blocks, over a stretch.
struct AdamStep {
  Counting here;
  const float* arrays[4];
  size_t n;
  Effort effort;

  AdamStep(size_t blocks, size_t length) : n(blocks ? blocks * length : length) {
    Update<float> update;
    update.learning_rate = 0.1f, update.epsilon = 1e-7f, update.clears_remnants = false;
    update.w = here.given(std::vector<float>(n, 0.5f)), update.gradient = here.given(std::vector<float>(n, 0.1f));
    for (int s = 0; s < 2; ++s) update.slots[s] = here.given(std::vector<float>(n));
    arrays[0] = update.gradient, arrays[1] = update.w, arrays[2] = update.slots[0], arrays[3] = update.slots[1];
    UpdateSums* const sums = reinterpret_cast<UpdateSums*>(here.given(std::vector<double>(5 * (blocks + 1))));
    std::vector<UpdateBlock<float>> all(blocks);
    for (size_t i = 0; i < blocks; ++i) all[i].offset = i * length, all[i].n = length;
    const UpdateBlock<float>* const there = here.given(all);
    update.n = n;
    if (blocks) {
      device_table().update32(UpdateRule::adam, update, there, blocks, 1u << all[0].kind(), sums);
    } else {
      here.device.kernels<float>().adam(update, *sums);
    }
    effort = here.effort();
  }
  // The least share of whole sectors.
  double check_bytes() {
    uint64_t bytes = 0;
    double least = 1;
    for (const float* of : arrays) {
      const Moved these = here.moved(of);
      bytes += these.read + these.written;
      least = std::min(least, whole_share(these));
    }
    CHECK(bytes >= 28 * n && bytes <= 28 * n + 28 * n / 100);
    return least;
  }
};
constexpr struct {
  const char* name;
  size_t blocks, length;
} adam_steps[] = {{"a stretch", 0, 3 * update_chunk + 200},
                  {"blocks whose chunks are spread", 3, 2 * update_chunk + 200},
                  {"blocks by teams", 129, 96}};
}  // namespace

TEST(
    "Adam moves 28 bytes a parameter in whole sectors, reads nothing twice, and is one launch without bank conflicts") {
  for (const auto& [name, blocks, length] : adam_steps) {
    Scope scope(name);
    AdamStep step(blocks, length);
    CHECK(step.check_bytes() >= 0.95);
    CHECK_EQ(step.effort.launches, 1u);
    CHECK_EQ(step.effort.bank_conflicts, 0u);
  }
}

TEST("elements that are moved one by one, where they lie side by side, are found") {
  emulator::options().planted = int(cuda::Mistake::moved_one_by_one);
  for (const auto& [name, blocks, length] : adam_steps) {
    Scope scope(name);
    AdamStep step(blocks, length);
    CHECK(step.check_bytes() < 0.05);
  }
  emulator::options().planted = 0;
}

namespace {
// Its bank conflicts.
template <class T>
uint64_t check_product(cuda::TileSize tile, bool a_turned, bool b_turned, size_t k) {
  const auto [rows, columns] = cuda::sides_of_tiles[size_t(tile)];
  const size_t m = 2 * rows, n = 3 * columns;
  Counting here;
  Matmul<T> task;
  task.m = m, task.n = n, task.k = k, task.c_row = n;
  task.a_row = a_turned ? 1 : k, task.a_column = a_turned ? m : 1;
  task.b_row = b_turned ? 1 : n, task.b_column = b_turned ? k : 1;
  task.a = here.given(std::vector<T>(m * k, T(0.5))), task.b = here.given(std::vector<T>(k * n, T(0.5)));
  task.c = here.given(std::vector<T>(m * n));
  cuda::multiply_by_tiles(task, tile);
  const uint64_t conflicts = here.effort().bank_conflicts;
  const Moved a = here.moved(task.a), b = here.moved(task.b), c = here.moved(task.c);
  CHECK_EQ(a.read, 3 * sizeof(T) * m * k);
  CHECK_EQ(b.read, 2 * sizeof(T) * k * n);
  CHECK_EQ(c.read + c.written, sizeof(T) * m * n);
  for (const Moved& of : {a, b, c}) CHECK_EQ(of.whole_sectors, of.sectors);
  return conflicts;
}
}  // namespace

TEST("a product reads each tile once a tile of C, in whole sectors and without bank conflicts, however A and B lie") {
  using cuda::TileSize;
  for (const TileSize tile : {TileSize::large, TileSize::middle, TileSize::small, TileSize::narrow})
    for (const bool a_turned : {false, true})
      for (const bool b_turned : {false, true}) {
        const auto [rows, columns] = cuda::sides_of_tiles[size_t(tile)];
        Scope scope(std::to_string(rows) + " x " + std::to_string(columns) + (a_turned ? ", A turned" : "") +
                    (b_turned ? ", B turned" : ""));
        const uint64_t conflicts = check_product<float>(tile, a_turned, b_turned, 40);
        // A narrow tile has some at its end, however long k is.
        if (tile != TileSize::narrow)
          CHECK_EQ(conflicts, 0u);
        else
          CHECK_EQ(check_product<float>(tile, a_turned, b_turned, 72), conflicts);
        const Scope of_double("double");
        if (tile != TileSize::large) CHECK_EQ(check_product<double>(tile, a_turned, b_turned, 40), 0u);
      }
}

TEST("a loss, softmax and layer norm read a row once, and write what comes of it once, of up to 1024 columns") {
  for (const size_t columns : {160, 1000, 1024}) {
    Scope scope(std::to_string(columns) + " columns");
    const size_t rows = 6, n = rows * columns;
    Counting here;
    const auto some = [&](size_t count) { return here.given(Numbers(count).values<float>(count)); };
    float *const x = some(n), *const y = some(n), *const dy = some(n), *const of_rows = some(2 * rows);
    const auto check = [&](const char* name, size_t of_labels, const float* from, const float* to) {
      Scope scope(name);
      const Moved read = here.moved(from), written = here.moved(to);
      // The label's score once more, by all lanes of a team.
      CHECK_EQ(read.read, (n + of_labels * text_lanes) * sizeof(float));
      CHECK_EQ(written.written, n * sizeof(float));
      CHECK(whole_share(written) == 1 && (of_labels || whole_share(read) == 1));
    };
    const Kernels<float>& kernels = here.device.kernels<float>();
    kernels.softmax(x, rows, columns, y);
    check("softmax", 0, x, y);
    Loss<float> loss;
    loss.rows = rows, loss.columns = columns, loss.scores = x, loss.gradient = y, loss.losses = of_rows;
    loss.labels = here.given(std::vector<int32_t>{0, 159, 7, 31, 32, 100});
    kernels.softmax_cross_entropy(loss);
    check("cross-entropy", rows, x, y);
    Norm<float> norm;
    norm.rows = rows, norm.columns = norm.stride = columns, norm.x = x, norm.y = norm.dx = y, norm.dy = dy;
    norm.gain = norm.bias = some(columns), norm.epsilon = 1e-5f;
    norm.mean = of_rows, norm.inverse_deviation = of_rows + rows;
    norm.dgain = some(columns), norm.dbias = some(columns);
    kernels.layer_norm_forward(norm);
    check("layer norm", 0, x, y);
    here.effort();
    kernels.layer_norm_backward(norm);
    CHECK_EQ(here.effort().bank_conflicts, 0u);
    check("its backward", 0, x, y);
    CHECK_EQ(here.moved(dy).read, n * sizeof(float));
    for (const float* of : {norm.dgain, norm.dbias}) {
      const Moved sums = here.moved(of);
      CHECK_EQ(sums.read, 0u);
      CHECK_EQ(sums.written, columns * sizeof(float));
    }
  }
}

TEST("batch norm reads what belongs to a column once for some rows, and rows in whole sectors") {
  const size_t rows = 130, columns = 48, n = rows * columns, blocks = blocks_of(rows);
  Counting here;
  const auto some = [&](size_t count) { return here.given(Numbers(count).values<float>(count)); };
  Norm<float> norm;
  norm.rows = rows, norm.columns = norm.stride = columns;
  float *const x = some(n), *const dy = some(n);
  norm.x = x, norm.dy = dy, norm.y = some(n), norm.dx = some(n);
  norm.gain = some(columns), norm.mean = some(columns), norm.inverse_deviation = some(columns);
  norm.dgain = some(blocks * columns), norm.dbias = some(blocks * columns);
  float *const means = some(blocks * columns), *const squares = some(blocks * columns);
  const auto check = [&](const char* name, size_t reads_of_column, const float* to) {
    Scope scope(name);
    const Moved from = here.moved(x), of_column = here.moved(norm.mean), written = here.moved(to);
    CHECK_EQ(from.read, n * sizeof(float));
    CHECK_EQ(of_column.read, reads_of_column * columns * sizeof(float));
    CHECK_EQ(written.written, n * sizeof(float));
    CHECK(whole_share(from) == 1 && whole_share(written) == 1);
  };
  const Kernels<float>& kernels = here.device.kernels<float>();
  kernels.batch_norm_block_statistics(x, rows, columns, columns, means, squares);
  CHECK_EQ(here.moved(x).read, n * sizeof(float));
  kernels.batch_norm_forward(norm);
  check("forward", (rows + 7) / 8, norm.y);
  kernels.batch_norm_backward_of_constants(norm);
  check("backward of constants", blocks, norm.dx);
  kernels.batch_norm_backward(norm, rows);
  check("backward", (rows + 7) / 8, norm.dx);
}
