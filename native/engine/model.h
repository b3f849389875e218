// A model: its ops in order, joined where one can do another's work, and how memory is laid out. It never changes, and
// any number of states and workspaces may use it at once.
#pragma once
#include <algorithm>

#include "op.h"

namespace gradus {

enum class Fusion { allowed, none };

template <class T>
class Model {
 public:
  explicit Model(std::shared_ptr<const Plan> plan, Fusion fusion = Fusion::allowed);

  const Plan& plan() const { return *plan_; }
  const std::shared_ptr<const Plan>& shared_plan() const { return plan_; }
  const Layout& layout() const { return layout_; }
  const std::vector<ParameterInfo>& parameters() const { return layout_.parameters; }

  // Memory for passes of so many examples; for forward passes alone.
  void reserve(size_t batch, Workspace<T>& workspace) const;
  void reserve_forward(size_t batch, Workspace<T>& workspace) const;
  void forward(Pass<T>& pass, size_t first_op = 0) const;  // the values below that op stay as they are
  // The gradient of the output has been filled in after pass.begin_backward(output()).
  void backward(Pass<T>& pass) const;

  // Of a model without fusion: how values and gradients move when the parameters move along their tangents, after
  // forward() and backward().
  void reserve_tangents(Workspace<T>& workspace) const;
  void forward_tangent(Pass<T>& pass) const;
  void backward_tangent(Pass<T>& pass) const;

  // The ops that lead to the output, in order.
  size_t op_count() const { return ops_.size(); }
  const Op<T>& op(size_t number) const { return *ops_[number]; }
  // Whether the op's own value can be read after a forward: not where the op above works in its place.
  bool holds_value(size_t number) const { return layout_.nodes[op(number).node].home == op(number).node; }
  // The first op that uses this parameter; that takes this input. op_count() if none does.
  size_t first_user(size_t parameter) const;
  size_t first_taker(size_t input) const;

  size_t output() const { return plan_->output; }
  const Shape& output_shape() const { return layout_.nodes[output()].shape; }
  size_t output_size() const { return layout_.nodes[output()].size; }
  bool is_trainable() const { return layout_.nodes[layout_.nodes[output()].home].wanted; }  // in any part
  size_t vocabulary(size_t input) const { return vocabularies_[input]; }  // rows that an index input may name
  // Nanoseconds that a forward pass over so many examples takes on one thread of a usual processor, roughly; so many
  // examples in batches.
  double forward_nanoseconds(size_t batch) const {
    return starting_nanoseconds_ + double(batch) * moving_nanoseconds_ +
           std::max(double(batch) * multiplying_nanoseconds_, reading_nanoseconds_);
  }
  double forward_nanoseconds(size_t rows, size_t batch_size) const {
    const size_t batch = std::max<size_t>(1, std::min(rows, batch_size));
    return double((rows + batch - 1) / batch) * forward_nanoseconds(batch);
  }
  // The layer that cannot be trained on batches of one example; none if there is no such.
  const std::string* needs_several_examples() const;

 private:
  void make_ops();
  void drop_unneeded();
  void find_wanted();
  void fuse();
  void lay_out_gradients(Fusion fusion);
  void note_vocabulary(const Op<T>& op);
  void estimate_times();
  bool wanted(size_t node) const { return layout_.nodes[layout_.nodes[node].home].wanted; }

  std::shared_ptr<const Plan> plan_;
  Layout layout_;
  std::vector<std::unique_ptr<Op<T>>> ops_;
  std::vector<size_t> vocabularies_;
  // Gradients of values lie in places that others may take when they are done with: by home which, and by place how
  // many elements an example needs there.
  std::vector<size_t> gradient_places_, sizes_of_places_;
  // Of all ops, of values and of products of one example, and of all weights, which come while it multiplies.
  double starting_nanoseconds_ = 0, moving_nanoseconds_ = 0, multiplying_nanoseconds_ = 0, reading_nanoseconds_ = 0;
};

}  // namespace gradus
