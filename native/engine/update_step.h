// From gradients to new parameters: the arenas, the optimizer, and what it adds up on its way.
#pragma once
#include "corrections.h"
#include "graph.h"
#include "muon.h"

namespace gradus {

struct UpdateOptions {
  double learning_rate = 0;
  std::optional<double> momentum, weight_decay;  // in place of the optimizer's own
  double clip_norm = 0, clip_value = 0;
  uint64_t step = 0;  // accepted updates before this one
};

template <class T>
class UpdateStep {
 public:
  UpdateStep(const Plan& plan, const Isa& isa, Pool& pool, Pass<T>& pass);

  std::vector<std::string> arenas() const;
  T* arena(const std::string& name);  // null for one that is not there
  size_t memory() const {             // bytes of the arenas
    size_t bytes = 0;
    for (const Buffer<T>& arena : memory_) bytes += arena.size() * sizeof(T);
    for (const Buffer<uint16_t>& slots : short_slots_) bytes += slots.size() * sizeof(uint16_t);
    return bytes;
  }
  uint16_t* short_arena(const std::string& name);  // of slots as upper halves of floats; null for others

  void begin();  // a new gradient: nothing of it is written yet
  // Whether every element of the gradients is finite: what the matmuls saw, and a look at the small rest.
  bool gradients_are_finite();
  // Whether an update can begin before the whole gradient is there: nothing of it is asked for first.
  bool allows_deferring(const UpdateOptions& options) const { return options.clip_norm == 0 && directed_.empty(); }
  void measure();  // fills sums() without a change
  void apply(const UpdateOptions& options);
  // Makes the gradients arena that of the term: zeros where nothing was given, regularizers added or alone.
  void complete_gradient(Term term);

  // The penalties that the regularizers put on the weights. Those of the host come by whole tensors.
  double penalty(size_t parameter, double w) const;  // of one element, without the host's
  bool crosses_kink(size_t parameter, const T* from, const T* to, size_t n) const;
  bool has_host_penalty(size_t parameter) const {
    return plans_[parameter].host_regularizer && infos_[parameter].trainable;
  }
  double host_penalty(size_t parameter, T* gradient);  // gradient may be null
  std::vector<double> host_penalties();                // by parameter
  void add_host_penalties();                           // to the gradient, and to regularization_loss() of this update

  const std::vector<UpdateSums>& sums() const { return sums_; }  // by parameter, of the last measure() or apply()
  double regularization_loss() const;                            // from sums()
  double current_regularization_loss();                          // of the parameters as they are
  double gradient_norm() const;                                  // from sums(), over the trainable parameters

 private:
  using Kernel = void (*)(const Update<T>&, UpdateSums&);
  struct Block {
    size_t parameter, first, n;
  };
  // A tensor whose change comes as a whole: see directed.cc.
  struct Directed {
    Buffer<T> change;
    double gradient_squares = 0, learning_rate = 0;
  };
  Update<T> update_of(const UpdateOptions& options);
  void run(Kernel kernel, const Update<T>& common);
  void run_deferred(Kernel kernel, const Update<T>& common);
  Update<T> part_of(const Block& block, const Update<T>& common);
  bool is_directed(size_t parameter) const;
  bool is_deferred(size_t parameter) const {
    return std::any_of(pass_->deferred.begin(), pass_->deferred.end(),
                       [parameter](const auto& gradient) { return gradient.parameter == parameter; });
  }
  void final_gradient(size_t parameter, const Update<T>& update, T* to) const;
  void find_directions(const UpdateOptions& options, const Update<T>& update);
  void muon_direction(size_t parameter, const UpdateOptions& options, const Update<T>& update, Directed& directed);
  void custom_direction(size_t parameter, const UpdateOptions& options, const Update<T>& update, Directed& directed);
  void initialize(const Plan& plan);
  bool regularized(size_t parameter) const { return plans_[parameter].l1 > 0 || plans_[parameter].l2 > 0; }

  const Kernels<T>* kernels_;
  Pool* pool_;
  Pass<T>* pass_;
  std::vector<ParameterInfo> infos_;
  std::vector<ParameterPlan> plans_;
  std::optional<OptimizerPlan> optimizer_;
  std::optional<Corrections> corrections_;
  std::vector<std::string> names_;
  std::vector<Buffer<T>> memory_;  // by name
  std::vector<T*> slots_;
  std::vector<Buffer<uint16_t>> short_slots_;  // in their place, as upper halves of floats
  uint64_t seed_;
  T* average_ = nullptr;
  std::vector<Block> blocks_;   // of the trainable parameters: the same cuts for any number of threads
  std::vector<size_t> groups_;  // where groups of blocks begin that are worth a thread's while, and the end
  std::vector<UpdateSums> block_sums_, sums_;
  std::vector<Directed> directed_;  // by parameter; empty but for optimizers of that kind
  Orthogonalization<T> orthogonalization_;
  double host_loss_ = 0;  // of this update
  Buffer<T> host_gradient_;
  Buffer<T> spread_;
  std::vector<Buffer<T>> panels_;  // of deferred gradients, one a thread
  size_t elements_ = 0;
};

}  // namespace gradus
