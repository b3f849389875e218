// The optimizers of the emulated GPU against the processor's, over steps, with their sums.
#include "kernels/update_part.h"
#include "trial.h"

using namespace gradus;
using namespace gradus::test;

namespace {
template <class T>
struct Rule {
  const char* name;
  void (*Kernels<T>::*kernel)(const Update<T>&, UpdateSums&);
};
template <class T>
constexpr Rule<T> rules[] = {
#define KERNEL(name, ...)
#define UPDATE(name) {#name, &Kernels<T>::name},
#include "kernels/kernels.def"
#undef UPDATE
#undef KERNEL
};

// Kernels of all kinds, under a guard that another kernel raises, or does not.
template <class T>
void check_guard(Numbers& numbers, size_t n) {
  const bool is_raised = numbers.below(2);
  OpenDevice device;
  uint32_t* const flag = device.given(std::vector<uint32_t>{0});
  const std::vector<T> before = numbers.values<T>(n);
  T* const x = device.given(before);
  T* const to = device.given(before);
  const T odd = is_raised ? T(INFINITY) : T(0);
  bool* const found = reinterpret_cast<bool*>(flag);  // its first byte
  device.kernels<T>().find_nonfinite(device.given(std::vector<T>{odd}), 1, *found);
  device_table().guard(device.queue(), flag);
  device.kernels<T>().scale(T(2), n, x);
  Update<T> update;
  update.n = n, update.w = to, update.gradient = device.given(before), update.learning_rate = T(1);
  update.clears_remnants = false;
  double* const sums = device.given(std::vector<double>(sizeof(UpdateSums) / sizeof(double)));
  device.kernels<T>().sgd(update, *reinterpret_cast<UpdateSums*>(sums));
  device_table().guard(device.queue(), nullptr);
  device.kernels<T>().scale(T(4), n, x);
  std::vector<T> scaled, moved;
  for (T value : before) scaled.push_back(value * (is_raised ? T(4) : T(8))), moved.push_back(is_raised ? value : T(0));
  CHECK(device.values(x, n) == scaled);
  CHECK(device.values(to, n) == moved);
}

template <class T>
BlocksUpdate<T> device_update();
template <>
BlocksUpdate<float> device_update() {
  return device_table().update32;
}
template <>
BlocksUpdate<double> device_update() {
  return device_table().update64;
}
// On the device at once, on the processor one after the other.
template <class T>
void update_blocks(const Kernels<T>& kernels, UpdateRule rule, const Update<T>& common,
                   const std::vector<UpdateBlock<T>>& blocks, const UpdateBlock<T>* there, unsigned kinds,
                   UpdateSums* sums) {
  if (&kernels == &device_kernels<T>()) return device_update<T>()(rule, common, there, blocks.size(), kinds, sums);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool directs = takes_direction(rule, blocks[i].is_directed);
    sums[i] = UpdateSums();
    (kernels.*kernel_of<T>(directs ? UpdateRule::sgd : rule))(part_of(common, blocks[i], directs), sums[i]);
  }
}

// Upper halves of floats that may be squares; some are so small that they are cleared.
std::vector<uint16_t> halves(Numbers& numbers, size_t n) {
  std::vector<float> values = numbers.values<float>(n);
  std::vector<uint16_t> upper(n);
  for (size_t i = 0; i < n; ++i) {
    const float value = std::fabs(values[i]) * (numbers.below(8) == 0 ? 1e-37f : 1.0f);
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    upper[i] = uint16_t(bits >> 16);
  }
  return upper;
}
}  // namespace

TEST("updates are judged as on the processor, and a raised guard keeps kernels from all they do") {
  for_trials(12, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    const size_t flags = 1 + numbers.below(9), passes = numbers.below(5), blocks = numbers.below(9);
    std::vector<uint8_t> raised(flags);
    if (numbers.below(3) == 0) raised[numbers.below(flags)] = 1;
    constexpr size_t width = sizeof(UpdateSums) / sizeof(double), squares = 3;  // gradient_squares is the fourth
    std::vector<double> of_blocks(width * blocks);
    std::vector<uint32_t> numbered(blocks);
    for (size_t i = 0; i < blocks; ++i) {
      of_blocks[i * width + squares] = std::fabs(numbers.normal()) * (numbers.below(12) == 0 ? INFINITY : 1);
      numbered[i] = uint32_t(i / 2);
    }
    const bool measures = numbers.often();
    const double clip_norm = double(numbers.below(3)), loss_scale = 0.3;
    const size_t n = numbers.size(200);
    Trial<T> trial;
    auto& found = trial.given(raised);
    auto& losses = trial.given(numbers.values<double>(passes, numbers.below(4) == 0));
    auto& sums = trial.given(of_blocks);
    auto& parameters = trial.given(numbered);
    auto& verdict = trial.given(std::vector<double>(sizeof(Verdict) / sizeof(double)));
    auto& halted = trial.given(std::vector<uint32_t>{0});
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Evidence of;
      of.nonfinite = reinterpret_cast<const bool*>(at(found)), of.flags = flags;
      of.losses = at(losses), of.passes = passes, of.loss_scale = loss_scale;
      if (measures) of.sums = reinterpret_cast<const UpdateSums*>(at(sums));
      if (measures) of.parameters = at(parameters), of.blocks = blocks;
      of.clip_norm = clip_norm;
      kernels.judge(of, *reinterpret_cast<Verdict*>(at(verdict)), *at(halted));
    });
    check_guard<T>(numbers, n);
  });
}

TEST("the blocks of an update have the processor's bits, whatever their kinds") {
  for_trials(4, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    // Few blocks, of which each chunk is taken apart, or many.
    const bool many = numbers.below(3) == 0;
    std::vector<UpdateBlock<T>> blocks(many ? 140 : 1 + numbers.below(9));
    size_t n = 0;
    unsigned kinds = 0;
    for (UpdateBlock<T>& block : blocks) {
      block.offset = n, block.n = numbers.below(many ? 70 : 300);
      n += block.n + (numbers.below(2) ? numbers.below(20) : 16 - block.n % 16);
      if (numbers.below(2)) block.l1 = T(0.01), block.l2 = T(0.02);
      if (numbers.below(3) == 0) block.weight_decay = T(0.1);
      block.rate_multiplier = numbers.often() ? T(1) : T(2), block.averages = numbers.often();
      block.is_directed = numbers.below(4) == 0;
      kinds |= 1u << block.kind();
    }
    const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(blocks.data());
    Trial<T> trial;
    auto& there = trial.given(std::vector<uint8_t>(bytes, bytes + blocks.size() * sizeof blocks[0]));
    auto& gradient = trial.given(numbers.values<T>(n));
    auto& directions = trial.given(numbers.values<T>(n));
    auto& w = trial.given(numbers.values<T>(n));
    auto& slot = trial.given(std::vector<T>(n));
    auto& squares = trial.given(std::vector<T>(n));
    auto& average = trial.given(numbers.values<T>(n));
    auto& sums = trial.given(std::vector<double>(blocks.size() * sizeof(UpdateSums) / sizeof(double), 7));
    const UpdateRule rule = numbers.often() ? UpdateRule::adam : UpdateRule::rmsprop_momentum;
    const bool averages = numbers.often();
    trial.run([&](const Kernels<T>& kernels, auto at) {
      Update<T> common;
      common.gradient = at(gradient), common.directions = at(directions), common.w = at(w);
      common.slots[0] = at(squares), common.slots[1] = at(slot);
      if (averages) common.average = at(average);
      common.average_decay = T(0.9), common.learning_rate = T(0.01), common.momentum = T(0.9);
      common.decay_rate = T(0.99), common.epsilon = T(1e-7);
      update_blocks(kernels, rule, common, blocks, reinterpret_cast<const UpdateBlock<T>*>(at(there)), kinds,
                    reinterpret_cast<UpdateSums*>(at(sums)));
    });
  });
}

TEST("optimizers have the processor's bits, and so have their sums") {
  for_trials(2, [](Numbers& numbers, auto zero) {
    using T = decltype(zero);
    for (const Rule<T>& rule : rules<T>) {
      Scope scope(rule.name);
      const size_t n = numbers.below(5) == 0 ? 4096 * 2 + numbers.below(700) : numbers.at_least_one(900);
      const bool special = numbers.below(3) == 0;
      Trial<T> trial;
      std::vector<T> gradients = numbers.values<T>(n, special), weights = numbers.values<T>(n);
      std::vector<T> squares = numbers.values<T>(n);
      for (T& value : squares) value = std::fabs(value);
      // Some have decayed to where they are cleared, or nearly.
      for (size_t i = 0; i < n; ++i)
        if (numbers.below(8) == 0)
          gradients[i] = squares[i] = 0, weights[i] = std::numeric_limits<T>::min() * T(numbers.below(1 << 28));
      auto& gradient = trial.given(gradients);
      auto& w = trial.given(weights);
      auto& slot0 = trial.given(squares);
      auto& slot1 = trial.given(squares);
      auto& slot2 = trial.given(squares);
      auto& half0 = trial.given(halves(numbers, n));
      auto& half1 = trial.given(halves(numbers, n));
      auto& average = trial.given(numbers.values<T>(n));
      auto& sums = trial.given(std::vector<double>(sizeof(UpdateSums) / sizeof(double)));
      Update<T> update;
      update.n = n, update.learning_rate = T(0.01), update.momentum = T(0.9), update.decay_rate = T(0.99);
      update.epsilon = T(1e-7), update.correction1 = T(1.5), update.correction2 = T(2.5),
      update.gradient_share = T(0.1);
      if (numbers.below(2)) update.l1 = T(0.01), update.l2 = T(0.02);
      if (numbers.below(2)) update.clip_value = T(0.5);
      if (numbers.below(2)) update.weight_decay = T(0.1), update.gradient_scale = T(0.7);
      update.clears_remnants = numbers.below(2);
      update.counter = {numbers.below(SIZE_MAX), uint32_t(numbers.below(1000)), numbers.below(size_t(1) << 40)};
      update.first = numbers.below(100);
      const bool averages = numbers.below(2);
      update.average_decay = T(0.9);
      trial.run([&](const Kernels<T>& kernels, auto at) {
        Update<T> here = update;
        here.gradient = at(gradient), here.w = at(w);
        here.slots[0] = at(slot0), here.slots[1] = at(slot1), here.slots[2] = at(slot2);
        here.short_slots[0] = at(half0), here.short_slots[1] = at(half1);
        if (averages) here.average = at(average);
        for (int step = 0; step < 2; ++step) (kernels.*rule.kernel)(here, *reinterpret_cast<UpdateSums*>(at(sums)));
      });
    }
  });
}

namespace {
template <class T>
void check_long_blocks(std::initializer_list<size_t> lengths, size_t count) {
  std::vector<UpdateBlock<T>> blocks;
  size_t n = 0;
  while (blocks.size() < count)
    for (const size_t length : lengths) {
      UpdateBlock<T> block;
      block.offset = n, block.n = length;
      blocks.push_back(block);
      n += (length + 15) / 16 * 16;
    }
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(blocks.data());
  Numbers numbers(n);
  Trial<T> trial;
  auto& there = trial.given(std::vector<uint8_t>(bytes, bytes + blocks.size() * sizeof blocks[0]));
  auto& gradient = trial.given(numbers.values<T>(n));
  auto& w = trial.given(numbers.values<T>(n));
  auto& first = trial.given(std::vector<T>(n));
  auto& second = trial.given(std::vector<T>(n));
  auto& sums = trial.given(std::vector<double>(blocks.size() * sizeof(UpdateSums) / sizeof(double), 7));
  trial.run([&](const Kernels<T>& kernels, auto at) {
    Update<T> common;
    common.gradient = at(gradient), common.w = at(w), common.slots[0] = at(first), common.slots[1] = at(second);
    common.learning_rate = T(0.01), common.momentum = T(0.9), common.decay_rate = T(0.99), common.epsilon = T(1e-7);
    update_blocks(kernels, UpdateRule::adam, common, blocks, reinterpret_cast<const UpdateBlock<T>*>(at(there)),
                  1u << blocks[0].kind(), reinterpret_cast<UpdateSums*>(at(sums)));
  });
}
template <class T>
void check_long_blocks() {
  check_long_blocks<T>({0, 1, 2 * update_chunk + 17, update_chunk, 8 * update_chunk, 8 * update_chunk + 5}, 1);
  check_long_blocks<T>({64, 100, 64, 31, update_chunk + 47, 64, 64, 64, 64, 64}, 130);
}
}  // namespace

TEST("blocks of many chunks have the processor's bits, and so have more blocks than are taken apart") {
  check_long_blocks<float>();
  check_long_blocks<double>();
}
