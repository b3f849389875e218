// The optimizers. Of many chunks each is a team's, and a block of threads has those of an update's block; of few each
// is a block's of threads, which take the elements in parallel and add them up as a processor does.
#include "../update_part.h"
#include "table.h"
#include "update_parts.h"

namespace gradus::cuda {
namespace {

constexpr unsigned chunks_of_block = 8;  // that an update's block has at most; more are one block's of threads
constexpr size_t most_spread = 128;      // blocks of an update whose chunks are spread; not measured

// What blocks of threads leave to each other, on the queue.
struct Scratch {
  uint32_t arrived[most_spread];
  UpdateSums of_chunks[most_spread * chunks_of_block];
};

template <class T>
struct UpdateParams {
  Update<T> update;              // of one stretch, whose sums are added into; or of the arenas
  const UpdateBlock<T>* blocks;  // then
  bool directs;                  // the blocks that take their change from Update::directions, or the others
  bool may_direct;               // whether there are such
  UpdateSums* sums;
  Scratch* scratch;
  const uint32_t* guard;
};

// ---- A team a chunk
constexpr unsigned most_teams = 32;
template <class T>
constexpr unsigned teams_threads = chunks_of_block * team<T>;
struct ChunkSums {
  UpdateSums of[most_teams];
};

// The sums, in the first thread.
template <class T, class P>
GPU_INLINE void make_pass(const Update<T>& update, UpdateSums& total) {
  ChunkSums& chunks = gpu::shared<ChunkSums>();
  const P pass(update);
  const size_t n = update.n;
  const unsigned teams = gpu::threads() / team<T>, number = gpu::thread() / team<T>;
  for (size_t round = 0; round < n; round += teams * update_chunk) {
    const size_t first = round + number * update_chunk;
    if (first < n) {
      const UpdateSums sums = chunk_of_team(pass, first, n - first < update_chunk ? n - first : update_chunk, T());
      if (gpu::thread() % team<T> == 0) chunks.of[number] = sums;
    }
    if (!planted(Mistake::no_barrier_before_adding)) gpu::barrier();
    for (unsigned i = 0; gpu::thread() == 0 && i < teams && round + i * update_chunk < n; ++i)
      text::add(chunks.of[planted(Mistake::another_order) ? i ^ 1 : i], total);
    if (!planted(Mistake::no_barrier_after_adding)) gpu::barrier();
  }
}

template <class T, class P>
GPU_KERNEL void update_stretch(const UpdateParams<T> params) {
  if (is_raised(params.guard)) return;
  UpdateSums total;
  if (gpu::thread() == 0) total = *params.sums;
  make_pass<T, P>(params.update, total);
  if (gpu::thread() == 0) *params.sums = total;
}
template <class T, class P>
GPU_KERNEL void update_teams(const UpdateParams<T> params) {
  if (is_raised(params.guard)) return;
  const UpdateBlock<T> block = params.blocks[gpu::block()];
  if ((block.is_directed && params.may_direct) != params.directs) return;
  UpdateSums total;
  make_pass<T, P>(part_of(params.update, block, params.directs), total);
  if (gpu::thread() == 0) params.sums[gpu::block()] = total;
}

// ---- A block of threads a chunk
constexpr unsigned spread_threads = 256, spread_elements = 2048;
template <class T>
struct Spread {
  T before[spread_elements], gradient[spread_elements], change[spread_elements];
  text::LaneSums<T> sums;
};

template <class T, class P>
GPU_INLINE void take_steps(const P& pass, size_t first, unsigned n, Spread<T>& shared) {
  constexpr unsigned beside = cuda::beside<T>;
  for (unsigned i = gpu::thread() * beside; i < n; i += spread_threads * beside) {
    const Step<T> of = pass.step(first + i, n - i < beside ? n - i : beside);
    write<T>(shared.before + i, true, beside, of.before);
    write<T>(shared.gradient + i, true, beside, of.gradient);
    write<T>(shared.change + i, true, beside, of.change);
  }
}

// Each of the first threads has one running sum of one kind; at the end of the chunk they are added up.
template <class T>
struct Chain {
  const unsigned kind, number;
  T sum;

  GPU_INLINE bool exists() const { return kind < 4; }
  GPU_INLINE void add(T of) { sum = kind == 1 ? sum + text::abs(text::Vec<T>(of)).r.value : gpu::fused(of, of, sum); }
  GPU_INLINE void add_up(const Spread<T>& shared, unsigned n) {
    const T* const of = kind < 2 ? shared.before : kind == 2 ? shared.change : shared.gradient;
    unsigned i = 0;
    for (; i + running<T> <= n; i += running<T>) add(of[i + number]);
    const size_t rest = n - i, place = place_in_rest<T>(number, rest);
    if (place < rest) add(of[i + place]);
  }
  GPU_INLINE void finish(Spread<T>& shared) {
    const unsigned mask = team_mask(running<T>, gpu::thread());
    for (int bits = running<T> / 2; bits > 0; bits /= 2) sum = sum + gpu::shuffle_xor(mask, sum, bits);
    text::Vec<T>* const to = kind == 0   ? &shared.sums.weight_squares
                             : kind == 1 ? &shared.sums.weight_absolutes
                             : kind == 2 ? &shared.sums.change_squares
                                         : &shared.sums.gradient_squares;
    if (number == 0) *to = text::Vec<T>(sum);
  }
};

// The sums, in the first thread.
template <class T, class P>
GPU_INLINE UpdateSums chunk_of_block(const P& pass, size_t first, size_t n) {
  Spread<T>& shared = gpu::shared<Spread<T>>();
  Chain<T> chain{gpu::thread() / running<T>, gpu::thread() % running<T>, T(0)};
  for (size_t i = 0; i < n; i += spread_elements) {
    const unsigned length = n - i < spread_elements ? unsigned(n - i) : spread_elements;
    take_steps(pass, first + i, length, shared);
    gpu::barrier();
    if (chain.exists()) chain.add_up(shared, length);
    if (!planted(Mistake::no_barrier_after_chains)) gpu::barrier();
  }
  if (chain.exists()) chain.finish(shared);
  gpu::barrier();
  UpdateSums of;
  if (gpu::thread() != 0) return of;
  of = wide(shared.sums);
  pass.mend(first, n, of);
  return of;
}

template <class T, class P>
GPU_KERNEL_OF(spread_threads, 2)
void update_spread(const UpdateParams<T> params) {
  if (is_raised(params.guard)) return;
  const unsigned number = gpu::block() / chunks_of_block, part = gpu::block() % chunks_of_block;
  const UpdateBlock<T> block = params.blocks[number];
  if ((block.is_directed && params.may_direct) != params.directs) return;
  const size_t chunks = block.n == 0 ? 1 : (block.n + update_chunk - 1) / update_chunk;
  const bool is_alone = chunks > chunks_of_block;
  if (is_alone ? part > 0 : part >= chunks) return;
  const P pass(part_of(params.update, block, params.directs));
  UpdateSums total;
  for (size_t chunk = part; chunk < (is_alone ? chunks : part + 1); ++chunk) {
    const size_t first = chunk * update_chunk, rest = block.n - first;
    const UpdateSums of = chunk_of_block<T>(pass, first, rest < update_chunk ? rest : update_chunk);
    text::add(of, total);
  }
  if (gpu::thread() != 0) return;
  if (!is_alone) {
    UpdateSums* const of_chunks = params.scratch->of_chunks + number * chunks_of_block;
    of_chunks[part] = total;
    if (gpu::arrive(&params.scratch->arrived[number], uint32_t(chunks - 1)) != chunks - 1) return;
    total = UpdateSums();
    for (size_t chunk = 0; chunk < chunks; ++chunk) text::add(of_chunks[chunk], total);
  }
  params.sums[number] = total;
}

// ---- Launches
template <class T, class P>
void update(const Update<T>& update, UpdateSums& sums) {
  gpu::launch(update_stretch<T, P>,
              {1, most_teams * team<T>, sizeof(ChunkSums) - planted_in_host(Mistake::shared_too_small)},
              UpdateParams<T>{update, nullptr, false, false, &sums, nullptr, gpu::guard()});
}

template <class T, class P>
void update_all(UpdateParams<T> params, size_t count) {
  if (count <= most_spread) params.scratch = static_cast<Scratch*>(gpu::scratch(sizeof(Scratch)));
  if (params.scratch) {
    const unsigned blocks = unsigned(count) * chunks_of_block;
    gpu::launch(update_spread<T, P>, {blocks, spread_threads, sizeof(Spread<T>)}, params);
  } else {
    gpu::launch(update_teams<T, P>, {unsigned(count), teams_threads<T>, sizeof(ChunkSums)}, params);
  }
}

#define RULES(RULE)                                              \
  RULE(gradient_norm, text::NoStep)                              \
  RULE(sgd, text::Sgd)                                           \
  RULE(momentum, text::Momentum)                                 \
  RULE(nesterov, text::Nesterov)                                 \
  RULE(adagrad, text::Adagrad)                                   \
  RULE(rmsprop, text::RmsProp)                                   \
  RULE(rmsprop_momentum, text::RmsPropMomentum)                  \
  RULE(rmsprop_centered, text::RmsPropCentered)                  \
  RULE(rmsprop_centered_momentum, text::RmsPropCenteredMomentum) \
  RULE(adadelta, text::AdaDelta)                                 \
  RULE(adam, text::Adam)                                         \
  RULE(amsgrad, text::AmsGrad)                                   \
  RULE(nadam, text::Nadam)                                       \
  RULE(lion, text::Lion) RULE(adam_bfloat16, text::Adam, Halves)

// One launch, or two where some blocks are directed: those take their change by another rule.
template <class T>
void update_blocks(UpdateRule rule, const Update<T>& common, const UpdateBlock<T>* blocks, size_t count, unsigned kinds,
                   UpdateSums* sums) {
  const bool may_direct = takes_direction(rule, true);
  bool is_there[2] = {false, false};
  for (unsigned kind = 0; kind < UpdateBlock<T>::kinds; ++kind)
    if (kinds >> kind & 1) is_there[may_direct && kind & UpdateBlock<T>::directed] = true;
  for (const bool directs : {false, true}) {
    if (count == 0 || !is_there[directs]) continue;
    const UpdateParams<T> params{common, blocks, directs, may_direct, sums, nullptr, gpu::guard()};
    switch (directs ? UpdateRule::sgd : rule) {
#define RULE(name, ...)                                 \
  case UpdateRule::name:                                \
    update_all<T, Pass<T, __VA_ARGS__>>(params, count); \
    break;
      RULES(RULE)
#undef RULE
    }
  }
}

}  // namespace

template <class T>
void put_updates(Kernels<T>& table) {
#define RULE(name, ...) table.name = update<T, Pass<T, __VA_ARGS__>>;
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
