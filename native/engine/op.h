// An op: one node of the graph with its forward and backward. It holds what its descriptor says and nothing else: what
// a pass computes lies in the pass's workspace.
#pragma once
#include <memory>
#include <optional>

#include "pass.h"
#include "plan.h"
#include "streams.h"

namespace gradus {

// A node of the plan as its op reads it, shapes of its inputs known.
struct NodeReader {
  Fields fields;
  size_t number = 0;
  const std::string& op;
  const std::string& name;
  const std::vector<size_t>& inputs;
  std::vector<Shape> input_shapes;
  std::vector<bool> input_is_index;
  const std::vector<ParameterInfo>& parameters;

  const Shape& only_input() const;  // the shape of the one real input
  // The number of the parameter in this role; an extent of 0 in `shape` stands for any.
  size_t parameter(const std::string& role, const Shape& shape) const;
  std::optional<size_t> optional_parameter(const std::string& role, const Shape& shape) const;
};

// What fusion asks about an op.
struct ActivationChoice {
  Activation kind = Activation::identity;
  double parameter = 0;
  bool slope_follows_from_value = true;
};

template <class T>
class Op {
 public:
  explicit Op(const NodeReader& node) : node(node.number), op(node.op), name(node.name), inputs(node.inputs) {}
  virtual ~Op() = default;
  // Buffers of its own for so many examples.
  virtual void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const { (void)batch, (void)from, (void)memory; }
  virtual void forward(Pass<T>& pass) const = 0;
  virtual void backward(Pass<T>& pass) const = 0;
  // Pearlmutter's R-operator: the derivative of what forward and backward write, along the tangents of the parameters.
  // Of unfused ops, after both; the tangent of an input that is not wanted is 0.
  virtual void forward_tangent(Pass<T>& pass) const { no_second_derivative(pass); }
  virtual void backward_tangent(Pass<T>& pass) const { no_second_derivative(pass); }

  // Of the choices that the last forward made at kinks of the function; 0 for smooth ops.
  virtual uint64_t fingerprint(Pass<T>& pass) const {
    (void)pass;
    return 0;
  }

  // Of the kernels that it calls those that not every device has.
  virtual std::vector<const char*> rare_kernels() const { return {}; }

  // Of an activation its own name, else that of the op in descriptors.
  virtual std::string kind() const { return op; }
  // Whether a batch of one example leaves nothing to compute in training.
  virtual bool needs_several_examples() const { return false; }
  // The parameters that forward passes of training move: see Pass::staged.
  virtual std::vector<size_t> statistics() const { return {}; }

  virtual bool is_alias() const { return false; }  // its value is its input's
  // Some ops can apply the activation above them; some f' of the activation below them; and some that have fused the
  // one above its f' as well, before their own way back.
  virtual bool fuse_above(ActivationChoice) { return false; }
  virtual bool fuse_below(ActivationChoice) { return false; }
  virtual bool fuse_slope_above() { return false; }
  // Of a batch norm: whether it finds statistics of blocks of rows, which the only maker of its rows can do in its
  // place, in a batch of so many; they lie in the norm's memory.
  virtual bool finds_statistics() const { return false; }
  virtual void set_statistics_from(const Op&) {}
  virtual void set_statistics_for(size_t) {}
  virtual bool gives_statistics(size_t) const { return false; }
  // An activation whose sign is that of its input; then whether the ops beside it do its work.
  virtual std::optional<ActivationChoice> fusible() const { return std::nullopt; }
  virtual void set_forward_fused() {}
  virtual void set_backward_fused() {}

  // Elements of the last dimension: in an image its channels.
  size_t units() const { return shape.empty() ? 1 : shape.back(); }

  const size_t node;
  const std::string op, name;
  const std::vector<size_t> inputs;
  Shape shape;                     // of one example of the value
  std::vector<size_t> parameters;  // those that it uses

 private:
  [[noreturn]] void no_second_derivative(Pass<T>&) const {
    throw Error("GRADUS_NO_SECOND_DERIVATIVE", name + ": the op " + op + " has no second derivative");
  }
};

// The op that descriptors call `name`; none if there is no such op.
template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& name, const NodeReader& node);

// Where make_op() looks: each op adds itself, for each type.
template <class T>
struct OpEntry {
  using Make = std::unique_ptr<Op<T>> (*)(const NodeReader&);
  OpEntry(const char* name, Make make) : name(name), make(make), next(std::exchange(first, this)) {}

  const char* name;
  Make make;
  const OpEntry* next;
  inline static const OpEntry* first = nullptr;
};

template <template <class> class Class, class T>
std::unique_ptr<Op<T>> make_as(const NodeReader& node) {
  return std::make_unique<Class<T>>(node);
}

#define GRADUS_OP(name, Class)                                                \
  static const OpEntry<float> name##_of_floats(#name, make_as<Class, float>); \
  static const OpEntry<double> name##_of_doubles(#name, make_as<Class, double>);

}  // namespace gradus
