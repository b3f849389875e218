#include "train.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "metrics.h"
#include "step.h"
#include "step_memory.h"

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
             const TrainCall& call, size_t ahead) {
  const size_t rows = std::min(call.batch_size, std::max<size_t>(batch.size(), 1));
  if (const std::string* layer = rows == 1 ? context.model.needs_several_examples() : nullptr)
    throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 2 examples, which the statistics of layer " +
                                               *layer + " are made of, received batches of 1");
  reserve_passes<T>(context.model, rows, context.workspace, [&](size_t rows, Workspace<T>& in) {
    const size_t passes = std::min(call.accumulate, batch.size() / rows + 1);
    context.model.reserve(rows, in);
    in.reserve_losses(rows, passes);
    batch.reserve(rows, in);
    metrics.reserve_memory_of(std::min(product(rows, passes), batch.size()), in);
    optimizer.reserve(in, std::max<size_t>(1, ahead));
  });
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

// The device computes for so long before the host looks, which is how soon it stops when it is asked to.
constexpr double seconds_ahead = 0.02;
constexpr size_t most_ahead = 64;  // updates

// The updates of one call. Where kernels run as they are called, or the host computes some of it, each is looked at
// before the next is called. A device of its own is called ahead, as if no update were refused: where one is, those
// that were called after it change nothing, and the host goes on from there.
template <class T>
class Training {
 public:
  Training(const typename Step<T>::Task& task, Metrics<T>& metrics, size_t ahead, const std::atomic<bool>& stop,
           TrainResult& result)
      : task_(task),
        metrics_(metrics),
        stop_(stop),
        result_(result),
        ahead_(ahead),
        at_once_(std::max<size_t>(1, task.call.ahead)),
        position_(task.call.first_row) {
    forget_halt();
  }

  void run() {
    try {
      do {
        while (goes_on()) call_next();
        look();
      } while (goes_on());
    } catch (...) {
      // What was called before has happened all the same; of a lost device nobody can say what has.
      try {
        look();
      } catch (...) {
      }
      throw;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Called {
    Step<T> step;
    double momentum_product;  // before it
  };

  State<T>& state() const { return task_.context.state; }
  Workspace<T>& workspace() const { return task_.context.workspace; }
  bool goes_on() const {
    return !result_.gave_up && result_.updates + called_.size() < task_.call.batches &&
           position_ < task_.batch.size() && !stop_;
  }
  template <class Body>
  void unless_halted(const Body& body) {
    const Guarded guarded(workspace().memory, workspace().update.halted.data());
    body();
  }
  void forget_halt() { workspace().memory.clear(workspace().update.halted.data(), sizeof(uint32_t)); }

  StepNumbers next() const;
  void call_next();
  void run_alone(const StepNumbers& numbers);
  void call_ahead(const StepNumbers& numbers);
  void look();
  void accept(const Step<T>& step, const Verdict& verdict);
  void refuse(Step<T>& step, const Verdict& verdict);
  void count(const StepNumbers& numbers) { result_.rows += numbers.rows, ++result_.updates; }

  const typename Step<T>::Task& task_;
  Metrics<T>& metrics_;
  const std::atomic<bool>& stop_;
  TrainResult& result_;
  const size_t ahead_;  // 0: each update is looked at by itself
  size_t at_once_;      // updates that are called before the host looks
  std::vector<Called> called_;
  Clock::time_point began_;
  // As if all that was called were accepted.
  size_t position_, accepted_ = 0;
  size_t refused_in_row_ = 0;
  std::optional<Refusal> first_in_row_;
};

template <class T>
StepNumbers Training<T>::next() const {
  const TrainCall& call = task_.call;
  StepNumbers numbers = numbers_of(task_.context.model.plan(), call, accepted_);
  numbers.step = state().step;
  numbers.first_row = position_;
  numbers.rows = std::min(product(call.batch_size, call.accumulate), task_.batch.size() - position_);
  numbers.weight = task_.batch.weight(position_, numbers.rows);
  task_.optimizer.complete(numbers, state().momentum_product);
  return numbers;
}

template <class T>
void Training<T>::call_next() {
  const bool is_alone = ahead_ == 0 || task_.inspection.is_due(task_.call, state().step);
  if (is_alone && !called_.empty()) return look();
  if (is_alone) return run_alone(next());
  call_ahead(next());
  if (called_.size() == at_once_) look();
}

template <class T>
void Training<T>::run_alone(const StepNumbers& numbers) {
  Step<T> step(task_, numbers, 0);
  metrics_.remember(task_.context.device);
  step.accumulate(&metrics_);
  step.judge();
  const Verdict verdict = step.verdict();
  position_ += numbers.rows;
  if (verdict.refused) return refuse(step, verdict);
  step.find_directions();
  if (task_.inspection.is_due(task_.call, numbers.step))
    task_.inspection.finish(task_.context, task_.call, false, result_.inspections);
  step.commit();
  ++accepted_;
  step.see_sums();
  accept(step, verdict);
}

template <class T>
void Training<T>::call_ahead(const StepNumbers& numbers) {
  if (called_.empty()) began_ = Clock::now();
  const RepeatedStep repeated(workspace().memory);
  Step<T> step(task_, numbers, called_.size());
  unless_halted([&] { metrics_.remember(task_.context.device); });
  step.accumulate(&metrics_);
  step.judge();
  step.find_directions();
  called_.push_back({step, state().momentum_product});
  unless_halted([&] { step.commit(); });
  ++accepted_, position_ += numbers.rows;
}

// At all that was called: up to the first update that was refused it has happened.
template <class T>
void Training<T>::look() {
  const std::vector<Called> called = std::exchange(called_, {});
  if (called.empty()) return;
  std::vector<Verdict> verdicts(called.size());
  workspace().memory.download(verdicts.data(), workspace().update.verdicts.data(), called.size() * sizeof(Verdict));
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count() / double(called.size());
  if (task_.call.ahead == 0) at_once_ = size_t(std::clamp(seconds_ahead / seconds, 1.0, double(ahead_)));
  task_.optimizer.see_sums(task_.context, called.size());
  for (size_t i = 0; i < called.size(); ++i) {
    if (!verdicts[i].refused) {
      accept(called[i].step, verdicts[i]);
      continue;
    }
    // Its gradients are gone where others were made after it: the same bits again.
    Step<T> step = called[i].step;
    const StepNumbers& numbers = step.numbers();
    state().step = numbers.step, state().momentum_product = called[i].momentum_product;
    position_ = numbers.first_row + numbers.rows, accepted_ -= called.size() - i;
    step.accumulate(nullptr);
    step.judge();
    return refuse(step, verdicts[i]);
  }
}

template <class T>
void Training<T>::accept(const Step<T>& step, const Verdict& verdict) {
  step.record(verdict, result_);
  count(step.numbers());
  refused_in_row_ = 0;
}

// Nothing has changed but the metrics' sums; the gradients are those of the update.
template <class T>
void Training<T>::refuse(Step<T>& step, const Verdict& verdict) {
  const TrainCall& call = task_.call;
  forget_halt();
  metrics_.restore(task_.context.device, step.numbers().rows);
  step.measure();
  step.see_sums();
  step.record(verdict, result_);
  count(step.numbers());
  if (refused_in_row_ == 0 || task_.inspection.is_due(call, step.numbers().step)) {
    const Refusal refusal = step.look_at_refused(result_.inspections);
    if (refused_in_row_ == 0) first_in_row_ = refusal;
    if (!result_.first_refusal) result_.first_refusal = refusal;
  }
  if (++refused_in_row_ >= call.max_refused) result_.gave_up = first_in_row_;
}

}  // namespace

template <class T>
void train(const Context<T>& context, const Optimizer<T>& optimizer, const Inspection<T>& inspection,
           const TrainCall& call, const std::atomic<bool>& stop_requested, TrainResult& result) {
  check(context.model.plan(), call);
  Batch<T> batch(context.model, *call.data, context.workspace);
  batch.use_targets(call.class_weights);
  if (call.shuffle) shuffle(context, call.epoch, batch);
  if (call.augmentation) batch.use_augmentation(*call.augmentation, call.epoch, call.epoch_row);
  Metrics<T> metrics(context.model, context.workspace);
  const bool runs_ahead = !context.workspace.memory.is_host() && !context.host;
  const size_t ahead = !runs_ahead ? 0 : call.ahead > 0 ? call.ahead : most_ahead;
  reserve(context, optimizer, batch, metrics, call, ahead);
  result.clear();
  metrics.go_on(call.metric_sums);
  const typename Step<T>::Task task{context, optimizer, inspection, batch, call};
  const uint64_t first_step = context.state.step;
  try {
    Training<T>(task, metrics, ahead, stop_requested, result).run();
  } catch (const Error& error) {
    if (!error.is("GRADUS_DEVICE_LOST")) throw;
    // Steps that were called after it are not known to have been made.
    context.state.step = first_step + uint64_t(std::count(result.refused.begin(), result.refused.end(), 0));
    throw Error(error.code, error.what() + ("; it failed after step " + std::to_string(context.state.step)));
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
