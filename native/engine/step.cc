#include "step.h"

#include <algorithm>

#include "objective.h"
#include "penalties.h"

namespace gradus {

template <class T>
Pass<T> Step<T>::pass_at(size_t done, uint64_t micro) const {
  Pass<T> pass = task_.context.pass(true, true, rows_of_pass(done), micro);
  task_.batch.gather(numbers_.first_row + done, pass);
  task_.context.model.forward(pass);
  return pass;
}

template <class T>
void Step<T>::accumulate(Metrics<T>* metrics) {
  const Context<T>& context = task_.context;
  const Model<T>& model = context.model;
  const LossPlan& loss = *model.plan().loss;
  const double scale = numbers_.loss_scale();
  const bool inspects = metrics && task_.inspection.is_due(task_.call, numbers_.step);
  context.workspace.begin_gradients();
  passes_ = 0;
  for (size_t done = 0; done < numbers_.rows; ++passes_) {
    Pass<T> pass = pass_at(done, passes_);
    if (inspects && passes_ == 0) task_.inspection.look_at_values(context, pass, task_.call.inspect_histograms);
    const T* scores = pass.value(model.output());
    T* gradient = model.is_trainable() ? pass.begin_backward(model.output()) : nullptr;
    find_loss(loss, task_.batch, pass, scores, scale, passes_, gradient);
    if (metrics) {
      const Guarded guarded(context.workspace.memory, context.workspace.update.halted.data());
      metrics->add(task_.batch, pass, scores);
    }
    if (gradient) model.backward(pass);
    done += pass.batch;
  }
  zero_unwritten(context);
  add_host_penalties(context);
}

template <class T>
void Step<T>::judge() {
  Workspace<T>& workspace = task_.context.workspace;
  look_for_nonfinite();
  if (task_.optimizer.measures_first(numbers_)) measure();
  Evidence evidence = task_.optimizer.evidence(task_.context, numbers_, place_);
  evidence.losses = workspace.loss_sums.data(), evidence.passes = passes_;
  evidence.loss_scale = numbers_.loss_scale();
  task_.context.device.judge(evidence, workspace.update.verdicts.data()[place_], *workspace.update.halted.data());
}

template <class T>
Verdict Step<T>::verdict() const {
  Verdict verdict;
  Workspace<T>& workspace = task_.context.workspace;
  workspace.memory.download(&verdict, workspace.update.verdicts.data() + place_, sizeof verdict);
  return verdict;
}

// The products have looked at the gradients that they made; this looks at the rest and at the statistics that wait.
template <class T>
void Step<T>::look_for_nonfinite() {
  const std::vector<ParameterInfo>& infos = task_.context.model.parameters();
  Gradients<T>& gradients = task_.context.workspace.gradients;
  for (size_t p = 0; p < infos.size(); ++p) {
    const GradientState& state = gradients.states[p];
    if (infos[p].trainable && !state.watched)
      task_.context.device.find_nonfinite(gradients.arena.data() + infos[p].offset, infos[p].size,
                                          gradients.nonfinite.data()[p]);
    if (state.is_staged)
      task_.context.device.find_nonfinite(gradients.staged[p].data(), infos[p].size, *gradients.nonfinite_staged(p));
  }
}

template <class T>
void Step<T>::record(const Verdict& verdict, TrainResult& result) const {
  const Plan& plan = task_.context.model.plan();
  task_.optimizer.take_sums(task_.context, place_, !verdict.refused);
  const std::vector<UpdateSums>& sums = task_.context.workspace.update.sums;
  result.refused.push_back(verdict.refused != 0);
  result.loss.push_back(verdict.loss);
  result.weight.push_back(numbers_.weight);
  result.regularization_loss.push_back(regularization_loss(plan, sums) +
                                       task_.context.workspace.gradients.host_penalty);
  result.gradient_norm.push_back(gradient_norm(sums));
  for (size_t p = 0; task_.call.tensor_statistics && p < sums.size(); ++p) {
    if (!plan.infos[p].trainable) continue;
    for (double value : {std::sqrt(sums[p].gradient_squares), std::sqrt(sums[p].weight_squares),
                         std::sqrt(sums[p].change_squares), double(sums[p].nonfinite)})
      result.tensors.push_back(value);
  }
}

// Gradients and weights still are as the update met them, values those of its last batch. With several batches the
// forward passes are made again, up to the one where numbers stop being finite.
template <class T>
Refusal Step<T>::look_at_refused(Inspections& to) {
  const Context<T>& context = task_.context;
  Refusal refusal;
  refusal.step = numbers_.step;
  for (size_t done = 0, micro = 0; done < numbers_.rows && !refusal.layer; ++micro) {
    Pass<T> pass = pass_at(done, micro);
    done += pass.batch;
    const size_t op = task_.inspection.first_nonfinite(pass);
    if (op < context.model.op_count()) refusal.layer = context.model.op(op).name;
    if (task_.call.inspect_every > 0 && (refusal.layer || done == numbers_.rows))
      task_.inspection.look_at_values(context, pass, task_.call.inspect_histograms);
  }
  find_tensor(refusal);
  if (task_.call.inspect_every > 0) task_.inspection.finish(context, task_.call, true, to);
  return refusal;
}

// Gradients come from the loss downwards: the trouble began in the last tensor, in the order of work, that has any.
// Where all gradients are finite, statistics that wait may not be.
template <class T>
void Step<T>::find_tensor(Refusal& refusal) const {
  const Context<T>& context = task_.context;
  const std::vector<ParameterInfo>& infos = context.model.parameters();
  const std::vector<UpdateSums>& sums = context.workspace.update.sums;
  for (size_t op = context.model.op_count(); op-- > 0;) {
    const std::vector<size_t>& used = context.model.op(op).parameters;
    for (size_t i = used.size(); i-- > 0;) {
      if (!infos[used[i]].trainable || sums[used[i]].nonfinite == 0) continue;
      refusal.tensor = infos[used[i]].name;
      refusal.nonfinite = sums[used[i]].nonfinite;
      return;
    }
  }
  const Buffer<bool>& flags = context.workspace.gradients.nonfinite;
  std::vector<uint8_t> seen(flags.size());
  context.workspace.memory.download(seen.data(), flags.data(), seen.size());
  for (size_t p = 0; p < infos.size(); ++p) {
    if (!seen[infos.size() + p]) continue;
    refusal.tensor = infos[p].name;
    return;
  }
}

template class Step<float>;
template class Step<double>;

}  // namespace gradus
