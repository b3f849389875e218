#include "ensemble.h"

#include <exception>
#include <limits>
#include <optional>

#include "metrics.h"
#include "objective.h"
#include "penalties.h"
#include "rows.h"
#include "running.h"
#include "step_memory.h"
#include "typed_program.h"
#include "views.h"

namespace gradus {
namespace {

// Nanoseconds of a pass on one thread, roughly: less than the first is done before a second thread has begun, and
// members of more than the second use all threads well, one after the other.
constexpr double worth_sharing = 20e3, worth_all_threads = 200e3;

[[noreturn]] void differs(size_t member, const char* what) {
  throw Error("GRADUS_INVALID_ARGUMENT",
              "programs[" + std::to_string(member) + "]: expected " + what + " as programs[0] has");
}

template <class T>
void check_alike(const Model<T>& first, const Model<T>& other, size_t number) {
  const std::vector<InputPlan>&inputs = first.plan().inputs, &others = other.plan().inputs;
  if (others.size() != inputs.size()) differs(number, "as many inputs");
  for (size_t i = 0; i < inputs.size(); ++i)
    if (others[i].index != inputs[i].index || others[i].shape != inputs[i].shape ||
        other.vocabulary(i) != first.vocabulary(i))
      differs(number, "inputs of the same shapes and vocabularies");
  if (other.output_shape() != first.output_shape()) differs(number, "the output shape");
}

template <class T>
class EnsembleOf final : public Ensemble {
 public:
  EnsembleOf(const Members& members, Rule rule, const Isa& isa, std::shared_ptr<Pool> pool)
      : isa_(isa),
        pool_(std::move(pool)),
        rule_(std::move(rule)),
        device_(typed(members, 0).open_device() ? typed(members, 0).open_device()->beside() : nullptr),
        memory_(device_ ? *device_ : host_memory()) {
    workspaces_.reserve(members.size());
    for (size_t m = 0; m < members.size(); ++m) workspaces_.emplace_back(memory_);
    for (size_t m = 1; m < members.size(); ++m) check_alike(model(members, 0), model(members, m), m);
    // What T has no normal number for weighs nothing.
    for (size_t m = 0; m < members.size(); ++m)
      if (rule_.weights[m] >= double(std::numeric_limits<T>::min())) active_.push_back(m);
    for (size_t m : active_) weights_.push_back(active_.size() == 1 ? T(1) : T(rule_.weights[m]));
    scores_.resize(active_.size());
  }

  size_t memory() const override {
    if (bytes_) return *bytes_;
    bytes_ = 0;
    for (const Workspace<T>& workspace : workspaces_) *bytes_ += workspace.bytes();
    return *bytes_;
  }

  EvaluateResult evaluate(const Members& members, const EvaluateCall& call) override;
  void predict(const Members& members, const EvaluateCall& call, void* out, void* spread) override {
    const Waiting waiting{memory_};
    Running<T> running = run(members, call);
    const Batch<T> batch(model(members, 0), *call.data, workspaces_[0]);
    predict_from(batch, members, running, call.batch_size, call.link, static_cast<T*>(out), static_cast<T*>(spread));
  }
  bool is_short(const Members& members, const EvaluateCall& call) const override {
    double nanoseconds = 0;
    if (device_) return false;
    for (size_t m : active_) {
      if (typed(members, m).host()) return false;
      nanoseconds += model(members, m).forward_nanoseconds(call.data->size(), call.batch_size);
    }
    return nanoseconds < short_nanoseconds * double(std::min(call.threads, pool_->most_threads()));
  }
  void predict_rows(const Members& members, const RowsCall& call, void* out) override {
    const Waiting waiting{memory_};
    Running<T> running = run(members, 1);
    const Rows<T> rows(model(members, 0), call);
    predict_from(rows, members, running, call.batch_size, Link::identity, static_cast<T*>(out), nullptr);
  }

 private:
  // However a call ends, nothing of it goes on to read what the members' own calls then change.
  struct Waiting {
    Memory& memory;
    ~Waiting() {
      try {
        memory.wait();
      } catch (...) {
      }
    }
  };

  static TypedProgram<T>& typed(const Members& members, size_t m) { return static_cast<TypedProgram<T>&>(*members[m]); }
  static const Model<T>& model(const Members& members, size_t m) { return typed(members, m).model(); }
  // Of the first member: its pass gathers the inputs for all.
  Running<T> run(const Members& members, const EvaluateCall& call) {
    if (call.averaged) throw Error("GRADUS_INVALID_ARGUMENT", "averaged: expected false of an ensemble");
    return run(members, call.threads);
  }
  // What the members' queues still have to do comes before what this one's kernels read.
  Running<T> run(const Members& members, size_t threads) {
    for (size_t m = 0; m < members.size(); ++m)
      if (OpenDevice* device = typed(members, m).open_device()) device->wait();
    TypedProgram<T>& first = typed(members, 0);
    const bool averaged = false;
    return {isa_, *pool_, threads, first.model(), first.state(), workspaces_[0], first.host(), averaged, device_.get()};
  }
  Context<T> context(const Members& members, size_t m, const Device<T>& device) {
    TypedProgram<T>& member = typed(members, m);
    return {member.model(), member.state(), workspaces_[m], device, member.host()};
  }
  bool is_stopped(const Members& members) const {
    bool is_stopped = stop_requested;
    for (const auto& member : members) is_stopped |= member->stop_requested;
    return is_stopped;
  }

  // For passes of so many rows, and what the call itself needs.
  void reserve(const Members& members, size_t rows, const TakePasses<T>& take_beside = nullptr);
  bool run_side_by_side(const Members& members, size_t threads, size_t rows) const;
  void forward(const Members& members, const Running<T>& running, size_t rows);
  void combine(const Device<T>& device, size_t rows, size_t columns, T* combined, T* spread);
  // Batch or Rows: what has a size and gathers.
  template <class Inputs>
  void predict_from(const Inputs& inputs, const Members& members, Running<T>& running, size_t batch_size, Link link,
                    T* out, T* spread);

  const Isa& isa_;
  std::shared_ptr<Pool> pool_;
  Rule rule_;
  std::shared_ptr<OpenDevice> device_;  // a queue of its own; none: the processor computes
  Memory& memory_;                      // of passes
  std::vector<size_t> active_;          // the members that weigh anything, in order
  std::vector<T> weights_;              // of those
  std::vector<Workspace<T>> workspaces_;
  std::vector<const T*> scores_;         // of the active members' last passes
  mutable std::optional<size_t> bytes_;  // counted when asked for, anew once more memory was taken
};

// The others read the inputs where the first one's passes gather them.
template <class T>
void EnsembleOf<T>::reserve(const Members& members, size_t rows, const TakePasses<T>& take_beside) {
  if (rows < 1) throw Error("GRADUS_INVALID_ARGUMENT", "batchSize: expected at least 1 example");
  const size_t columns = model(members, 0).output_size();
  EnsembleMemory<T>& ensemble = workspaces_[0].ensemble;
  if (product(rows, columns) <= ensemble.combined.size() && !take_beside) return;
  bytes_.reset();
  std::vector<const Model<T>*> models;
  for (size_t m = 0; m < members.size(); ++m) models.push_back(&model(members, m));
  reserve_all_passes<T>(models, rows, workspaces_.data(), [&](size_t rows, Workspace<T>* in) {
    for (size_t m = 0; m < models.size(); ++m) {
      in[m].nodes.resize(models[m]->layout().nodes.size());
      for (size_t input = 0; m > 0 && input < models[m]->plan().inputs.size(); ++input) {
        const NodeMemory<T>& from = in[0].nodes[input];
        in[m].nodes[input].value = from.value.shared();
        in[m].nodes[input].indices = from.indices.shared();
      }
      models[m]->reserve_forward(rows, in[m]);
    }
    EnsembleMemory<T>& take = in->ensemble;
    take.scores.grow(active_.size(), in->memory);
    take.weights.grow(active_.size(), in->memory);
    take.norms.grow(product(rows, 2 * active_.size()), in->memory);
    if (device_) take.spread.grow(product(rows, columns), in->memory);
    if (take_beside) take_beside(rows, *in);
    take.combined.grow(product(rows, columns), in->memory);  // the last one: where it is, all is
  });
  memory_.upload(ensemble.weights.data(), weights_.data(), weights_.size() * sizeof(T));
}

// JavaScript answers one member after the other, and a GPU's kernels are queued so.
template <class T>
bool EnsembleOf<T>::run_side_by_side(const Members& members, size_t threads, size_t rows) const {
  double total = 0, largest = 0;
  if (device_) return false;
  for (size_t m : active_) {
    if (typed(members, m).host()) return false;
    const double nanoseconds = model(members, m).forward_nanoseconds(rows);
    total += nanoseconds, largest = std::max(largest, nanoseconds);
  }
  if (threads == 1 || total < worth_sharing) return false;
  return active_.size() % threads == 0 || largest < worth_all_threads;
}

template <class T>
void EnsembleOf<T>::forward(const Members& members, const Running<T>& running, size_t rows) {
  const auto forward_one = [&](size_t i, const Device<T>& device) {
    const Model<T>& model = this->model(members, active_[i]);
    Pass<T> pass = context(members, active_[i], device).pass(false, true, rows);
    model.forward(pass);
    scores_[i] = pass.value(model.output());
  };
  if (!run_side_by_side(members, running.share.threads(), rows)) {
    for (size_t i = 0; i < active_.size(); ++i) forward_one(i, running.device);
    return;
  }
  std::vector<std::exception_ptr> thrown(active_.size());
  running.share.parallel(active_.size(), [&](size_t i) {
    try {
      const Pool::Share alone(*pool_, 1);
      forward_one(i, CpuDevice<T>(isa_, alone));
    } catch (...) {
      thrown[i] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : thrown)
    if (error) std::rethrow_exception(error);
}

// One member's scores go through as they are, whatever is asked for.
template <class T>
void EnsembleOf<T>::combine(const Device<T>& device, size_t rows, size_t columns, T* combined, T* spread) {
  Combination<T> task;
  task.combine = active_.size() == 1 ? Combine::scores : rule_.combine;
  task.link = rule_.link;
  task.members = active_.size(), task.rows = rows, task.columns = columns;
  EnsembleMemory<T>& there = workspaces_[0].ensemble;
  memory_.upload(there.scores.data(), scores_.data(), there.scores.bytes());
  task.scores = there.scores.data(), task.weights = there.weights.data();
  task.temperature = T(rule_.temperature);
  task.norms = there.norms.data();
  task.combined = combined, task.spread = spread;
  device.combine(task);
}

template <class T>
EvaluateResult EnsembleOf<T>::evaluate(const Members& members, const EvaluateCall& call) {
  const Model<T>& first_model = model(members, 0);
  if (!first_model.plan().loss) throw Error("GRADUS_NOT_COMPILED", "the first member has no loss");
  const Waiting waiting{memory_};
  Running<T> running = run(members, call);
  Batch<T> batch(first_model, *call.data, workspaces_[0]);
  batch.use_targets(call.class_weights);
  const size_t batch_size = std::min(call.batch_size, std::max<size_t>(batch.size(), 1));
  reserve(members, batch_size, [&](size_t rows, Workspace<T>& in) {
    in.reserve_losses(rows, batch.size() / rows + 1);
    batch.reserve(rows, in);
  });
  Metrics<T> metrics(first_model, workspaces_[0]);
  EvaluateResult result;
  metrics.go_on(call.metric_sums);
  size_t passes = 0;
  for (size_t first = 0; first < batch.size() && !is_stopped(members); first += batch_size) {
    Pass<T> pass = running.context.pass(false, true, std::min(batch_size, batch.size() - first));
    batch.gather(first, pass);
    forward(members, running, pass.batch);
    T* const scores = workspaces_[0].ensemble.combined.data();
    combine(running.device, pass.batch, first_model.output_size(), scores, nullptr);
    find_loss<T>(*first_model.plan().loss, batch, pass, scores, 0, passes++, nullptr);
    metrics.add(batch, pass, scores);
    result.weight += batch.weight(first, pass.batch);
  }
  result.loss = workspaces_[0].loss_of_passes(passes);
  metrics.read(result.metric_sums);
  if (result.weight > 0) result.loss /= result.weight;
  for (size_t m : active_)
    result.regularization_loss += rule_.weights[m] * regularization_loss(context(members, m, running.device));
  return result;
}

template <class T>
template <class Inputs>
void EnsembleOf<T>::predict_from(const Inputs& inputs, const Members& members, Running<T>& running, size_t batch_size,
                                 Link link, T* out, T* spread) {
  batch_size = std::min(batch_size, std::max<size_t>(inputs.size(), 1));
  reserve(members, batch_size);
  if (device_) bytes_.reset();  // data may have come there
  const size_t columns = model(members, 0).output_size();
  EnsembleMemory<T>& there = workspaces_[0].ensemble;
  for (size_t first = 0; first < inputs.size() && !is_stopped(members); first += batch_size) {
    Pass<T> pass = running.context.pass(false, true, std::min(batch_size, inputs.size() - first));
    inputs.gather(first, pass);
    forward(members, running, pass.batch);
    T* const to = out + first * columns;
    T* const spread_to = spread ? spread + first * columns : nullptr;
    T* const combined = link == Link::identity && !device_ ? to : there.combined.data();
    combine(running.device, pass.batch, columns, combined, spread && device_ ? there.spread.data() : spread_to);
    if (combined != to) link_to_host(running.context, link, combined, pass.batch, to);
    if (spread && device_) memory_.download(spread_to, there.spread.data(), pass.batch * columns * sizeof(T));
  }
}

}  // namespace

std::shared_ptr<Ensemble> Ensemble::create(const Members& members, Rule rule, const Isa& isa,
                                           std::shared_ptr<Pool> pool) {
  if (members.empty() || rule.weights.size() != members.size())
    throw Error("GRADUS_INVALID_ARGUMENT", "programs: expected one or more, and a weight for each");
  for (size_t m = 1; m < members.size(); ++m)
    if (members[m]->precision() != members[0]->precision()) differs(m, "the dtype");
  for (size_t m = 0; m < members.size(); ++m)
    if (members[m]->device() != members[0]->device())
      throw Error("GRADUS_INVALID_ARGUMENT", "programs[" + std::to_string(m) + "]: expected one of the device " +
                                                 members[0]->device() + " as programs[0] is, received one of " +
                                                 members[m]->device());
  if (members[0]->precision() == Precision::float32)
    return std::make_shared<EnsembleOf<float>>(members, std::move(rule), isa, std::move(pool));
  return std::make_shared<EnsembleOf<double>>(members, std::move(rule), isa, std::move(pool));
}

}  // namespace gradus
