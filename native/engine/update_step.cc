#include "update_step.h"

namespace gradus {
namespace {

// A block is what one call of a kernel takes: some chunks.
constexpr size_t block_size = 8 * update_chunk;
constexpr size_t elements_worth_sharing = size_t(1) << 15;
constexpr size_t group_size = size_t(1) << 14;                // elements that one thread takes at once, at least
constexpr uint32_t first_initial_stream = uint32_t(1) << 31;  // dropout draws from the streams below
constexpr uint32_t rounding_stream =
    first_initial_stream - 2;  // of slots that are kept short; one more is the shuffle's

// Rows of a deferred gradient that are made at once: few enough to stay in the second cache.
constexpr size_t panel_rows = 14;

void add(UpdateSums& to, const UpdateSums& part) {
  to.weight_squares += part.weight_squares;
  to.weight_absolutes += part.weight_absolutes;
  to.change_squares += part.change_squares;
  to.gradient_squares += part.gradient_squares;
  to.nonfinite += part.nonfinite;
}

// A sum of zeros, unless an element is not finite; in lanes, so that it runs at the speed of memory.
template <class T>
bool all_finite(const T* x, size_t n) {
  constexpr size_t lanes = 32;
  T zeros[lanes] = {};
  size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (size_t j = 0; j < lanes; ++j) zeros[j] += x[i + j] * 0;
  for (; i < n; ++i) zeros[0] += x[i] * 0;
  T sum = 0;
  for (T zero : zeros) sum += zero;
  return sum == 0;
}

}  // namespace

template <class T>
UpdateStep<T>::UpdateStep(const Plan& plan, const Isa& isa, Pool& pool, Pass<T>& pass)
    : kernels_(&kernels_of<T>(isa)),
      pool_(&pool),
      pass_(&pass),
      infos_(plan.infos),
      plans_(plan.parameters),
      optimizer_(plan.optimizer),
      names_{"parameters", "gradients"},
      seed_(plan.seed) {
  if (optimizer_) {
    corrections_.emplace(*optimizer_, isa);
    names_.insert(names_.end(), optimizer_->slots.begin(), optimizer_->slots.end());
    if (optimizer_->averages) names_.push_back("average");
  }
  const bool is_short = optimizer_ && optimizer_->bfloat16;
  for (size_t i = 0; i < names_.size(); ++i) {
    const bool is_slot = i >= 2 && names_[i] != "average";
    memory_.emplace_back(is_slot && is_short ? 0 : plan.arena_size);
    if (is_slot && is_short) short_slots_.emplace_back(plan.arena_size);
    if (is_slot && !is_short) slots_.push_back(memory_[i].data());
    if (i >= 2 && !is_slot) average_ = memory_[i].data();
  }
  for (size_t p = 0; p < infos_.size(); ++p) {
    pass.parameters[p].w = memory_[0].data() + infos_[p].offset;
    pass.parameters[p].gradient = memory_[1].data() + infos_[p].offset;
    if (!infos_[p].trainable) continue;
    elements_ += infos_[p].size;
    for (size_t first = 0; first < infos_[p].size; first += block_size)
      blocks_.push_back({p, first, std::min(block_size, infos_[p].size - first)});
  }
  size_t grouped = group_size;
  for (size_t i = 0; i < blocks_.size(); grouped += blocks_[i++].n)
    if (grouped >= group_size) groups_.push_back(i), grouped = 0;
  groups_.push_back(blocks_.size());
  block_sums_.resize(blocks_.size());
  sums_.resize(infos_.size());
  if (optimizer_ && (optimizer_->muon || optimizer_->custom)) directed_.resize(infos_.size());
  initialize(plan);
}

template <class T>
void UpdateStep<T>::initialize(const Plan& plan) {
  for (size_t p = 0; p < infos_.size(); ++p) {
    const ParameterPlan& by = plans_[p];
    const Counter counter{plan.seed, first_initial_stream + uint32_t(p), 0};
    T* w = pass_->parameters[p].w;
    if (by.initializer == "constant")
      std::fill_n(w, infos_[p].size, T(by.low));
    else if (by.initializer == "uniform")
      kernels_->random_uniform(counter, 0, infos_[p].size, T(by.low), T(by.high), w);
    else
      kernels_->random_normal(counter, 0, infos_[p].size, T(by.low), T(by.high), w);
  }
  if (average_) std::copy_n(memory_[0].data(), plan.arena_size, average_);
}

template <class T>
std::vector<std::string> UpdateStep<T>::arenas() const {
  return names_;
}

template <class T>
T* UpdateStep<T>::arena(const std::string& name) {
  const auto at = std::find(names_.begin(), names_.end(), name);
  return at == names_.end() ? nullptr : memory_[size_t(at - names_.begin())].data();
}

template <class T>
uint16_t* UpdateStep<T>::short_arena(const std::string& name) {
  const auto at = std::find(names_.begin(), names_.end(), name);
  const size_t slot = size_t(at - names_.begin()) - 2;
  return at == names_.end() || slot >= short_slots_.size() ? nullptr : short_slots_[slot].data();
}

template <class T>
void UpdateStep<T>::begin() {
  for (ParameterState<T>& parameter : pass_->parameters)
    parameter.written = parameter.watched = parameter.nonfinite = parameter.is_staged = false;
  pass_->deferred.clear();
  host_loss_ = 0;
}

template <class T>
bool UpdateStep<T>::gradients_are_finite() {
  for (size_t p = 0; p < infos_.size(); ++p) {
    const ParameterState<T>& parameter = pass_->parameters[p];
    if (!parameter.trainable) continue;
    if (parameter.watched ? parameter.nonfinite : !all_finite(parameter.gradient, parameter.size)) return false;
  }
  return true;
}

// What a kernel is told of one block.
template <class T>
Update<T> UpdateStep<T>::part_of(const Block& block, const Update<T>& common) {
  const ParameterState<T>& parameter = pass_->parameters[block.parameter];
  const ParameterPlan& plan = plans_[block.parameter];
  const size_t at = infos_[block.parameter].offset + block.first;
  Update<T> update = common;
  update.n = block.n;
  update.gradient = parameter.gradient + block.first;
  update.w = parameter.w + block.first;
  for (size_t s = 0; s < slots_.size(); ++s) update.slots[s] = slots_[s] + at;
  for (size_t s = 0; s < short_slots_.size(); ++s) update.short_slots[s] = short_slots_[s].data() + at;
  update.first = at;
  update.average = average_ ? average_ + at : nullptr;
  update.l1 = T(plan.l1), update.l2 = T(plan.l2);
  update.learning_rate *= T(plan.rate_multiplier);
  if (plan.weight_decay) update.weight_decay = T(*plan.weight_decay);
  return update;
}

template <class T>
void UpdateStep<T>::run(Kernel kernel, const Update<T>& common) {
  const bool only_measures = kernel == kernels_->gradient_norm;
  const auto run_block = [&](size_t i) {
    const Block& block = blocks_[i];
    block_sums_[i] = UpdateSums();
    if (is_deferred(block.parameter)) return;
    Update<T> update = part_of(block, common);
    Kernel step = kernel;
    if (!only_measures && is_directed(block.parameter)) {  // w += change, by a step of gradient descent of rate 1
      update.gradient = directed_[block.parameter].change.data() + block.first;
      update.gradient_scale = -1, update.clip_value = update.l1 = update.l2 = 0;
      update.weight_decay *= update.learning_rate, update.learning_rate = 1;
      step = kernels_->sgd;
    } else if (!only_measures && optimizer_->muon) {
      update.learning_rate *= T(optimizer_->muon->rate_multiplier);
    }
    step(update, block_sums_[i]);
  };
  const auto run_group = [&](size_t group, size_t) {
    for (size_t i = groups_[group]; i < groups_[group + 1]; ++i) run_block(i);
  };
  if (elements_ < elements_worth_sharing)
    for (size_t group = 0; group + 1 < groups_.size(); ++group) run_group(group, 0);
  else
    pool_->parallel(groups_.size() - 1, run_group);
  std::fill(sums_.begin(), sums_.end(), UpdateSums());
  for (size_t i = 0; i < blocks_.size(); ++i) add(sums_[blocks_[i].parameter], block_sums_[i]);
}

// Rows of the gradient are made and used up while they are in cache; the arena of gradients is left out.
template <class T>
void UpdateStep<T>::run_deferred(Kernel kernel, const Update<T>& common) {
  while (panels_.size() < pool_->threads()) panels_.emplace_back();
  for (const DeferredGradient<T>& gradient : pass_->deferred) {
    const size_t p = gradient.parameter, rows = gradient.task.m, columns = gradient.task.n;
    const size_t height = std::min(rows, panel_rows);
    const size_t pieces = (rows + height - 1) / height;
    // Rows a few lines apart modulo a page: the tiles read columns of them as they lie.
    const size_t stride = columns + 32;
    spread_.grow(gradient.task.k * stride);
    for (size_t i = 0; i < gradient.task.k; ++i)
      std::copy_n(gradient.task.b + i * gradient.task.b_row, columns, spread_.data() + i * stride);
    std::vector<UpdateSums> sums(pieces);
    pool_->parallel(pieces, [&](size_t piece, size_t thread) {
      const size_t first = piece * height, count = std::min(height, rows - first);
      panels_[thread].grow(height * columns);
      Matmul<T> task = gradient.task;
      task.b = spread_.data(), task.b_row = stride;
      task.m = count, task.a += first * task.a_row, task.c = panels_[thread].data(), task.nonfinite = nullptr;
      kernels_->matmul(task, pass_->workspaces[thread].data());
      Update<T> update = part_of({p, first * columns, count * columns}, common);
      update.gradient = task.c;
      kernel(update, sums[piece]);
    });
    for (const UpdateSums& part : sums) add(sums_[p], part);
  }
}

template <class T>
void UpdateStep<T>::measure() {
  run(kernels_->gradient_norm, Update<T>());
}

template <class T>
Update<T> UpdateStep<T>::update_of(const UpdateOptions& options) {
  Update<T> update;
  if (options.clip_norm > 0 || !directed_.empty()) measure();
  const double norm = gradient_norm();
  if (options.clip_norm > 0 && norm > options.clip_norm) update.gradient_scale = T(options.clip_norm / norm);
  const double momentum = optimizer_->muon ? optimizer_->momentum : options.momentum.value_or(optimizer_->momentum);
  update.counter = {seed_, rounding_stream, options.step};
  update.clip_value = T(options.clip_value);
  update.learning_rate = T(options.learning_rate);
  update.weight_decay = T(options.weight_decay.value_or(optimizer_->weight_decay));
  update.average_decay = T(optimizer_->average_decay);
  update.momentum = T(momentum);
  update.decay_rate = T(optimizer_->decay_rate);
  update.epsilon = T(optimizer_->epsilon);
  corrections_->set(options.step, momentum, update);
  return update;
}

template <class T>
void UpdateStep<T>::apply(const UpdateOptions& options) {
  const Kernel kernels[] = {
#define OPTIMIZER(name, ...) kernels_->name,
#include "optimizers.def"
#undef OPTIMIZER
  };
  const Update<T> update = update_of(options);
  const Kernel kernel = optimizer_->bfloat16 ? kernels_->adam_bfloat16 : kernels[optimizer_->kind];
  if (!directed_.empty()) find_directions(options, update);
  run(kernel, update);
  run_deferred(kernel, update);
  for (size_t p = 0; p < directed_.size(); ++p)
    if (is_directed(p)) sums_[p].gradient_squares = directed_[p].gradient_squares;
  for (size_t p = 0; p < infos_.size(); ++p) {
    ParameterState<T>& parameter = pass_->parameters[p];
    if (parameter.is_staged) std::copy_n(parameter.staged.data(), parameter.size, parameter.w);
    if (parameter.trainable && plans_[p].max_norm > 0)
      kernels_->limit_column_norms(parameter.w, infos_[p].shape[0], infos_[p].shape[1], T(plans_[p].max_norm));
  }
}

template <class T>
double UpdateStep<T>::gradient_norm() const {
  double squares = 0;
  for (const UpdateSums& sums : sums_) squares += sums.gradient_squares;
  return std::sqrt(squares);
}

template class UpdateStep<float>;
template class UpdateStep<double>;

}  // namespace gradus
