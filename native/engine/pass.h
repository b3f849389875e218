// One way through a model, forward and maybe back: what an op may read, and where it writes. Flags begin with the pass.
#pragma once
#include <utility>

#include "fields.h"
#include "kernels/device.h"
#include "parameter.h"
#include "workspace.h"

namespace gradus {

class Host;

// What is known of a node before there is a value of it. Sizes are of one example.
struct Node {
  Shape shape;
  size_t size = 0;
  bool index = false;   // an input of row numbers: indices instead of a value
  bool wanted = false;  // a trainable parameter lies below: the gradient is made
  size_t home = 0;      // the node whose memory it lives in: reshapes and fused ops share
};

struct Layout {
  std::vector<Node> nodes;
  std::vector<ParameterInfo> parameters;
};

// How a pass is made.
struct PassMode {
  bool training = false;          // batch statistics and dropout
  bool randomness = true;         // false: no dropout in training either
  Counter counter;                // seed and step; each op draws from its own stream
  bool fresh_statistics = false;  // in training: those that are staged are the batch's alone, not moved towards them
};

template <class T>
class Pass {
 public:
  Pass(const Layout& layout, const T* parameters, Workspace<T>& workspace, const Device<T>& device, Host* host,
       const PassMode& mode, size_t batch)
      : device(device),
        host(host),
        batch(batch),
        training(mode.training),
        randomness(mode.randomness),
        counter(mode.counter),
        fresh_statistics(mode.fresh_statistics),
        workspace(workspace),
        layout_(layout),
        parameters_(parameters) {}

  const Device<T>& device;
  Host* const host;  // of custom ops and losses; may be none
  const size_t batch;
  const bool training, randomness;
  const Counter counter;
  const bool fresh_statistics;
  Workspace<T>& workspace;

  // Of nodes, by number.
  size_t home(size_t node) const { return layout_.nodes[node].home; }
  size_t size(size_t node) const { return layout_.nodes[home(node)].size; }
  bool wanted(size_t node) const { return layout_.nodes[home(node)].wanted; }
  T* value(size_t node) { return memory(node).value.data(); }
  T* gradient(size_t node) { return memory(node).gradient.data(); }
  T* tangent(size_t node) { return memory(node).tangent.data(); }
  T* gradient_tangent(size_t node) { return memory(node).gradient_tangent.data(); }
  const int32_t* indices(size_t node) { return memory(node).indices.data(); }
  OpMemory<T>& of_op(size_t node) { return workspace.ops[node]; }

  // A backward pass begins clean, however the last one ended. The gradient of the output, to be filled in.
  T* begin_backward(size_t output) {
    begin_gradients(output);
    return gradient(output);
  }
  T* begin_backward_tangent(size_t output) {
    begin_gradients(output);
    return gradient_tangent(output);
  }
  // Whether something lies there to add to; from now on it does.
  bool mark_gradient(size_t node) { return std::exchange(workspace.written[home(node)], 1); }
  // write(dx) gives this node's gradient, or one more part of it, if anybody wants it.
  template <class Write>
  void give_gradient(size_t node, const Write& write) {
    if (wanted(node)) give(node, gradient(node), write);
  }
  // The same of the gradient's tangent, in a tangent pass.
  template <class Write>
  void give_gradient_tangent(size_t node, const Write& write) {
    if (wanted(node)) give(node, gradient_tangent(node), write);
  }
  // Both for ops that have more to do on the way: write(null) where nobody wants it.
  template <class Write>
  void give_gradient_or_none(size_t node, const Write& write) {
    wanted(node) ? give(node, gradient(node), write) : write(static_cast<T*>(nullptr));
  }
  template <class Write>
  void give_gradient_tangent_or_none(size_t node, const Write& write) {
    wanted(node) ? give(node, gradient_tangent(node), write) : write(static_cast<T*>(nullptr));
  }

  // Of parameters, by number.
  bool is_trainable(size_t parameter) const { return layout_.parameters[parameter].trainable; }
  size_t size_of_parameter(size_t parameter) const { return layout_.parameters[parameter].size; }
  const T* parameter(size_t parameter) const { return parameters_ + offset(parameter); }
  T* parameter_gradient(size_t parameter) { return workspace.gradients.arena.data() + offset(parameter); }
  T* parameter_tangent(size_t parameter) { return workspace.tangents.data() + offset(parameter); }
  T* parameter_gradient_tangent(size_t parameter) { return workspace.gradient_tangents.data() + offset(parameter); }
  // Whether something lies there to add to; from now on it does.
  bool mark_parameter(size_t parameter) { return std::exchange(workspace.gradients.states[parameter].written, true); }
  // For kernels that add into a parameter's gradient: zeros there the first time.
  T* added_gradient(size_t parameter) {
    T* to = parameter_gradient(parameter);
    if (!mark_parameter(parameter)) device.fill(T(0), size_of_parameter(parameter), to);
    return to;
  }
  // Adds (blocks, size of the parameter) sums of blocks of rows into the parameter's gradient, if it is trained.
  void give_parameter_gradient(size_t parameter, const T* of_blocks, size_t blocks) {
    if (!is_trainable(parameter)) return;
    const size_t n = size_of_parameter(parameter);
    const T beta = mark_parameter(parameter) ? 1 : 0;
    device.add_blocks(of_blocks, blocks, n, n, beta, parameter_gradient(parameter));
  }
  // The gradient of a weight as a product, of which only what lies where is said.
  void weight_gradient(size_t parameter, Matmul<T> task) {
    GradientState& state = workspace.gradients.states[parameter];
    task.c = parameter_gradient(parameter);
    task.beta = mark_parameter(parameter) ? 1 : 0;
    task.nonfinite = workspace.gradients.nonfinite.data() + parameter;
    state.watched = true;
    device.matmul(task);
  }
  // The value that a parameter has after this update, if it is accepted: begins as the one that it has.
  T* staged(size_t parameter) {
    GradientState& state = workspace.gradients.states[parameter];
    Buffer<T>& staged = workspace.gradients.staged[parameter];
    if (!std::exchange(state.is_staged, true)) {
      device.copy(this->parameter(parameter), size_of_parameter(parameter), staged.data());
    }
    return staged.data();
  }
  // Moves what is staged of a running statistic towards factor · that of the batch; where it begins anew, of a layer
  // that is used several times, to the mean over the uses.
  void move_statistic(size_t parameter, const T* of_batch, T momentum, T factor) {
    T* to = staged(parameter);
    const size_t uses = workspace.gradients.states[parameter].uses++;
    const T keep = fresh_statistics ? T(uses) / T(uses + 1) : momentum;
    device.move_average(of_batch, size_of_parameter(parameter), keep, factor, to);
  }

 private:
  NodeMemory<T>& memory(size_t node) { return workspace.nodes[home(node)]; }
  size_t offset(size_t parameter) const { return layout_.parameters[parameter].offset; }
  void begin_gradients(size_t output) {
    workspace.written.assign(layout_.nodes.size(), 0);
    mark_gradient(output);
  }
  template <class Write>
  void give(size_t node, T* to, const Write& write) {
    if (!mark_gradient(node)) return write(to);
    const size_t n = batch * size(node);
    workspace.scratch.grow(n, workspace.memory);
    write(workspace.scratch.data());
    device.add(to, workspace.scratch.data(), n, to);
  }

  const Layout& layout_;
  const T* parameters_;
};

}  // namespace gradus
