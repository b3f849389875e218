#include "optimizer.h"

namespace gradus {

namespace {
// A block is what one call of a kernel takes: some chunks.
constexpr size_t block_size = 8 * update_chunk;
constexpr size_t group_size = size_t(1) << 14;  // elements that one thread takes at once, at least

constexpr UpdateRule rules[] = {
#define OPTIMIZER(name, ...) UpdateRule::name,
#include "optimizers.def"
#undef OPTIMIZER
};

void add(UpdateSums& to, const UpdateSums& part) {
  to.weight_squares += part.weight_squares;
  to.weight_absolutes += part.weight_absolutes;
  to.change_squares += part.change_squares;
  to.gradient_squares += part.gradient_squares;
  to.nonfinite += part.nonfinite;
}

// Towards the parameter as it is now.
template <class T>
void move_average(const Context<T>& context, const ParameterInfo& info, T keep) {
  if (T* average = keep == 1 ? nullptr : context.state.average())
    context.device.move_average(context.state.parameters() + info.offset, info.size, keep, T(1), average + info.offset);
}
}  // namespace

template <class T>
Optimizer<T>::Optimizer(const Plan& plan, const Isa& isa)
    : plan_(plan), kernels_(kernels_of<double>(isa)), directions_(plan) {
  if (plan.optimizer)
    rule_ = plan.optimizer->bfloat16 ? UpdateRule::adam_bfloat16 : rules[size_t(plan.optimizer->kind)];
  for (size_t p = 0; p < plan.infos.size(); ++p) {
    if (!plan.infos[p].trainable) continue;
    const ParameterPlan& by = plan.parameters[p];
    UpdateBlock<T> block;
    block.parameter = p;
    block.l1 = T(by.l1), block.l2 = T(by.l2);
    block.is_directed = directions_.is_of(p);
    block.rate_multiplier = T(by.rate_multiplier);
    if (plan.optimizer && plan.optimizer->muon && !block.is_directed)
      block.rate_multiplier *= T(plan.optimizer->muon->rate_multiplier);
    if (by.weight_decay) block.weight_decay = T(*by.weight_decay);
    block.averages = by.max_norm == 0;
    kinds_ |= 1u << block.kind();
    for (size_t first = 0; first < plan.infos[p].size; first += block_size) {
      block.offset = plan.infos[p].offset + first;
      block.n = std::min(block_size, plan.infos[p].size - first);
      blocks_.push_back(block);
    }
  }
  size_t grouped = group_size;
  for (size_t i = 0; i < blocks_.size(); grouped += blocks_[i++].n)
    if (grouped >= group_size) groups_.push_back(i), grouped = 0;
  groups_.push_back(blocks_.size());
}

template <class T>
void Optimizer<T>::reserve(Workspace<T>& workspace, size_t updates) const {
  UpdateMemory<T>& memory = workspace.update;
  memory.verdicts.grow(updates, workspace.memory);
  memory.halted.grow(1, workspace.memory);
  memory.block_sums.grow(product(updates, 2 * blocks_.size()), workspace.memory);
  memory.seen_block_sums.resize(memory.block_sums.size());
  memory.sums.resize(plan_.infos.size());
  if (memory.parameters.size() < blocks_.size()) {
    std::vector<uint32_t> parameters;
    for (const UpdateBlock<T>& block : blocks_) parameters.push_back(uint32_t(block.parameter));
    memory.parameters.grow(blocks_.size(), workspace.memory);
    workspace.memory.upload(memory.parameters.data(), parameters.data(), memory.parameters.bytes());
    memory.blocks.grow(blocks_.size(), workspace.memory);
    workspace.memory.upload(memory.blocks.data(), blocks_.data(), memory.blocks.bytes());
  }
  directions_.reserve(workspace);
}

template <class T>
void Optimizer<T>::run(const Context<T>& context, UpdateRule rule, const Update<T>& update, size_t sums) const {
  UpdateMemory<T>& memory = context.workspace.update;
  const UpdateBlocks<T> blocks{blocks_.data(), memory.blocks.data(), groups_.data(), groups_.size() - 1, kinds_};
  context.device.update(rule, update, blocks, memory.block_sums.data() + sums * blocks_.size());
}

template <class T>
void Optimizer<T>::measure(const Context<T>& context, size_t number) const {
  Update<T> update;
  update.w = context.state.parameters();
  update.gradient = context.workspace.gradients.arena.data();
  run(context, UpdateRule::gradient_norm, update, 2 * number);
}

template <class T>
Evidence Optimizer<T>::evidence(const Context<T>& context, const StepNumbers& numbers, size_t update) const {
  const UpdateMemory<T>& memory = context.workspace.update;
  const Gradients<T>& gradients = context.workspace.gradients;
  Evidence of;
  of.nonfinite = gradients.nonfinite.data(), of.flags = gradients.nonfinite.size();
  if (!measures_first(numbers)) return of;
  of.sums = memory.block_sums.data() + 2 * update * blocks_.size();
  of.parameters = memory.parameters.data(), of.blocks = blocks_.size();
  of.clip_norm = numbers.clip_norm;
  return of;
}

template <class T>
void Optimizer<T>::see_sums(const Context<T>& context, size_t updates) const {
  UpdateMemory<T>& memory = context.workspace.update;
  context.workspace.memory.download(memory.seen_block_sums.data(), memory.block_sums.data(),
                                    updates * 2 * blocks_.size() * sizeof(UpdateSums));
}

// Of what changes as a whole the update's own kernel has not seen the gradient.
template <class T>
void Optimizer<T>::take_sums(const Context<T>& context, size_t update, bool committed) const {
  UpdateMemory<T>& memory = context.workspace.update;
  const UpdateSums* const measured = memory.seen_block_sums.data() + 2 * update * blocks_.size();
  std::fill(memory.sums.begin(), memory.sums.end(), UpdateSums());
  for (size_t i = 0; i < blocks_.size(); ++i) {
    UpdateSums of = measured[committed ? blocks_.size() + i : i];
    if (blocks_[i].is_directed) of.gradient_squares = measured[i].gradient_squares;
    add(memory.sums[blocks_[i].parameter], of);
  }
}

template <class T>
void Optimizer<T>::complete(StepNumbers& numbers, double momentum_product) const {
  // Muon's momentum is that of the matrices; the rest is Adam's.
  const double momentum = plan_.optimizer->muon ? plan_.optimizer->momentum : numbers.momentum;
  numbers.corrections = corrections_of(*plan_.optimizer, kernels_, numbers.step, momentum, momentum_product);
}

template <class T>
Update<T> Optimizer<T>::update_of(const Context<T>& context, const StepNumbers& numbers, size_t number) const {
  const OptimizerPlan& by = *plan_.optimizer;
  State<T>& state = context.state;
  Update<T> update;
  update.w = state.parameters();
  update.gradient = context.workspace.gradients.arena.data();
  update.average_decay = T(numbers.average_decay);
  update.average = update.average_decay == 1 ? nullptr : state.average();  // kept whole it is not even read
  update.directions = context.workspace.update.directions.data();
  for (size_t slot = 0; slot < std::min(state.slot_count(), std::size(update.slots)); ++slot)
    update.slots[slot] = state.slot(slot);
  for (size_t slot = 0; slot < std::min(state.slot_count(), std::size(update.short_slots)); ++slot)
    update.short_slots[slot] = state.short_slot(slot);
  update.counter = {plan_.seed, streams::rounding, numbers.step};
  update.clears_remnants = numbers.step % clearing_interval == 0;  // of the state's own count: resuming changes no bits
  if (numbers.clip_norm > 0) update.judged_scale = &context.workspace.update.verdicts.data()[number].gradient_scale;
  update.clip_value = T(numbers.clip_value);
  update.learning_rate = T(numbers.learning_rate);
  update.weight_decay = T(numbers.weight_decay);
  update.momentum = T(by.muon ? by.momentum : numbers.momentum);
  update.decay_rate = T(by.decay_rate);
  update.epsilon = T(by.epsilon);
  update.correction1 = T(numbers.corrections.correction1);
  update.correction2 = T(numbers.corrections.correction2);
  update.gradient_share = T(numbers.corrections.gradient_share);
  return update;
}

template <class T>
void Optimizer<T>::commit(const Context<T>& context, const StepNumbers& numbers, size_t update) const noexcept {
  run(context, rule_, update_of(context, numbers, update), 2 * update + 1);
  if (directions_.any()) directions_.commit(context);
  limit_norms(context, T(numbers.average_decay));
  take_staged(context, T(numbers.average_decay));
  context.state.momentum_product = numbers.corrections.momentum_product;
  ++context.state.step;
}

// The average is of the weights as they are after the limit.
template <class T>
void Optimizer<T>::limit_norms(const Context<T>& context, T average_decay) const {
  for (size_t p = 0; p < plan_.infos.size(); ++p) {
    const ParameterInfo& info = plan_.infos[p];
    const double limit = plan_.parameters[p].max_norm;
    if (!info.trainable || limit == 0) continue;
    context.device.limit_column_norms(context.state.parameters() + info.offset, info.rows(), info.columns(), T(limit));
    move_average(context, info, average_decay);
  }
}

// The statistics that wait, which the average follows as it does the weights.
template <class T>
void Optimizer<T>::take_staged(const Context<T>& context, T average_decay) const {
  const Gradients<T>& gradients = context.workspace.gradients;
  for (size_t p = 0; p < gradients.states.size(); ++p) {
    if (!gradients.states[p].is_staged) continue;
    const ParameterInfo& info = plan_.infos[p];
    context.device.copy(gradients.staged[p].data(), info.size, context.state.parameters() + info.offset);
    move_average(context, info, average_decay);
  }
}

template <class T>
void Optimizer<T>::move_averages(const Context<T>& context, T keep) const {
  for (const ParameterInfo& info : context.model.parameters())
    if (info.trainable || info.is_statistic) move_average(context, info, keep);
}

template class Optimizer<float>;
template class Optimizer<double>;

double gradient_norm(const std::vector<UpdateSums>& sums) {
  double squares = 0;
  for (const UpdateSums& of : sums) squares += of.gradient_squares;
  return std::sqrt(squares);
}

}  // namespace gradus
