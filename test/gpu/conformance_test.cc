// Each function of kernels/cuda/machine.h against what it is said to do. On hardware this runs first: a misreading of
// the machine would be in kernels and emulator alike.
#include <cmath>

#include "conformance.h"
#include "device.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

TEST("threads know their number, their block's, and how many there are") {
  in_each_order([] {
    OpenDevice device;
    const unsigned grid = 5, block = 96;
    uint32_t* const out = device.wanted<uint32_t>(4 * grid * block);
    tell_indices(grid, block, out);
    const std::vector<uint32_t> numbers = device.values(out, 4 * grid * block);
    for (unsigned i = 0; i < grid * block; ++i) {
      CHECK_EQ(numbers[4 * i], i % block);
      CHECK_EQ(numbers[4 * i + 1], i / block);
      CHECK(numbers[4 * i + 2] == block && numbers[4 * i + 3] == grid);
    }
  });
}

TEST("lanes get each other's words, within their mask") {
  in_each_order([] {
    for (unsigned lanes : {8u, 16u, 32u})
      for (int by : {1, 2, 4}) {
        OpenDevice device;
        const unsigned block = 64;
        const std::vector<double> words = Numbers(7).values<double>(block, true);
        double* const from = device.given(words);
        double* const to = device.wanted<double>(2 * block);
        shuffle_words(block, lanes, by, from, to);
        const std::vector<double> got = device.values(to, 2 * block);
        for (unsigned i = 0; i < block; ++i) {
          const unsigned first = i / lanes * lanes;
          const double expected[] = {words[first + (i - first + by) % lanes], words[i ^ unsigned(by)]};
          CHECK(std::memcmp(&got[2 * i], expected, sizeof expected) == 0);
        }
      }
  });
}

TEST("lanes vote within their mask") {
  in_each_order([] {
    for (unsigned lanes : {8u, 16u, 32u}) {
      OpenDevice device;
      const unsigned block = 128;
      std::vector<uint32_t> flags(block);
      flags[3] = flags[40] = flags[127] = 1;
      uint32_t* const from = device.given(flags);
      uint32_t* const to = device.wanted<uint32_t>(block);
      vote(block, lanes, from, to);
      const std::vector<uint32_t> got = device.values(to, block);
      for (unsigned i = 0; i < block; ++i) {
        const auto in_mask = [&](unsigned flag) { return flag / lanes == i / lanes; };
        CHECK_EQ(got[i], uint32_t(in_mask(3) || in_mask(40) || in_mask(127)));
      }
    }
  });
}

TEST("a barrier and a meeting of lanes show what others have stored") {
  in_each_order([] {
    const unsigned block = 192;
    const std::vector<float> numbers = Numbers(3).values<float>(block);
    OpenDevice device;
    float* const from = device.given(numbers);
    float* const to = device.wanted<float>(block);
    turn_block(block, from, to);
    std::vector<float> got = device.values(to, block);
    for (unsigned i = 0; i < block; ++i) CHECK_EQ(got[i], numbers[block - 1 - i]);
    for (unsigned lanes : {8u, 16u, 32u}) {
      turn_lanes(block, lanes, from, to);
      got = device.values(to, block);
      for (unsigned i = 0; i < block; ++i) CHECK_EQ(got[i], numbers[i / lanes * lanes + lanes - 1 - i % lanes]);
    }
  });
}

TEST("nothing is lost of what blocks count, raise and leave to the last") {
  in_each_order([] {
    const unsigned grid = 17, block = 64, all = grid * block;
    OpenDevice device;
    uint32_t* const sum = device.given(std::vector<uint32_t>{5});
    uint8_t* const flag = device.given(std::vector<uint8_t>{0});
    count(grid, block, sum, reinterpret_cast<bool*>(flag));
    const uint32_t counted = device.values(sum, 1)[0], raised = device.values(flag, 1)[0];
    CHECK_EQ(counted, 5 + all * (all - 1) / 2);
    CHECK_EQ(raised, 1u);
    uint32_t* const arrived = device.given(std::vector<uint32_t>{0});
    uint32_t* const of_blocks = device.wanted<uint32_t>(grid);
    uint32_t* const total = device.wanted<uint32_t>(1);
    for (const unsigned blocks : {grid, grid - 5}) {  // the count is back at its start
      sum_by_last(blocks, block, arrived, of_blocks, total);
      const uint32_t added = device.values(total, 1)[0];
      CHECK_EQ(added, blocks * 10 + blocks * (blocks - 1) / 2);
    }
  });
}

namespace {
void check_turned(const std::vector<uint8_t>& from, const uint8_t* to, unsigned threads, unsigned n, unsigned size) {
  for (unsigned i = 0; i < threads * n; ++i)
    CHECK(std::memcmp(to + i * size, from.data() + (i / n * n + n - 1 - i % n) * size, size) == 0);
}
}  // namespace

TEST("four, eight and sixteen bytes move at once") {
  in_each_order([] {
    OpenDevice device;
    const unsigned threads = 32, bytes = 16 * threads;
    const std::vector<uint8_t> numbers = Numbers(5).integers<uint8_t>(bytes, 256);
    uint8_t* const to = device.given(std::vector<uint8_t>(4 * bytes));
    turn_packs(threads, device.given(numbers), to);
    const std::vector<uint8_t> got = device.values(to, 4 * bytes);
    check_turned(numbers, got.data(), threads, 4, 4);
    check_turned(numbers, got.data() + bytes, threads, 2, 8);
    check_turned(numbers, got.data() + 2 * bytes, threads, 4, 2);
    check_turned(numbers, got.data() + 3 * bytes, threads, 2, 2);
  });
}

TEST("copies that are waited for are there, zeros where there was nothing to copy") {
  in_each_order([] {
    const unsigned threads = 64, chunks = 7;
    for (const unsigned floats : {1u, 2u, 4u}) {
      OpenDevice device;
      const unsigned length = threads * floats, n = chunks * length - 3 * floats;
      const std::vector<float> numbers = Numbers(floats).values<float>(n);
      float* const to = device.wanted<float>(chunks * length);
      copy_through_stages(threads, chunks, floats, n, device.given(numbers), to);
      const std::vector<float> got = device.values(to, chunks * length);
      for (unsigned i = 0; i < chunks * length; ++i) {
        const unsigned chunk = i / length, thread = i % length / floats;
        const unsigned from = chunk * length + (threads - 1 - thread) * floats + i % floats;
        CHECK_EQ(got[i], from < n ? numbers[from] : 0.0f);
      }
    }
  });
}

namespace {
template <class T>
void check_arithmetic() {
  const unsigned n = 500;
  Numbers numbers(11);
  const std::vector<T> a = numbers.values<T>(n, true), b = numbers.values<T>(n, true), c = numbers.values<T>(n, true);
  OpenDevice device;
  T* const to = device.wanted<T>(6 * n);
  calculate(n, device.given(a), device.given(b), device.given(c), to);
  const std::vector<T> got = device.values(to, 6 * n);
  for (unsigned i = 0; i < n; ++i) {
    const T expected[] = {std::fma(a[i], b[i], c[i]), std::sqrt(a[i]), a[i] / b[i], a[i] + b[i], a[i] * b[i], -a[i]};
    for (unsigned k = 0; k < 6; ++k) {
      const T mine = got[6 * i + k];
      CHECK(std::memcmp(&mine, &expected[k], sizeof mine) == 0 || (std::isnan(mine) && std::isnan(expected[k])));
    }
  }
}
}  // namespace

TEST("arithmetic is rounded as IEEE 754 says, subnormal numbers included") {
  check_arithmetic<float>();
  check_arithmetic<double>();
}
