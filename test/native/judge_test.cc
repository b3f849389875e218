// Whether an update may be made: what is judged, and what is not.
#include <cmath>
#include <limits>
#include <vector>

#include "test.h"

namespace gradus {
namespace {
using test::for_each_isa;

constexpr double infinite = std::numeric_limits<double>::infinity();

// Three parameters of two, one and two blocks; √(1 + 4 + 4 + 16 + 75) is 10.
struct Case {
  bool flags[3] = {false, false, false};
  double losses[2] = {3, 5};
  double squares[5] = {1, 4, 4, 16, 75};
  double clip_norm = 0;
  bool measures = true;

  template <class T>
  Verdict judged(const Kernels<T>& kernels, uint32_t& halted) const {
    std::vector<UpdateSums> sums(5);
    for (size_t i = 0; i < 5; ++i) sums[i].gradient_squares = squares[i];
    const uint32_t parameters[] = {0, 0, 1, 4, 4};
    Evidence of;
    of.nonfinite = flags, of.flags = 3;
    of.losses = losses, of.passes = 2, of.loss_scale = 0.25;
    if (measures) of.sums = sums.data(), of.parameters = parameters, of.blocks = 5;
    of.clip_norm = clip_norm;
    Verdict verdict{-1, -1, 7};
    kernels.judge(of, verdict, halted);
    return verdict;
  }
};

template <class T>
void check(const Kernels<T>& kernels) {
  const auto refused = [&](const Case& of) {
    uint32_t halted = 0;
    const Verdict verdict = of.judged(kernels, halted);
    CHECK_EQ(verdict.refused, uint64_t(halted));
    return halted == 1;
  };
  Case sound;
  uint32_t halted = 0;
  Verdict verdict = sound.judged(kernels, halted);
  CHECK(verdict.loss == 2 && verdict.gradient_scale == 1 && verdict.refused == 0 && halted == 0);
  halted = 1;  // what an update before it has raised stays
  sound.judged(kernels, halted);
  CHECK_EQ(halted, 1u);

  for (const auto& [limit, scale] : {std::pair{2.0, 0.2}, std::pair{10.0, 1.0}, std::pair{11.0, 1.0}}) {
    Case clipped;
    clipped.clip_norm = limit;
    halted = 0;
    CHECK_EQ(clipped.judged(kernels, halted).gradient_scale, scale);
  }
  for (size_t i = 0; i < 3; ++i) {
    Case flagged;
    flagged.flags[i] = true;
    CHECK(refused(flagged));
  }
  for (double odd : {infinite, -infinite, std::nan("")}) {
    Case lost, wild;
    lost.losses[1] = odd, wild.squares[4] = odd;
    CHECK(refused(lost));
    CHECK(refused(wild));
    wild.measures = false;
    CHECK(!refused(wild));
  }
}

TEST("an update is refused for each thing that is not finite, and clipped by its norm") {
  for_each_isa([](const Isa& isa) {
    check(isa.float32);
    check(isa.float64);
  });
}

}  // namespace
}  // namespace gradus
