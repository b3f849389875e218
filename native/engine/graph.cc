#include "graph.h"

namespace gradus {

template <class T>
Graph<T>::Graph(const Value& descriptor, const Plan& plan, const Isa& isa, Pool& pool, Fusion fusion)
    : inputs_(plan.inputs.size()), output_(plan.output) {
  pass.kernels = &kernels_of<T>(isa);
  pass.pool = &pool;
  pass.counter.seed = plan.seed;
  pass.parameters.resize(plan.infos.size());
  for (size_t i = 0; i < plan.infos.size(); ++i) {
    pass.parameters[i].size = plan.infos[i].size;
    pass.parameters[i].trainable = plan.infos[i].trainable;
  }
  make_ops(descriptor, plan);
  output_shape_ = shapes_[output_];
  drop_unneeded();
  find_wanted(plan);
  if (fusion == Fusion::allowed) fuse();
}

template <class T>
void Graph<T>::make_ops(const Value& descriptor, const Plan& plan) {
  const Fields all(descriptor, "descriptor");
  vocabularies_.assign(inputs_, SIZE_MAX);
  std::vector<bool> is_index;
  for (const InputPlan& input : plan.inputs) {
    shapes_.push_back(input.shape);
    is_index.push_back(input.index);
  }
  for (const Value& value : all.array("nodes")) {
    const size_t number = shapes_.size();
    const std::string place = "nodes[" + std::to_string(number - inputs_) + "]";
    Fields unnamed(value, place);
    const std::string &op = unnamed.text("op"), &name = unnamed.text("name");
    NodeReader node{Fields(value, place + " (" + op + " " + name + ")"),
                    number,
                    name,
                    unnamed.counts("inputs"),
                    {},
                    {},
                    &plan.infos};
    for (size_t input : node.inputs) {
      if (input >= number)
        node.fields.fail("inputs: expected numbers of earlier nodes, received " + std::to_string(input));
      node.input_shapes.push_back(shapes_[input]);
      node.input_is_index.push_back(is_index[input]);
    }
    ops_.push_back(make_op<T>(op, node));
    if (!ops_.back()) node.fields.fail("op: there is no op \"" + op + "\"");
    product(elements_of(ops_.back()->shape), sizeof(double));
    note_vocabulary(*ops_.back(), node);
    shapes_.push_back(ops_.back()->shape);
    is_index.push_back(false);
  }
  if (output_ < inputs_ || output_ >= shapes_.size())
    all.fail("output: expected the number of a node that is no input");
  for (size_t i = 0; i < shapes_.size(); ++i) {
    NodeState<T> state;
    state.size = elements_of(shapes_[i]);
    state.index = is_index[i];
    pass.nodes.push_back(std::move(state));
    pass.home.push_back(i);
  }
}

// An index input goes to embeddings only; the smallest of their tables bounds it.
template <class T>
void Graph<T>::note_vocabulary(const Op<T>& op, const NodeReader& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.input_is_index[i]) {
      size_t& vocabulary = vocabularies_[node.inputs[i]];
      vocabulary = std::min(vocabulary, (*node.parameters)[op.parameters[0]].shape[0]);
    }
}

template <class T>
void Graph<T>::drop_unneeded() {
  std::vector<bool> needed(shapes_.size());
  needed[output_] = true;
  for (size_t i = ops_.size(); i-- > 0;)
    if (needed[ops_[i]->node])
      for (size_t input : ops_[i]->inputs) needed[input] = true;
  std::vector<std::unique_ptr<Op<T>>> kept;
  for (auto& op : ops_)
    if (needed[op->node]) kept.push_back(std::move(op));
  ops_ = std::move(kept);
}

// Aliases take their input's memory; a gradient is wanted where a trainable parameter lies below.
template <class T>
void Graph<T>::find_wanted(const Plan& plan) {
  for (size_t input = 0; input < inputs_; ++input) pass.nodes[input].wanted = plan.inputs[input].differentiated;
  for (auto& op : ops_) {
    if (op->is_alias()) pass.home[op->node] = pass.home[op->inputs[0]];
    bool wanted = false;
    for (size_t parameter : op->parameters) {
      wanted |= plan.infos[parameter].trainable;
      ++pass.parameters[parameter].users;
    }
    for (size_t input : op->inputs) wanted |= pass.wanted(input);
    if (wanted) pass.at(op->node).wanted = true;
  }
}

template <class T>
void Graph<T>::fuse() {
  std::vector<std::vector<Op<T>*>> takers(shapes_.size());  // by home
  std::vector<Op<T>*> makers(shapes_.size(), nullptr);      // by node
  for (auto& op : ops_) {
    makers[op->node] = op.get();
    if (!op->is_alias())
      for (size_t input : op->inputs) takers[pass.home[input]].push_back(op.get());
  }
  for (auto& op : ops_) {
    const std::optional<ActivationChoice> activation = op->fusible();
    if (!activation) continue;
    const size_t below = op->inputs[0];
    if (takers[pass.home[below]].size() != 1 || !makers[below] || !makers[below]->fuse_above(*activation)) continue;
    op->set_forward_fused();
    for (size_t& home : pass.home)
      if (home == below) home = op->node;
    const auto& above = takers[op->node];
    if (above.size() == 1 && above[0]->fuse_below(*activation)) op->set_backward_fused();
  }
}

template <class T>
void Graph<T>::reserve(size_t batch, size_t threads) {
  for (size_t i = 0; i < pass.nodes.size(); ++i) {
    NodeState<T>& node = pass.nodes[i];
    const size_t size = product(batch, node.size);
    if (pass.home[i] != i) continue;
    if (node.index)
      node.indices.grow(size);
    else
      node.value.grow(size);
    if (node.wanted) node.gradient.grow(size);
  }
  for (auto& op : ops_) op->reserve(batch);
  while (pass.workspaces.size() < threads) pass.workspaces.emplace_back(matmul_workspace);
}

template <class T>
void Graph<T>::forward(size_t first_op) {
  for (size_t i = first_op; i < ops_.size(); ++i) ops_[i]->forward(pass);
}

template <class T>
size_t Graph<T>::first_user(size_t parameter) const {
  const auto uses = [parameter](const auto& op) {
    return std::find(op->parameters.begin(), op->parameters.end(), parameter) != op->parameters.end();
  };
  return size_t(std::find_if(ops_.begin(), ops_.end(), uses) - ops_.begin());
}

template <class T>
size_t Graph<T>::first_taker(size_t input) const {
  const auto takes = [input](const auto& op) {
    return std::find(op->inputs.begin(), op->inputs.end(), input) != op->inputs.end();
  };
  return size_t(std::find_if(ops_.begin(), ops_.end(), takes) - ops_.begin());
}

template <class T>
void Graph<T>::backward() {
  for (size_t i = ops_.size(); i-- > 0;)
    if (pass.wanted(ops_[i]->node)) ops_[i]->backward(pass);
  for (NodeState<T>& node : pass.nodes) node.written = false;
}

template <class T>
void Graph<T>::reserve_tangents() {
  for (NodeState<T>& node : pass.nodes) {
    node.tangent.grow(node.value.size());
    node.gradient_tangent.grow(node.gradient.size());
  }
  for (ParameterState<T>& parameter : pass.parameters) {
    parameter.tangent.grow(parameter.size);
    parameter.gradient_tangent.grow(parameter.size);
    std::fill_n(parameter.gradient_tangent.data(), parameter.size, T(0));
  }
}

// Where nothing trainable lies below, values do not move: their tangents are zeros that nobody writes.
template <class T>
void Graph<T>::forward_tangent() {
  for (auto& op : ops_)
    if (pass.wanted(op->node)) op->forward_tangent(pass);
}

template <class T>
void Graph<T>::backward_tangent() {
  for (size_t i = ops_.size(); i-- > 0;)
    if (pass.wanted(ops_[i]->node)) ops_[i]->backward_tangent(pass);
  for (NodeState<T>& node : pass.nodes) node.written = false;
}

template class Graph<float>;
template class Graph<double>;

}  // namespace gradus
