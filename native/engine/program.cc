#include "program.h"

#include <algorithm>

#include "curvature.h"
#include "layer_statistics.h"
#include "metrics.h"
#include "objective.h"
#include "penalties.h"
#include "probe.h"
#include "running.h"
#include "step_memory.h"
#include "train.h"
#include "typed_program.h"
#include "views.h"

namespace gradus {
namespace {

// A model that the device cannot compute is refused before it has begun.
template <class T>
void check_kernels(const Model<T>& model, const OpenDevice& device) {
  for (size_t op = 0; op < model.op_count(); ++op)
    for (const char* kernel : model.op(op).rare_kernels())
      if (!has_kernel(kernels_of<T>(device.table()), kernel))
        throw Error("GRADUS_NO_DEVICE", model.op(op).name + ": the device " + device.name() + " has no kernel " +
                                            kernel + " yet: compile the model for the processor");
}

template <class T>
class ProgramOf final : public TypedProgram<T> {
 public:
  ProgramOf(std::shared_ptr<const Plan> plan, const Isa& isa, std::shared_ptr<Pool> pool, std::shared_ptr<Host> host,
            std::shared_ptr<OpenDevice> device)
      : isa_(isa),
        pool_(std::move(pool)),
        host_(std::move(host)),
        device_(std::move(device)),
        memory_(device_ ? *device_ : host_memory()),
        model_(std::move(plan)),
        state_(model_, CpuDevice<T>(isa, Pool::Share(*pool_, 1)), memory_),
        optimizer_(model_.plan(), isa),
        inspection_(model_),
        workspace_(memory_) {
    if (device_) check_kernels(model_, *device_);
    while_taking("the gradients", [&] { workspace_.gradients.arena.grow(this->plan().arena_size, memory_); });
    metric_widths_ = Metrics<T>(model_, workspace_).widths();
  }

  const Model<T>& model() const override { return model_; }
  State<T>& state() override { return state_; }
  Host* host() const override { return host_.get(); }
  OpenDevice* open_device() const override { return device_.get(); }

  Precision precision() const override { return plan().precision; }
  std::string device() const override { return device_ ? device_->name() : "cpu"; }
  const std::vector<ParameterInfo>& parameters() const override { return model_.parameters(); }
  std::vector<std::string> arenas() const override {
    std::vector<std::string> names = state_.names();
    names.insert(names.begin() + 1, "gradients");
    return names;
  }
  std::vector<size_t> output_shape() const override { return model_.output_shape(); }
  size_t output_size() const override { return model_.output_size(); }
  const std::vector<size_t>& metric_widths() const override { return metric_widths_; }
  std::vector<std::string> op_names() const override {
    std::vector<std::string> names;
    for (size_t op = 0; op < model_.op_count(); ++op) names.push_back(model_.op(op).name);
    return names;
  }
  size_t memory() const override {
    return state_.bytes() + workspace_.bytes() + (curvature_ ? curvature_->bytes() : 0) + (twin_ ? twin_->memory() : 0);
  }

  void read(const std::string& arena, size_t parameter, void* to) const override {
    const ParameterInfo& info = parameters()[parameter];
    if (arena == "gradients")
      memory_.download(to, workspace_.gradients.arena.data() + info.offset, info.size * sizeof(T));
    else
      state_.read(arena, info.offset, info.size, static_cast<T*>(to));
  }
  void write(const std::string& arena, size_t parameter, size_t first, size_t count, const void* from) override {
    const size_t offset = parameters()[parameter].offset + first;
    if (arena == "gradients")
      memory_.upload(workspace_.gradients.arena.data() + offset, from, count * sizeof(T));
    else
      state_.write(arena, offset, count, static_cast<const T*>(from));
    // What training does not move is its own average: that is at all times a whole set of weights.
    const ParameterInfo& info = parameters()[parameter];
    if (arena == "parameters" && state_.average() && !info.trainable && !info.is_statistic)
      state_.write("average", offset, count, static_cast<const T*>(from));
  }
  uint64_t step() const override { return state_.step; }
  void set_step(uint64_t step) override {
    state_.step = step;
    state_.momentum_product = first_product(plan(), step);
  }
  double momentum_product() const override { return state_.momentum_product; }
  void set_momentum_product(double product) override { state_.momentum_product = product; }

  void export_state(Snapshot& to, size_t threads) override {
    const Running<T> running = run(threads);
    state_.export_to(plan(), to, device_ ? nullptr : &running.device);
  }
  void import_state(const Snapshot& from) override { state_.import_from(plan(), from); }

  using TypedProgram<T>::train;
  using TypedProgram<T>::stop_requested;
  void train(const TrainCall& call, TrainResult& result) override {
    Running<T> running = run(call.threads);
    gradus::train(running.context, optimizer_, inspection_, call, stop_requested, result);
  }
  void move_average(const AverageCall& call) override {
    Running<T> running = run(call.threads, true);
    optimizer_.move_averages(running.context, T(call.keep));
    memory_.wait();
  }
  EvaluateResult evaluate(const EvaluateCall& call) override;
  void predict(const EvaluateCall& call, void* out) override {
    Running<T> running = run(call.threads, call.averaged);
    Batch<T> batch = batch_of(*call.data);
    if (call.mirrored) batch.use_mirror();
    predict_from(batch, running, call.batch_size, call.link, static_cast<T*>(out));
  }
  bool is_short(const EvaluateCall& call) const override {
    return !host_ && !device_ && model_.forward_nanoseconds(call.data->size(), call.batch_size) < short_nanoseconds;
  }
  void predict_rows(const RowsCall& call, void* out) override {
    Running<T> running = run(1);
    predict_from(Rows<T>(model_, call), running, call.batch_size, Link::identity, static_cast<T*>(out));
  }
  StatisticsResult statistics(const StatisticsCall& call) override;
  EvaluateResult gradient(const GradientCall& call) override;
  std::vector<double> hessian_vector(const HessianCall& call) override;
  std::optional<size_t> input_gradient_size(size_t input) const override;
  void read_input_gradient(size_t input, void* to) const override;
  std::vector<LayerStatistics> inspect(const GradientCall& call) override;
  const InspectionLayout& inspection() const override { return inspection_.layout(); }
  ProbeResult probe(const ProbeCall& call) override { return here().probe(call, stop_requested); }

 private:
  ProbeResult probe(const ProbeCall& call, const std::atomic<bool>& stop);
  const Plan& plan() const { return model_.plan(); }
  Running<T> run(size_t threads, bool averaged = false) {
    if (averaged && !state_.average())
      throw Error("GRADUS_INVALID_ARGUMENT", "averaged: expected false, as the optimizer keeps no average");
    return {isa_, *pool_, threads, model_, state_, workspace_, host_.get(), averaged, device_.get()};
  }
  ProgramOf& here();
  const LossPlan& loss() const {
    if (!plan().loss) throw Error("GRADUS_NOT_COMPILED", "the model has no loss");
    return *plan().loss;
  }
  Batch<T> batch_of(const Dataset& data) { return {model_, data, workspace_}; }
  // Batch or Rows: what has a size and gathers.
  template <class Inputs>
  void predict_from(const Inputs& inputs, Running<T>& running, size_t batch_size, Link link, T* out);
  // Memory of passes over so many rows, and of what `take` takes beside it.
  void reserve(size_t rows, const TakePasses<T>& take);
  // Of passes over all rows of a batch, so many at a time.
  void reserve(const Batch<T>& batch, size_t rows);
  size_t all_rows(const Dataset& data) const;

  const Isa& isa_;
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Host> host_;
  std::shared_ptr<OpenDevice> device_;  // or none: the processor computes
  Memory& memory_;                      // of the state and of passes
  Model<T> model_;
  State<T> state_;  // first, so that sizes beyond all memory are refused before anything is made of them
  Optimizer<T> optimizer_;
  Inspection<T> inspection_;
  Workspace<T> workspace_;
  std::unique_ptr<Curvature<T>> curvature_;  // made by the first call that asks for it
  std::unique_ptr<ProgramOf> twin_;          // likewise
  std::vector<size_t> metric_widths_;
  size_t gradient_rows_ = 0;  // of the last gradient()
};

// For calls that look at single elements: the program itself where the host can touch them, else one of the same plan
// and state on the processor.
template <class T>
ProgramOf<T>& ProgramOf<T>::here() {
  if (!device_) return *this;
  if (!twin_) twin_ = std::make_unique<ProgramOf>(model_.shared_plan(), isa_, pool_, host_, nullptr);
  size_t length = 0;
  for (const ParameterInfo& info : parameters()) length += info.size;
  Snapshot state(precision(), length, state_.names());
  export_state(state, 1);
  twin_->import_state(state);
  return *twin_;
}

template <class T>
void ProgramOf<T>::reserve(size_t rows, const TakePasses<T>& take) {
  if (rows < 1) throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 1 example");
  reserve_passes<T>(model_, rows, workspace_, [&](size_t rows, Workspace<T>& in) {
    model_.reserve(rows, in);
    take(rows, in);
  });
}

template <class T>
void ProgramOf<T>::reserve(const Batch<T>& batch, size_t rows) {
  reserve(rows, [&](size_t rows, Workspace<T>& in) {
    in.reserve_losses(rows, batch.size() / rows + 1);
    batch.reserve(rows, in);
    if (batch.is_mirrored()) in.batch.view_scores.grow(product(rows, model_.output_size()), in.memory);
  });
}

template <class T>
size_t ProgramOf<T>::all_rows(const Dataset& data) const {
  if (data.size() < 1) throw Error("GRADUS_INVALID_ARGUMENT", "dataset: expected at least one row");
  return data.size();
}

template <class T>
EvaluateResult ProgramOf<T>::evaluate(const EvaluateCall& call) {
  const LossPlan& loss = this->loss();
  Running<T> running = run(call.threads, call.averaged);
  Batch<T> batch = batch_of(*call.data);
  batch.use_targets(call.class_weights);
  if (call.mirrored) batch.use_mirror();
  const size_t batch_size = std::min(call.batch_size, std::max<size_t>(batch.size(), 1));
  reserve(batch, batch_size);
  Metrics<T> metrics(model_, workspace_);
  EvaluateResult result;
  metrics.go_on(call.metric_sums);
  size_t passes = 0;
  for (size_t first = 0; first < batch.size() && !stop_requested; first += batch_size) {
    Pass<T> pass = running.context.pass(false, true, std::min(batch_size, batch.size() - first));
    const T* scores = outputs_of(model_, batch, first, pass);
    find_loss<T>(loss, batch, pass, scores, 0, passes++, nullptr);
    metrics.add(batch, pass, scores);
    result.weight += batch.weight(first, pass.batch);
  }
  result.loss = workspace_.loss_of_passes(passes);
  metrics.read(result.metric_sums);
  if (result.weight > 0) result.loss /= result.weight;
  result.regularization_loss = regularization_loss(running.context);
  return result;
}

template <class T>
template <class Inputs>
void ProgramOf<T>::predict_from(const Inputs& inputs, Running<T>& running, size_t batch_size, Link link, T* out) {
  batch_size = std::min(batch_size, std::max<size_t>(inputs.size(), 1));
  const bool is_linked = link != Link::identity && !memory_.is_host();
  reserve(batch_size, [&](size_t rows, Workspace<T>& in) {
    inputs.reserve(rows, in);
    if (is_linked) in.predictions.grow(product(rows, model_.output_size()), in.memory);
  });
  for (size_t first = 0; first < inputs.size() && !stop_requested; first += batch_size) {
    Pass<T> pass = running.context.pass(false, true, std::min(batch_size, inputs.size() - first));
    const T* scores = outputs_of(model_, inputs, first, pass);
    const size_t columns = model_.output_size();
    link_to_host(running.context, link, scores, pass.batch, out + first * columns);
  }
}

template <class T>
StatisticsResult ProgramOf<T>::statistics(const StatisticsCall& call) {
  Running<T> running = run(call.threads);
  const Batch<T> batch = batch_of(*call.data);
  const size_t batch_size = std::min(call.batch_size, std::max<size_t>(batch.size(), 1));
  reserve(batch_size, [](size_t, Workspace<T>&) {});
  StatisticsResult result;
  std::vector<T> of_batch;
  for (const ParameterInfo& info : parameters())
    if (info.is_statistic) result.sums.resize(result.sums.size() + info.size);
  for (size_t first = 0; first + 1 < batch.size() && !stop_requested; first += batch_size) {
    const size_t rows = std::min(batch_size, batch.size() - first);
    if (rows == 1) continue;
    workspace_.begin_gradients();
    Pass<T> pass = running.context.pass({true, false, {}, true}, rows);
    batch.gather(first, pass);
    model_.forward(pass);
    double* sum = result.sums.data();
    for (size_t p = 0; p < parameters().size(); ++p) {
      if (!parameters()[p].is_statistic) continue;
      of_batch.resize(parameters()[p].size);
      memory_.download(of_batch.data(), workspace_.gradients.staged[p].data(), of_batch.size() * sizeof(T));
      for (T value : of_batch) *sum++ += double(value);
    }
    ++result.batches;
  }
  return result;
}

template <class T>
EvaluateResult ProgramOf<T>::gradient(const GradientCall& call) {
  const LossPlan& loss = this->loss();
  Running<T> running = run(call.threads);
  Batch<T> batch = batch_of(*call.data);
  batch.use_targets({});
  const size_t rows = batch.size();
  reserve(batch, std::max<size_t>(rows, 1));
  Metrics<T> metrics(model_, workspace_);
  EvaluateResult result;
  metrics.go_on({});
  result.weight = batch.weight(0, rows);
  const double scale = result.weight > 0 ? 1 / result.weight : 0;
  workspace_.begin_gradients();
  gradient_rows_ = rows;
  if (rows > 0) {
    Pass<T> pass = running.context.pass(call.training, call.randomness, rows);
    batch.gather(0, pass);
    model_.forward(pass);
    const T* scores = pass.value(model_.output());
    T* gradient = model_.is_trainable() ? pass.begin_backward(model_.output()) : nullptr;
    find_loss(loss, batch, pass, scores, scale, 0, gradient);
    metrics.add(batch, pass, scores);
    if (gradient) model_.backward(pass);
    for (size_t input = 0; input < plan().inputs.size() && call.term == Term::regularization; ++input)
      if (plan().inputs[input].differentiated) running.device.fill(T(0), rows * pass.size(input), pass.gradient(input));
  }
  zero_unwritten(running.context);
  complete_gradient(running.context, call.term);
  if (rows > 0) result.loss = workspace_.loss_of_passes(1) * scale;
  metrics.read(result.metric_sums);
  result.regularization_loss = regularization_loss(running.context);
  return result;
}

template <class T>
std::vector<double> ProgramOf<T>::hessian_vector(const HessianCall& call) {
  if (device_) return here().hessian_vector(call);
  loss();
  Running<T> running = run(call.threads);
  if (!curvature_) curvature_ = std::make_unique<Curvature<T>>(model_.shared_plan());
  return curvature_->product(state_, running.device, host_.get(), call);
}

template <class T>
std::optional<size_t> ProgramOf<T>::input_gradient_size(size_t input) const {
  if (input >= plan().inputs.size() || !plan().inputs[input].differentiated) return std::nullopt;
  if (workspace_.nodes.empty() || workspace_.nodes[input].gradient.size() == 0) return std::nullopt;
  return std::min(gradient_rows_ * model_.layout().nodes[input].size, workspace_.nodes[input].gradient.size());
}

template <class T>
void ProgramOf<T>::read_input_gradient(size_t input, void* to) const {
  const size_t size = *input_gradient_size(input);
  if (size > 0) memory_.download(to, workspace_.nodes[input].gradient.data(), size * sizeof(T));
}

template <class T>
std::vector<LayerStatistics> ProgramOf<T>::inspect(const GradientCall& call) {
  Running<T> running = run(call.threads);
  Batch<T> batch = batch_of(*call.data);
  reserve(batch, all_rows(*call.data));
  workspace_.begin_gradients();
  Pass<T> pass = running.context.pass(call.training, call.randomness, batch.size());
  batch.gather(0, pass);
  model_.forward(pass);
  std::vector<LayerStatistics> statistics;
  for (size_t op = 0; op < model_.op_count(); ++op)
    if (model_.holds_value(op)) statistics.push_back(statistics_of(model_, pass, op));
  return statistics;
}

template <class T>
ProbeResult ProgramOf<T>::probe(const ProbeCall& call, const std::atomic<bool>& stop) {
  loss();
  Running<T> running = run(call.threads);
  Batch<T> batch = batch_of(*call.data);
  batch.use_targets({});
  reserve(batch, all_rows(*call.data));
  return Probe<T>(running.context, batch, call).run(stop);
}

}  // namespace

std::shared_ptr<Program> Program::create(const Value& descriptor, const Isa& isa, std::shared_ptr<Pool> pool,
                                         std::shared_ptr<Host> host, std::shared_ptr<OpenDevice> device) {
  const auto plan = std::make_shared<const Plan>(decode(descriptor));
  if (plan->precision == Precision::float32)
    return std::make_shared<ProgramOf<float>>(plan, isa, std::move(pool), std::move(host), std::move(device));
  return std::make_shared<ProgramOf<double>>(plan, isa, std::move(pool), std::move(host), std::move(device));
}

}  // namespace gradus
