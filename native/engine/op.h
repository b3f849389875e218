// An op: one node of the graph with its forward and backward, and the pass that it works in.
#pragma once
#include <algorithm>
#include <array>
#include <utility>
#include <optional>

#include "fields.h"
#include "fingerprint.h"
#include "kernels/kernels.h"
#include "pool.h"
#include "program.h"

namespace gradus {

class Host;

// What a pass knows of a node's value. Sizes are of one example.
template <class T>
struct NodeState {
  size_t size = 0;
  bool index = false;    // an input of row numbers: indices instead of value
  bool wanted = false;   // a trainable parameter lies below: the gradient is made
  bool written = false;  // the gradient has been given once in this pass
  Buffer<T> value, gradient;
  Buffer<T> tangent, gradient_tangent;  // how they move with the parameters; only where that is asked for
  Buffer<int32_t> indices;
};

template <class T>
struct ParameterState {
  T* w = nullptr;
  T* gradient = nullptr;
  size_t size = 0;
  bool trainable = true;
  size_t users = 0;      // ops that use it
  bool written = false;  // the gradient has been given once in this update
  bool watched = false;  // whoever wrote the gradient has looked for elements that are not finite
  bool nonfinite = false;
  bool is_staged = false;
  Buffer<T> staged;  // the value after this update, for parameters that the forward pass moves
  // The direction that a tangent pass moves along, and how the gradient moves then: zeros that the ops add to.
  Buffer<T> tangent, gradient_tangent;
};

// A weight's gradient that is still to be computed, piece by piece, right before the pieces' update.
template <class T>
struct DeferredGradient {
  size_t parameter;
  Matmul<T> task;
};

template <class T>
class Pass {
 public:
  const Kernels<T>* kernels = nullptr;
  Pool* pool = nullptr;
  Host* host = nullptr;  // of custom ops and losses; may be none
  size_t batch = 0;
  bool training = false;
  bool randomness = true;              // whether dropout drops in training
  uint64_t host_loss_fingerprint = 0;  // of the last loss that the host computed
  Counter counter;                     // seed and step; each op sets its stream
  std::vector<NodeState<T>> nodes;
  std::vector<size_t> home;  // node → the node whose memory it lives in: reshapes and fused ops share
  std::vector<ParameterState<T>> parameters;
  bool defers = false;  // whether backward may leave gradients of large weights to the update
  std::vector<DeferredGradient<T>> deferred;
  Buffer<T> scratch;                  // for gradients that are added to others
  std::vector<Buffer<T>> workspaces;  // of matmul, one a thread

  NodeState<T>& at(size_t node) { return nodes[home[node]]; }
  T* value(size_t node) { return at(node).value.data(); }
  T* gradient(size_t node) { return at(node).gradient.data(); }
  T* tangent(size_t node) { return at(node).tangent.data(); }
  T* gradient_tangent(size_t node) { return at(node).gradient_tangent.data(); }
  bool wanted(size_t node) { return at(node).wanted; }

  // write(dx) gives this node's gradient, or one more part of it, if anybody wants it.
  template <class Write>
  void give_gradient(size_t node, const Write& write) {
    give(at(node), gradient(node), write);
  }
  // The same of the gradient's tangent, in a tangent pass.
  template <class Write>
  void give_gradient_tangent(size_t node, const Write& write) {
    give(at(node), gradient_tangent(node), write);
  }
  // Whether something lies there to add to; from now on it does.
  bool mark(bool& written) { return std::exchange(written, true); }
  // For kernels that add into a parameter's gradient: zeros there the first time.
  T* added_gradient(size_t parameter) {
    ParameterState<T>& to = parameters[parameter];
    if (!mark(to.written)) std::fill_n(to.gradient, to.size, T(0));
    return to.gradient;
  }
  T* staged(size_t parameter) {
    ParameterState<T>& of = parameters[parameter];
    if (!mark(of.is_staged)) {
      of.staged.grow(of.size);
      std::copy_n(of.w, of.size, of.staged.data());
    }
    return of.staged.data();
  }

  // Bytes of the nodes' buffers and the workspaces.
  size_t memory() const {
    size_t bytes = scratch.size() * sizeof(T);
    for (const NodeState<T>& node : nodes)
      bytes +=
          (node.value.size() + node.gradient.size() + node.tangent.size() + node.gradient_tangent.size()) * sizeof(T) +
          node.indices.size() * sizeof(int32_t);
    for (const Buffer<T>& workspace : workspaces) bytes += workspace.size() * sizeof(T);
    return bytes;
  }

  void matmul(const Matmul<T>& task);
  // The gradient of a weight as a product; left for the update if that may be and pays.
  void weight_gradient(size_t parameter, Matmul<T> task);
  void complete_deferred();  // computes what was left after all
  // body(first, count) over stretches of n elements, on all threads when there is enough to do.
  template <class Body>
  void stretches(size_t n, const Body& body) {
    cut(n, size_t(1) << 14, body);
  }
  // The same over rows that hold `columns` elements each.
  template <class Body>
  void row_blocks(size_t rows, size_t columns, const Body& body) {
    cut(rows, std::max<size_t>(1, (size_t(1) << 14) / std::max<size_t>(1, columns)), body);
  }
  // The same over columns of `rows` elements each, in whole cache lines.
  template <class Body>
  void column_blocks(size_t columns, size_t rows, const Body& body) {
    cut(columns, round_up((size_t(1) << 14) / std::max<size_t>(1, rows) + 1, 64), body);
  }
  void column_sums(const T* x, size_t rows, size_t columns, T beta, T* sums);

 private:
  template <class Write>
  void give(NodeState<T>& node, T* to, const Write& write) {
    if (!node.wanted) return;
    if (!mark(node.written)) return write(to);
    const size_t n = batch * node.size;
    scratch.grow(n);
    write(scratch.data());
    kernels->add(to, scratch.data(), n, to);
  }
  template <class Body>
  void cut(size_t n, size_t block, const Body& body) {
    if (n < 2 * block || pool->threads() == 1) return body(size_t(0), n);
    pool->parallel((n + block - 1) / block,
                   [&](size_t piece, size_t) { body(piece * block, std::min(block, n - piece * block)); });
  }
};

// A node of the descriptor as its op reads it, shapes of its inputs known.
struct NodeReader {
  Fields fields;
  size_t number = 0;
  std::string name;
  std::vector<size_t> inputs;
  std::vector<Shape> input_shapes;
  std::vector<bool> input_is_index;
  const std::vector<ParameterInfo>* parameters = nullptr;

  const Shape& only_input() const;  // the shape of the one real input
  size_t parameter(const std::string& role, const Shape& shape) const;
  std::optional<size_t> optional_parameter(const std::string& role, const Shape& shape) const;
};

// What fusion asks about an op.
struct ActivationChoice {
  Activation kind = Activation::identity;
  double parameter = 0;
};

template <class T>
class Op {
 public:
  explicit Op(const NodeReader& node)
      : node(node.number), op(node.fields.text("op")), name(node.name), inputs(node.inputs) {}
  virtual ~Op() = default;
  virtual void reserve(size_t batch) { (void)batch; }  // memory of its own for so many examples
  virtual void forward(Pass<T>& pass) = 0;
  virtual void backward(Pass<T>& pass) = 0;
  // Pearlmutter's R-operator: the derivative of what forward and backward write, along the tangents of the parameters.
  // Of unfused ops, after both; the tangent of an input that is not wanted is 0.
  virtual void forward_tangent(Pass<T>& pass) { no_second_derivative(pass); }
  virtual void backward_tangent(Pass<T>& pass) { no_second_derivative(pass); }

  // Of the choices that the last forward made at kinks of the function; 0 for smooth ops.
  virtual uint64_t fingerprint(Pass<T>& pass) const {
    (void)pass;
    return 0;
  }

  // Of an activation its own name, else that of the op in descriptors.
  virtual std::string kind() const { return op; }

  virtual bool is_alias() const { return false; }  // its value is its input's
  // A dense op can apply the activation above it, and f' of the activation below it.
  virtual bool fuse_above(ActivationChoice) { return false; }
  virtual bool fuse_below(ActivationChoice) { return false; }
  // An activation whose derivative follows from its value; then whether the ops beside it do its work.
  virtual std::optional<ActivationChoice> fusible() const { return std::nullopt; }
  virtual void set_forward_fused() {}
  virtual void set_backward_fused() {}

  size_t node;
  std::string op, name;
  std::vector<size_t> inputs;
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
