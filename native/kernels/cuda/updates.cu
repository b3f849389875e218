// The optimizers: a block of threads takes the chunks of an update, a team each, and adds their sums in order.
#include "../update_part.h"
#include "table.h"
#include "texts.h"

namespace gradus::cuda {
namespace {

constexpr unsigned update_threads = 256;

template <class T>
struct UpdateParams {
  Update<T> update;  // of one stretch, whose sums are added into; or of the arenas
  const UpdateBlock<T>* blocks;  // then: each a block of threads', if it is of this kind
  unsigned kind;
  bool directs;  // takes its change from Update::directions
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

// The sums, in the first thread.
template <class T, class Pass>
GPU_INLINE void make_pass(const Update<T>& update, UpdateSums& total) {
  constexpr unsigned lanes = text::Vec<T>::lanes, teams = update_threads / lanes;
  ChunkSums<T>& chunks = gpu::shared<ChunkSums<T>>();
  const Pass pass(update);
  const size_t n = update.n;
  const unsigned team = gpu::thread() / lanes;
  const bool adds = gpu::thread() == 0;
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
}

template <class T, template <class> class Rule, bool regularized, bool averaged, class Slots>
GPU_KERNEL void update_pass(const UpdateParams<T> params) {
  using Pass = text::Pass<T, Rule, regularized, averaged, Slots>;
  if (is_raised(params.guard)) return;
  const bool adds = gpu::thread() == 0;
  UpdateSums total;
  if (!params.blocks) {
    if (adds) total = *params.sums;
    make_pass<T, Pass>(params.update, total);
    if (adds) *params.sums = total;
    return;
  }
  const UpdateBlock<T> block = params.blocks[gpu::block()];
  if (block.kind() != params.kind) return;
  make_pass<T, Pass>(part_of(params.update, block, params.directs), total);
  if (adds) params.sums[gpu::block()] = total;
}

// The variant that is for what `like` asks for.
template <class T, template <class> class Rule, class Slots>
void launch_update(const Update<T>& like, size_t blocks, const UpdateParams<T>& params) {
  text::choose_pass<Rule>(like, [&](auto regularized, auto averaged) {
    gpu::launch(update_pass<T, Rule, decltype(regularized)::value != 0, decltype(averaged)::value != 0, Slots>,
                {unsigned(blocks), update_threads,
                 sizeof(ChunkSums<T>) - planted_in_host(Mistake::shared_too_small)},
                params);
  });
}

template <class T, template <class> class Rule, class Slots = text::Reals<T, Rule>>
void update(const Update<T>& update, UpdateSums& sums) {
  launch_update<T, Rule, Slots>(update, 1, UpdateParams<T>{update, nullptr, 0, false, &sums, gpu::guard()});
}

// All blocks of one kind.
template <class T, template <class> class Rule, class Slots = text::Reals<T, Rule>>
void update_kind(const UpdateParams<T>& params, size_t count) {
  Update<T> like = params.update;
  like.l1 = params.kind & UpdateBlock<T>::regularized && !params.directs ? T(1) : T(0), like.l2 = 0;
  if (!(params.kind & UpdateBlock<T>::averaged)) like.average = nullptr;
  launch_update<T, Rule, Slots>(like, count, params);
}

#define RULES(RULE)                                                                                             \
  RULE(gradient_norm, text::NoStep) RULE(sgd, text::Sgd) RULE(momentum, text::Momentum)                         \
  RULE(nesterov, text::Nesterov) RULE(adagrad, text::Adagrad) RULE(rmsprop, text::RmsProp)                      \
  RULE(rmsprop_momentum, text::RmsPropMomentum) RULE(rmsprop_centered, text::RmsPropCentered)                   \
  RULE(rmsprop_centered_momentum, text::RmsPropCenteredMomentum) RULE(adadelta, text::AdaDelta)                 \
  RULE(adam, text::Adam) RULE(amsgrad, text::AmsGrad) RULE(nadam, text::Nadam) RULE(lion, text::Lion)           \
  RULE(adam_bfloat16, text::Adam, Halves<T, text::Adam>)

// A launch for each kind, which all blocks begin and those of the kind go through with.
template <class T>
void update_blocks(UpdateRule rule, const Update<T>& common, const UpdateBlock<T>* blocks, size_t count, unsigned kinds,
                   UpdateSums* sums) {
  for (unsigned kind = 0; kind < UpdateBlock<T>::kinds; ++kind) {
    if (count == 0 || !(kinds >> kind & 1)) continue;
    const bool directs = takes_direction(rule, kind & UpdateBlock<T>::directed);
    const UpdateParams<T> params{common, blocks, kind, directs, sums, gpu::guard()};
    switch (directs ? UpdateRule::sgd : rule) {
#define RULE(name, ...)                        \
  case UpdateRule::name:                       \
    update_kind<T, __VA_ARGS__>(params, count); \
    break;
      RULES(RULE)
#undef RULE
    }
  }
}

}  // namespace

template <class T>
void put_updates(Kernels<T>& table) {
#define RULE(name, ...) table.name = update<T, __VA_ARGS__>;
  RULES(RULE)
#undef RULE
}
PUT(updates);

template <>
BlocksUpdate<float> blocks_update() {
  return update_blocks<float>;
}
template <>
BlocksUpdate<double> blocks_update() {
  return update_blocks<double>;
}

}  // namespace gradus::cuda
