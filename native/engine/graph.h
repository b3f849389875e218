// The ops of a program in order, joined where one can do another's work, and the memory that a pass moves through.
#pragma once
#include "op.h"
#include "plan.h"

namespace gradus {

enum class Fusion { allowed, none };

template <class T>
class Graph {
 public:
  Graph(const Value& descriptor, const Plan& plan, const Isa& isa, Pool& pool, Fusion fusion = Fusion::allowed);

  void reserve(size_t batch, size_t threads);  // memory for passes of so many examples
  void forward(size_t first_op = 0);           // the values below that op stay as they are
  void backward();                             // the output's gradient lies in output_gradient()

  // Of a graph without fusion: how values and gradients move when the parameters move along their tangents, after
  // forward() and backward(). The tangent of the output's gradient lies in output_gradient_tangent().
  void reserve_tangents();
  void forward_tangent();
  void backward_tangent();

  size_t op_count() const { return ops_.size(); }
  const std::string& op_name(size_t op) const { return ops_[op]->name; }
  uint64_t fingerprint(size_t op) { return ops_[op]->fingerprint(pass); }
  uint64_t hash_of_value(size_t op);
  // Whether the op's own value can be read after a forward: not where the op above works in its place.
  bool holds_value(size_t op) const { return pass.home[ops_[op]->node] == ops_[op]->node; }
  LayerInfo layer(size_t op) const;
  const std::vector<size_t>& parameters_of(size_t op) const { return ops_[op]->parameters; }
  // Of an op that holds its value, after a forward.
  const T* value(size_t op) { return pass.value(ops_[op]->node); }
  size_t value_size(size_t op) { return pass.batch * pass.at(ops_[op]->node).size; }
  Moments moments(size_t op);       // `outside`: near an end of tanh or sigmoid
  const T* unit_maxima(size_t op);  // over the batch; there until the next call
  LayerStatistics statistics(size_t op);
  // The first op that uses this parameter; that takes this input. op_count() if none does.
  size_t first_user(size_t parameter) const;
  size_t first_taker(size_t input) const;

  const Shape& output_shape() const { return output_shape_; }
  T* output() { return pass.value(output_); }
  T* output_gradient() {
    pass.at(output_).written = true;
    return pass.gradient(output_);
  }
  T* output_tangent() { return pass.tangent(output_); }
  T* output_gradient_tangent() {
    pass.at(output_).written = true;
    return pass.gradient_tangent(output_);
  }
  size_t vocabulary(size_t input) const { return vocabularies_[input]; }  // rows that an index input may name

  Pass<T> pass;

 private:
  void make_ops(const Value& descriptor, const Plan& plan);
  void drop_unneeded();
  void find_wanted(const Plan& plan);
  void fuse();
  void note_vocabulary(const Op<T>& op, const NodeReader& node);

  size_t inputs_, output_;
  std::vector<std::unique_ptr<Op<T>>> ops_;  // those that lead to the output, in order
  std::vector<Shape> shapes_;                // by node
  std::vector<size_t> vocabularies_;
  Shape output_shape_;
  std::vector<Moments> chunks_;  // room for moments()
  Buffer<T> maxima_;             // and for unit_maxima()
};

}  // namespace gradus
