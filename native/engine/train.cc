#include "train.h"

#include "metrics.h"
#include "step.h"

namespace gradus {

namespace {

void check(const Plan& plan, const TrainCall& call) {
  if (!plan.loss) throw Error("GRADUS_NOT_COMPILED", "the model has no loss");
  if (!plan.optimizer) throw Error("GRADUS_NOT_COMPILED", "the model has no optimizer");
  if (call.accumulate < 1) throw Error("GRADUS_INVALID_ARGUMENT", "accumulate: expected at least 1");
  if (call.batch_size < 1) throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 1 example");
  const std::string expected = ": expected one for each of " + std::to_string(call.batches) + " updates, received ";
  if (call.learning_rates.size() < call.batches)
    throw Error("GRADUS_INVALID_ARGUMENT", "learningRates" + expected + std::to_string(call.learning_rates.size()));
  for (const auto* values : {&call.momenta, &call.weight_decays, &call.average_decays})
    if (!values->empty() && values->size() < call.batches)
      throw Error("GRADUS_INVALID_ARGUMENT",
                  "momenta, weightDecays, averageDecays" + expected + std::to_string(values->size()));
  if (!call.average_decays.empty() && !plan.optimizer->averages)
    throw Error("GRADUS_INVALID_ARGUMENT", "averageDecays: expected none, as the optimizer keeps no average");
}

StepNumbers numbers_of(const Plan& plan, const TrainCall& call, size_t update) {
  const OptimizerPlan& by = *plan.optimizer;
  StepNumbers numbers;
  numbers.learning_rate = call.learning_rates[update];
  numbers.momentum = !call.momenta.empty() ? call.momenta[update] : by.muon ? by.muon->momentum : by.momentum;
  numbers.weight_decay = !call.weight_decays.empty() ? call.weight_decays[update] : by.weight_decay;
  if (!call.average_decays.empty()) numbers.average_decay = call.average_decays[update];
  numbers.clip_norm = call.clip_norm, numbers.clip_value = call.clip_value;
  return numbers;
}

// Memory of all that the updates need.
template <class T>
void reserve(const Context<T>& context, const Optimizer<T>& optimizer, Batch<T>& batch, Metrics<T>& metrics,
             const TrainCall& call) {
  const size_t rows = std::min(call.batch_size, std::max<size_t>(batch.size(), 1));
  if (const std::string* layer = rows == 1 ? context.model.needs_several_examples() : nullptr)
    throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 2 examples, which the statistics of layer " +
                                               *layer + " are made of, received batches of 1");
  const size_t passes = std::min(call.accumulate, batch.size() / rows + 1);
  context.model.reserve(rows, context.workspace);
  context.workspace.reserve_losses(rows, passes);
  batch.reserve(rows);
  metrics.reserve_memory_of(std::min(product(rows, passes), batch.size()));
  optimizer.reserve(context.workspace);
}

template <class T>
void shuffle(const Context<T>& context, uint64_t epoch, Batch<T>& batch) {
  Workspace<T>& workspace = context.workspace;
  const bool is_new = workspace.order.size() != batch.size() || workspace.order_epoch != epoch;
  if (is_new) {
    workspace.order = permutation(context.model.plan().seed, epoch, batch.size());
    workspace.order_epoch = epoch;
  }
  batch.use_order(workspace.order, is_new);
}

}  // namespace

template <class T>
void train(const Context<T>& context, const Optimizer<T>& optimizer, const Inspection<T>& inspection,
           const TrainCall& call, const std::atomic<bool>& stop_requested, TrainResult& result) {
  const Plan& plan = context.model.plan();
  check(plan, call);
  Batch<T> batch(context.model, *call.data, context.workspace);
  batch.use_targets(call.class_weights);
  if (call.shuffle) shuffle(context, call.epoch, batch);
  Metrics<T> metrics(context.model, context.workspace);
  reserve(context, optimizer, batch, metrics, call);
  result.clear();
  metrics.go_on(call.metric_sums);

  const typename Step<T>::Task task{context, optimizer, inspection, batch, call};
  const size_t rows_of_update = product(call.batch_size, call.accumulate);
  size_t accepted = 0, refused_in_row = 0, position = call.first_row;
  std::optional<Refusal> first_in_row;
  while (result.updates < call.batches && position < batch.size() && !stop_requested) {
    StepNumbers numbers = numbers_of(plan, call, accepted);
    numbers.step = context.state.step;
    numbers.first_row = position;
    numbers.rows = std::min(rows_of_update, batch.size() - position);
    numbers.weight = batch.weight(position, numbers.rows);
    Step<T> step(task, numbers);
    metrics.remember();
    step.accumulate(metrics);
    const bool agreed = step.agree();
    if (agreed && inspection.is_due(call, numbers.step)) inspection.finish(context, call, false, result.inspections);
    agreed ? step.commit() : step.refuse();
    if (!agreed) metrics.restore(context.device);
    step.record(agreed, result);
    position += numbers.rows;
    result.rows += numbers.rows;
    ++result.updates;
    if (agreed) {
      ++accepted;
      refused_in_row = 0;
      continue;
    }
    if (refused_in_row == 0 || inspection.is_due(call, numbers.step)) {
      const Refusal refusal = step.look_at_refused(result.inspections);
      if (refused_in_row == 0) first_in_row = refusal;
      if (!result.first_refusal) result.first_refusal = refusal;
    }
    if (++refused_in_row >= call.max_refused) {
      result.gave_up = first_in_row;
      break;
    }
  }
  metrics.read(result.metric_sums);
}

template void train(const Context<float>&, const Optimizer<float>&, const Inspection<float>&, const TrainCall&,
                    const std::atomic<bool>&, TrainResult&);
template void train(const Context<double>&, const Optimizer<double>&, const Inspection<double>&, const TrainCall&,
                    const std::atomic<bool>&, TrainResult&);

void TrainResult::clear() {
  updates = rows = 0;
  for (auto* column :
       {&loss, &regularization_loss, &weight, &gradient_norm, &metric_sums, &tensors, &inspections.steps})
    column->clear();
  for (auto* column : {&refused, &inspections.refused}) column->clear();
  inspections.values.clear();
  first_refusal.reset();
  gave_up.reset();
}

}  // namespace gradus
