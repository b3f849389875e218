#include "program.h"

#include "curvature.h"
#include "inspection.h"
#include "metrics.h"
#include "objective.h"
#include "probe.h"

namespace gradus {
namespace {

template <class T>
class ProgramOf final : public Program {
 public:
  ProgramOf(const Value& descriptor, const Isa& isa, Plan plan, std::shared_ptr<Host> host)
      : host_(std::move(host)),
        plan_(std::move(plan)),
        graph_(descriptor, plan_, isa, pool_),
        update_(plan_, isa, pool_, graph_.pass),
        metrics_(descriptor, elements_of(graph_.output_shape())),
        batch_(plan_, graph_, plan_.loss && plan_.loss->takes_labels, !plan_.loss || plan_.loss->takes_dense),
        probe_(plan_, graph_, batch_, update_),
        inspection_(plan_, graph_),
        curvature_(descriptor, plan_, isa, pool_) {
    graph_.pass.host = curvature_.graph().pass.host = host_.get();
  }

  Precision precision() const override { return plan_.precision; }
  const std::vector<ParameterInfo>& parameters() const override { return plan_.infos; }
  std::vector<std::string> arenas() const override { return update_.arenas(); }
  std::vector<size_t> output_shape() const override { return graph_.output_shape(); }
  size_t output_size() const override { return elements_of(graph_.output_shape()); }
  size_t metric_width() const override { return metrics_.width(); }
  bool is_bfloat16(const std::string& arena) override { return update_.short_arena(arena) != nullptr; }
  void* slice(const std::string& arena, size_t parameter) override {
    if (parameter < plan_.infos.size() && is_bfloat16(arena))
      return update_.short_arena(arena) + plan_.infos[parameter].offset;
    T* start = parameter < plan_.infos.size() ? update_.arena(arena) : nullptr;
    return start ? start + plan_.infos[parameter].offset : nullptr;
  }
  size_t memory() const override {
    return losses_.size() * sizeof(T) + update_.memory() + graph_.pass.memory() + curvature_.graph().pass.memory();
  }
  uint64_t step() const override { return step_; }
  void set_step(uint64_t step) override { step_ = step; }

  using Program::train;
  void train(const TrainCall& call, TrainResult& result) override;
  EvaluateResult evaluate(const Dataset& data, size_t batch_size, size_t threads,
                          const std::vector<double>& class_weights, const std::vector<double>& metric_sums) override;
  void predict(const Dataset& data, size_t batch_size, size_t threads, void* out) override;
  EvaluateResult gradient(const GradientCall& call) override;
  std::vector<double> hessian_vector(const HessianCall& call) override;
  Elements input_gradient(size_t input) override;
  std::vector<LayerStatistics> inspect(const GradientCall& call) override;
  const InspectionLayout& inspection() const override { return inspection_.layout(); }
  ProbeResult probe(const ProbeCall& call) override;
  std::vector<std::string> op_names() const override {
    std::vector<std::string> names;
    for (size_t op = 0; op < graph_.op_count(); ++op) names.push_back(graph_.op_name(op));
    return names;
  }

 private:
  void prepare(size_t rows, size_t threads, bool training, bool randomness = true) {
    prepare(graph_, rows, threads, training, randomness);
  }
  void prepare(Graph<T>& graph, size_t rows, size_t threads, bool training, bool randomness);
  void require_loss() const;
  void begin_training(const TrainCall& call);
  void forward(size_t first, size_t rows);
  // Of the rows that went forward: loss, metrics and, in training, backward pass; gives Σ weight · loss.
  double finish_pass(size_t rows, double scale, double* metric_sums);
  double pass_over(size_t first, size_t rows, double scale, double* metric_sums) {
    forward(first, rows);
    return finish_pass(rows, scale, metric_sums);
  }
  UpdateOptions options_of(const TrainCall& call, size_t update) const;
  bool attempt(const TrainCall& call, size_t first, size_t rows, const UpdateOptions& options, TrainResult& result);
  void look_at_refused(const TrainCall& call, size_t first, size_t rows, TrainResult& result);
  Failure failure_of_this_update();
  void report_tensors(TrainResult& result) const;

  Pool pool_;
  std::shared_ptr<Host> host_;
  Plan plan_;
  Graph<T> graph_;
  UpdateStep<T> update_;
  Metrics<T> metrics_;
  Batch<T> batch_;
  Probe<T> probe_;
  Inspection<T> inspection_;
  Curvature<T> curvature_;
  Buffer<T> losses_;
  uint64_t step_ = 0;
  std::vector<uint32_t> order_;  // permutation of epoch order_epoch_
  uint64_t order_epoch_ = 0;
};

template <class T>
void ProgramOf<T>::prepare(Graph<T>& graph, size_t rows, size_t threads, bool training, bool randomness) {
  if (threads < 1 || threads > 1024)
    throw Error("GRADUS_INVALID_ARGUMENT", "threads: expected a number from 1 to 1024");
  if (rows < 1) throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 1 example");
  pool_.set_threads(threads);
  graph.reserve(rows, threads);
  batch_.reserve(rows);
  losses_.grow(rows);
  graph.pass.training = training;
  graph.pass.randomness = randomness;
  graph.pass.counter.step = step_;
}

template <class T>
void ProgramOf<T>::require_loss() const {
  if (!plan_.loss) throw Error("GRADUS_NOT_COMPILED", "the model has no loss");
}

template <class T>
void ProgramOf<T>::forward(size_t first, size_t rows) {
  batch_.gather(first, rows, graph_);
  graph_.forward();
}

template <class T>
double ProgramOf<T>::finish_pass(size_t rows, double scale, double* metric_sums) {
  const bool backward = scale >= 0;
  const double loss = loss_of(*plan_.loss, batch_, graph_.pass, graph_.output(), scale, losses_.data(),
                              backward && graph_.pass.wanted(plan_.output) ? graph_.output_gradient() : nullptr);
  metrics_.add(batch_, plan_.loss->yes_threshold, rows, graph_.output(), metric_sums);
  if (backward) graph_.backward();
  return loss;
}

template <class T>
void ProgramOf<T>::begin_training(const TrainCall& call) {
  require_loss();
  if (!plan_.optimizer) throw Error("GRADUS_NOT_COMPILED", "the model has no optimizer");
  if (call.accumulate < 1) throw Error("GRADUS_INVALID_ARGUMENT", "accumulate: expected at least 1");
  if (call.learning_rates.size() < call.batches)
    throw Error("GRADUS_INVALID_ARGUMENT", "learningRates: expected one for each of " + std::to_string(call.batches) +
                                               " updates, received " + std::to_string(call.learning_rates.size()));
  for (const auto* values : {&call.momenta, &call.weight_decays})
    if (!values->empty() && values->size() < call.batches)
      throw Error("GRADUS_INVALID_ARGUMENT", "momenta, weightDecays: expected one for each of " +
                                                 std::to_string(call.batches) + " updates, received " +
                                                 std::to_string(values->size()));
  batch_.use(*call.data, true, call.class_weights, call.shuffle ? &order_ : nullptr);
  const size_t size = call.data->size();
  if (call.shuffle && (order_.size() != size || order_epoch_ != call.epoch)) {
    order_ = permutation(plan_.seed, call.epoch, size);
    order_epoch_ = call.epoch;
  }
  prepare(std::min(call.batch_size, std::max<size_t>(size, 1)), call.threads, true);
}

template <class T>
void ProgramOf<T>::train(const TrainCall& call, TrainResult& result) {
  begin_training(call);
  result.clear();
  metrics_.go_on(call.metric_sums, result.metric_sums);
  size_t accepted = 0, refused_in_row = 0, position = call.first_row;
  std::optional<Failure> first_refused;
  while (result.updates < call.batches && position < batch_.size() && !stop_requested) {
    const size_t rows = std::min(product(call.batch_size, call.accumulate), batch_.size() - position);
    const bool done = attempt(call, position, rows, options_of(call, accepted), result);
    position += rows;
    result.rows += rows;
    ++result.updates;
    result.refused.push_back(!done);
    if (done) {
      ++accepted, ++step_;
      refused_in_row = 0;
      first_refused.reset();
      continue;
    }
    if (refused_in_row == 0 || inspection_.is_due(call, step_)) look_at_refused(call, position - rows, rows, result);
    if (!first_refused) first_refused = failure_of_this_update();
    if (++refused_in_row >= call.max_refused) {
      result.failure = first_refused;
      break;
    }
  }
}

template <class T>
UpdateOptions ProgramOf<T>::options_of(const TrainCall& call, size_t update) const {
  const auto at = [update](const std::vector<double>& values) {
    return values.empty() ? std::nullopt : std::optional<double>(values[update]);
  };
  return {
      call.learning_rates[update], at(call.momenta), at(call.weight_decays), call.clip_norm, call.clip_value, step_};
}

// One update from these rows; false if it was refused: then nothing has changed.
template <class T>
bool ProgramOf<T>::attempt(const TrainCall& call, size_t first, size_t rows, const UpdateOptions& options,
                           TrainResult& result) {
  double* metric_sums = result.metric_sums.data();
  metrics_.remember(metric_sums);
  const double weight = batch_.weight(first, rows);
  const double scale = weight > 0 ? 1 / weight : 0;
  double loss = 0;
  const bool inspects = inspection_.is_due(call, step_);
  update_.begin();
  graph_.pass.defers = call.defers && !inspects && rows <= call.batch_size && update_.allows_deferring(options);
  for (size_t done = 0, micro = 0; done < rows; ++micro) {
    const size_t size = std::min(call.batch_size, rows - done);
    graph_.pass.counter.step = step_ + (uint64_t(micro) << 32);
    forward(first + done, size);
    if (inspects && micro == 0) inspection_.look_at_values(call.inspect_histograms);
    loss += finish_pass(size, scale, metric_sums);
    done += size;
  }
  loss *= scale;
  update_.add_host_penalties();
  const bool accepted = std::isfinite(loss) && update_.gradients_are_finite();
  graph_.pass.defers = false;
  if (!accepted) graph_.pass.complete_deferred();
  if (accepted && inspects) inspection_.finish(call, step_, false, result.inspections);
  if (accepted)
    update_.apply(options);
  else
    update_.measure(), metrics_.restore(metric_sums);
  result.loss.push_back(loss);
  result.weight.push_back(weight);
  result.regularization_loss.push_back(update_.regularization_loss());
  result.gradient_norm.push_back(update_.gradient_norm());
  if (call.tensor_statistics) report_tensors(result);
  return accepted;
}

// Of an update that was just refused: gradients and weights still are as it met them, values those of its last batch.
// With several batches the forward passes are made again, up to the one where numbers stop being finite.
template <class T>
void ProgramOf<T>::look_at_refused(const TrainCall& call, size_t first, size_t rows, TrainResult& result) {
  if (call.inspect_every == 0 && result.first_refusal) return;
  size_t op = graph_.op_count();
  for (size_t done = 0, micro = 0; done < rows && op == graph_.op_count(); ++micro) {
    const size_t size = std::min(call.batch_size, rows - done);
    graph_.pass.counter.step = step_ + (uint64_t(micro) << 32);
    if (size < rows) forward(first + done, size);
    op = inspection_.first_nonfinite();
    done += size;
  }
  if (!result.first_refusal) {
    result.first_refusal = Refusal{step_, {}, inspection_.nonfinite_tensor(update_.sums())};
    if (op < graph_.op_count()) result.first_refusal->layer = graph_.op_name(op);
  }
  if (call.inspect_every == 0) return;
  inspection_.look_at_values(call.inspect_histograms);
  inspection_.finish(call, step_, true, result.inspections);
}

// The first tensor, from the input on, whose gradient is not finite; the last if only the loss is not.
template <class T>
Failure ProgramOf<T>::failure_of_this_update() {
  Failure failure;
  failure.step = step_;
  for (size_t p = 0; p < plan_.infos.size() && failure.nonfinite == 0; ++p) {
    if (!plan_.infos[p].trainable) continue;
    failure.tensor = plan_.infos[p].name;
    failure.nonfinite = update_.sums()[p].nonfinite;
  }
  failure.layer = failure.tensor.substr(0, failure.tensor.rfind('.'));
  return failure;
}

template <class T>
void ProgramOf<T>::report_tensors(TrainResult& result) const {
  for (size_t p = 0; p < plan_.infos.size(); ++p) {
    if (!plan_.infos[p].trainable) continue;
    const UpdateSums& sums = update_.sums()[p];
    for (double value : {std::sqrt(sums.gradient_squares), std::sqrt(sums.weight_squares),
                         std::sqrt(sums.change_squares), double(sums.nonfinite)})
      result.tensors.push_back(value);
  }
}

template <class T>
EvaluateResult ProgramOf<T>::evaluate(const Dataset& data, size_t batch_size, size_t threads,
                                      const std::vector<double>& class_weights,
                                      const std::vector<double>& metric_sums) {
  require_loss();
  batch_.use(data, true, class_weights, nullptr);
  batch_size = std::min(batch_size, std::max<size_t>(data.size(), 1));
  prepare(batch_size, threads, false);
  EvaluateResult result;
  metrics_.go_on(metric_sums, result.metric_sums);
  for (size_t first = 0; first < data.size() && !stop_requested; first += batch_size) {
    const size_t rows = std::min(batch_size, data.size() - first);
    metrics_.remember(result.metric_sums.data());
    result.loss += pass_over(first, rows, -1, result.metric_sums.data());
    result.weight += batch_.weight(first, rows);
  }
  if (result.weight > 0) result.loss /= result.weight;
  result.regularization_loss = update_.current_regularization_loss();
  return result;
}

template <class T>
void ProgramOf<T>::predict(const Dataset& data, size_t batch_size, size_t threads, void* out) {
  batch_.use(data, false, {}, nullptr);
  batch_size = std::min(batch_size, std::max<size_t>(data.size(), 1));
  prepare(batch_size, threads, false);
  T* to = static_cast<T*>(out);
  for (size_t first = 0; first < data.size() && !stop_requested; first += batch_size) {
    const size_t rows = std::min(batch_size, data.size() - first);
    forward(first, rows);
    std::copy_n(graph_.output(), rows * output_size(), to + first * output_size());
  }
}

template <class T>
EvaluateResult ProgramOf<T>::gradient(const GradientCall& call) {
  require_loss();
  const size_t rows = call.data->size();
  batch_.use(*call.data, true, {}, nullptr);
  prepare(std::max<size_t>(rows, 1), call.threads, call.training, call.randomness);
  EvaluateResult result;
  metrics_.go_on({}, result.metric_sums);
  metrics_.remember(result.metric_sums.data());
  result.weight = batch_.weight(0, rows);
  const double scale = result.weight > 0 ? 1 / result.weight : 0;
  update_.begin();
  if (rows > 0) result.loss = pass_over(0, rows, scale, result.metric_sums.data()) * scale;
  for (size_t input = 0; input < plan_.inputs.size() && call.term == Term::regularization; ++input)
    if (plan_.inputs[input].differentiated)
      std::fill_n(graph_.pass.nodes[input].gradient.data(), rows * graph_.pass.nodes[input].size, T(0));
  update_.complete_gradient(call.term);
  result.regularization_loss = update_.current_regularization_loss();
  return result;
}

template <class T>
std::vector<double> ProgramOf<T>::hessian_vector(const HessianCall& call) {
  require_loss();
  batch_.use(*call.data, true, {}, nullptr);
  prepare(curvature_.graph(), call.data->size(), call.threads, call.training, call.randomness);
  return curvature_.product(call, batch_, graph_.pass.parameters, losses_.data());
}

template <class T>
Elements ProgramOf<T>::input_gradient(size_t input) {
  if (input >= plan_.inputs.size() || !plan_.inputs[input].differentiated) return {};
  NodeState<T>& node = graph_.pass.nodes[input];
  return {node.gradient.data(), std::min(graph_.pass.batch * node.size, node.gradient.size())};
}

template <class T>
std::vector<LayerStatistics> ProgramOf<T>::inspect(const GradientCall& call) {
  const size_t rows = call.data->size();
  if (rows < 1) throw Error("GRADUS_INVALID_ARGUMENT", "dataset: expected at least one row");
  batch_.use(*call.data, false, {}, nullptr);
  prepare(rows, call.threads, call.training, call.randomness);
  update_.begin();
  forward(0, rows);
  std::vector<LayerStatistics> statistics;
  for (size_t op = 0; op < graph_.op_count(); ++op)
    if (graph_.holds_value(op)) statistics.push_back(graph_.statistics(op));
  return statistics;
}

template <class T>
ProbeResult ProgramOf<T>::probe(const ProbeCall& call) {
  require_loss();
  const size_t rows = call.data->size();
  if (rows < 1) throw Error("GRADUS_INVALID_ARGUMENT", "dataset: expected at least one row");
  batch_.use(*call.data, true, {}, nullptr);
  prepare(rows, call.threads, call.training, call.randomness);
  update_.begin();
  batch_.gather(0, rows, graph_);
  return probe_.run(call, stop_requested, losses_.data());
}

}  // namespace

void TrainResult::clear() {
  updates = rows = 0;
  for (auto* column :
       {&loss, &regularization_loss, &weight, &gradient_norm, &metric_sums, &tensors, &inspections.steps})
    column->clear();
  for (auto* column : {&refused, &inspections.refused}) column->clear();
  inspections.values.clear();
  first_refusal.reset();
  failure.reset();
}

std::shared_ptr<Program> Program::create(const Value& descriptor, const Isa& isa, std::shared_ptr<Host> host) {
  Plan plan = decode(descriptor);
  if (plan.precision == Precision::float32)
    return std::make_shared<ProgramOf<float>>(descriptor, isa, std::move(plan), std::move(host));
  return std::make_shared<ProgramOf<double>>(descriptor, isa, std::move(plan), std::move(host));
}

}  // namespace gradus
