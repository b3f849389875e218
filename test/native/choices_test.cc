// Fingerprints of choices at kinks against the definition written plainly: 64 choices a word, the words hashed one
// after the other by SplitMix64's finalizer.
#include <cstring>
#include <limits>
#include <vector>

#include "arrays.h"

namespace gradus {
namespace {
using test::for_both_types;
using test::numbers;

constexpr uint64_t golden = 0x9e3779b97f4a7c15;

uint64_t split_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
uint64_t fingerprint_of(const std::vector<bool>& choices, uint64_t fingerprint) {
  uint64_t word = 0;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i]) word |= uint64_t(1) << (i % 64);
    if (i % 64 < 63 && i + 1 < choices.size()) continue;
    fingerprint = split_mix(fingerprint ^ word) + golden;
    word = 0;
  }
  return fingerprint;
}

TEST("the finalizer is SplitMix64's, whose first draws from seed 0 are known") {
  CHECK_EQ(split_mix(golden), 0xe220a8397b1dcdafull);
  CHECK_EQ(split_mix(2 * golden), 0x6e789e6aa1b965f4ull);
  for_both_types([](const Isa& isa, auto type) {
    const int32_t winner = 0;
    uint64_t fingerprint = golden;
    kernels_of<decltype(type)>(isa).fold_winners(&winner, 1, fingerprint);
    CHECK_EQ(fingerprint, 0xe220a8397b1dcdafull + golden);
  });
}

TEST("signs are folded 64 a word, and only what is above 0 is positive") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : {0, 1, 63, 64, 65, 128, 200}) {
      std::vector<T> x = numbers<T>(n, 1);
      for (size_t i = 0; i < n; i += 5) x[i] = i % 2 ? T(0) : std::numeric_limits<T>::quiet_NaN();
      std::vector<bool> positive;
      for (T value : x) positive.push_back(value > 0);
      uint64_t fingerprint = 42;
      kernels_of<T>(isa).fold_signs(x.data(), n, fingerprint);
      CHECK_EQ(fingerprint, fingerprint_of(positive, 42));
    }
  });
}

TEST("bytes are folded eight a word, the last word filled with zeros") {
  for_both_types([](const Isa& isa, auto type) {
    for (size_t n : {0, 1, 7, 8, 9, 24, 29}) {
      std::vector<uint8_t> bytes(n);
      for (size_t i = 0; i < n; ++i) bytes[i] = uint8_t(i * 37 + 5);
      uint64_t expected = 42, fingerprint = 42, word = 0;
      for (size_t i = 0; i < n; ++i) {
        word += uint64_t(bytes[i]) << (8 * (i % 8));
        if (i % 8 < 7 && i + 1 < n) continue;
        expected = split_mix(expected ^ word) + golden;
        word = 0;
      }
      kernels_of<decltype(type)>(isa).fold_bytes(bytes.data(), n, fingerprint);
      CHECK_EQ(fingerprint, expected);
    }
  });
}

TEST("values are folded by their bits and winners by their numbers, one a word and in order") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t n : {0, 1, 2, 67}) {
      std::vector<T> x = numbers<T>(n, 2);
      if (n > 1) x[1] = -T(0);
      std::vector<int32_t> winners(n);
      uint64_t of_values = 7, of_winners = 9, expected_values = 7, expected_winners = 9;
      for (size_t i = 0; i < n; ++i) {
        uint64_t bits = 0;
        std::memcpy(&bits, &x[i], sizeof(T));
        winners[i] = int32_t(i * i % 5);
        expected_values = split_mix(expected_values ^ bits) + golden;
        expected_winners = split_mix(expected_winners ^ uint64_t(winners[i])) + golden;
      }
      kernels_of<T>(isa).fold_values(x.data(), n, of_values);
      kernels_of<T>(isa).fold_winners(winners.data(), n, of_winners);
      CHECK_EQ(of_values, expected_values);
      CHECK_EQ(of_winners, expected_winners);
    }
  });
}

TEST("losses fold the side of its kink that each score lies on, and one without kinks folds nothing") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const Kernels<T>& kernels = kernels_of<T>(isa);
    for (size_t rows : {1, 3, 20})
      for (size_t columns : {1, 2, 7, 64, 67}) {
        std::vector<T> scores = numbers<T>(rows * columns, 3), targets = numbers<T>(rows * columns, 4);
        scores[0] = targets[0] + T(0.5);  // on the kink
        std::vector<int32_t> labels(rows);
        for (size_t i = 0; i < rows; ++i) labels[i] = int32_t(i * 5 % columns);
        Loss<T> loss;
        loss.rows = rows, loss.columns = columns, loss.parameter = T(0.5);
        loss.scores = scores.data(), loss.labels = labels.data(), loss.targets = targets.data();
        std::vector<bool> near_label, in_margin, in_delta, above;
        for (size_t i = 0; i < rows; ++i)
          for (size_t j = 0; j < columns; ++j) {
            const T score = scores[i * columns + j], right = scores[i * columns + size_t(labels[i])];
            const bool is_label = j == size_t(labels[i]);
            near_label.push_back(!is_label && score - right + T(0.5) > 0);
            in_margin.push_back((is_label ? score : -score) < T(0.5));
            in_delta.push_back(std::fabs(score - targets[i * columns + j]) <= T(0.5));
            above.push_back(score > targets[i * columns + j]);
          }
        uint64_t of_multiclass = 0, of_one_vs_all = 0, of_huber = 0, of_absolute = 0, of_none = 13;
        kernels.multiclass_hinge_choices(loss, of_multiclass);
        kernels.one_vs_all_hinge_choices(loss, of_one_vs_all);
        kernels.huber_choices(loss, of_huber);
        kernels.mean_absolute_error_choices(loss, of_absolute);
        kernels.no_choices(loss, of_none);
        CHECK_EQ(of_multiclass, fingerprint_of(near_label, 0));
        CHECK_EQ(of_one_vs_all, fingerprint_of(in_margin, 0));
        CHECK_EQ(of_huber, fingerprint_of(in_delta, 0));
        CHECK_EQ(of_absolute, fingerprint_of(above, 0));
        CHECK_EQ(of_none, 13u);
      }
  });
}

}  // namespace
}  // namespace gradus
