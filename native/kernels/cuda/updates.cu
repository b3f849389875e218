// The optimizers: a block of threads takes the chunks of an update, a team each, and adds their sums in order.
#include "table.h"
#include "texts.h"

namespace gradus::cuda {
namespace {

constexpr unsigned update_threads = 256;

template <class T>
struct UpdateParams {
  Update<T> update;
  UpdateSums* sums;
  const uint32_t* guard;
};

template <class T>
struct ChunkSums {
  UpdateSums of[update_threads / text::Vec<T>::lanes];
};

// Slots as upper halves of floats, rounded at random: what cpu/bfloat16-inl.h does by chunks, here on the way.
template <class T, template <class> class Rule>
struct Halves {
  using Vec = text::Vec<T>;
  uint16_t* const at[2];
  const Counter counter;
  const size_t first;
  const bool clears;

  GPU_INLINE explicit Halves(const Update<T>& u)
      : at{u.short_slots[0], u.short_slots[1]}, counter(u.counter), first(u.first), clears(u.clears_remnants) {}
  GPU_INLINE void read(bool, size_t i, int count, Vec* slot) const {
    const int lane = text::lane_of_thread<T>();
    for (int s = 0; s < 2; ++s) slot[s] = Vec(lane < count ? T(text::of_upper_half(at[s][i + lane])) : T(0));
  }
  GPU_INLINE void write(bool, size_t i, int count, const Vec* slot) const {
    const int lane = text::lane_of_thread<T>();
    if (lane >= count) return;
    const text::Vec<float> bits = text::value_bits(counter, first + i + lane, text::Vec<float>());
    const uint32_t word = gpu::bits_of(bits.r.value);
    for (int s = 0; s < 2; ++s) {
      const Vec value = clears ? text::kept(slot[s], text::smallest_of<Rule, T>(s)) : slot[s];
      at[s][i + lane] = text::upper_half(float(value.r.value), (s == 0 ? word : word >> 16) & 0xffff);
    }
  }
  GPU_INLINE void clear(size_t, size_t) const {}
};

template <class T, template <class> class Rule, bool regularized, bool averaged, class Slots>
GPU_KERNEL void update_pass(const UpdateParams<T> params) {
  if (is_raised(params.guard)) return;
  constexpr unsigned lanes = text::Vec<T>::lanes, teams = update_threads / lanes;
  ChunkSums<T>& chunks = gpu::shared<ChunkSums<T>>();
  const text::Pass<T, Rule, regularized, averaged, Slots> pass(params.update);
  const size_t n = params.update.n;
  const unsigned team = gpu::thread() / lanes;
  const bool adds = gpu::thread() == 0;
  UpdateSums total;
  if (adds) total = *params.sums;
  for (size_t round = 0; round < n; round += teams * update_chunk) {
    const size_t first = round + team * update_chunk;
    if (first < n) {
      UpdateSums sums;
      pass.chunk(first, n - first < update_chunk ? n - first : update_chunk, sums);
      if (gpu::thread() % lanes == 0) chunks.of[team] = sums;
    }
    if (!planted(Mistake::no_barrier_before_adding)) gpu::barrier();
    for (unsigned i = 0; adds && i < teams && round + i * update_chunk < n; ++i)
      text::add(chunks.of[planted(Mistake::another_order) ? i ^ 1 : i], total);
    if (!planted(Mistake::no_barrier_after_adding)) gpu::barrier();
  }
  if (adds) *params.sums = total;
}

template <class T, template <class> class Rule, class Slots = text::Reals<T, Rule>>
void update(const Update<T>& update, UpdateSums& sums) {
  text::choose_pass<Rule>(update, [&](auto regularized, auto averaged) {
    gpu::launch(update_pass<T, Rule, decltype(regularized)::value != 0, decltype(averaged)::value != 0, Slots>,
                {1, update_threads, sizeof(ChunkSums<T>) - planted_in_host(Mistake::shared_too_small)},
                UpdateParams<T>{update, &sums, gpu::guard()});
  });
}

}  // namespace

template <class T>
void put_updates(Kernels<T>& table) {
  table.gradient_norm = update<T, text::NoStep>;
  table.sgd = update<T, text::Sgd>;
  table.momentum = update<T, text::Momentum>;
  table.nesterov = update<T, text::Nesterov>;
  table.adagrad = update<T, text::Adagrad>;
  table.rmsprop = update<T, text::RmsProp>;
  table.rmsprop_momentum = update<T, text::RmsPropMomentum>;
  table.rmsprop_centered = update<T, text::RmsPropCentered>;
  table.rmsprop_centered_momentum = update<T, text::RmsPropCenteredMomentum>;
  table.adadelta = update<T, text::AdaDelta>;
  table.adam = update<T, text::Adam>;
  table.amsgrad = update<T, text::AmsGrad>;
  table.nadam = update<T, text::Nadam>;
  table.lion = update<T, text::Lion>;
  table.adam_bfloat16 = update<T, text::Adam, Halves<T, text::Adam>>;
}
PUT(updates);

}  // namespace gradus::cuda
