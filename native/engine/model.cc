#include "model.h"

#include <algorithm>

namespace gradus {

template <class T>
Model<T>::Model(std::shared_ptr<const Plan> plan, Fusion fusion) : plan_(std::move(plan)) {
  layout_.parameters = plan_->infos;
  make_ops();
  drop_unneeded();
  for (const auto& op : ops_)
    for (size_t parameter : op->statistics()) layout_.parameters[parameter].is_statistic = true;
  find_wanted();
  if (fusion == Fusion::allowed) fuse();
  lay_out_gradients(fusion);
  estimate_times();
}

template <class T>
void Model<T>::make_ops() {
  vocabularies_.assign(plan_->inputs.size(), SIZE_MAX);
  std::vector<Node>& nodes = layout_.nodes;
  for (const InputPlan& input : plan_->inputs)
    nodes.push_back({input.shape, elements_of(input.shape), input.index, input.differentiated, nodes.size()});
  for (const NodePlan& plan : plan_->nodes) {
    NodeReader node{
        Fields(plan.fields, plan.place), nodes.size(), plan.op, plan.name, plan.inputs, {}, {}, plan_->infos};
    for (size_t input : node.inputs) {
      node.input_shapes.push_back(nodes[input].shape);
      node.input_is_index.push_back(nodes[input].index);
    }
    ops_.push_back(make_op<T>(plan.op, node));
    if (!ops_.back()) node.fields.fail("op: there is no op \"" + plan.op + "\"");
    const size_t size = elements_of(ops_.back()->shape);
    product(size, sizeof(double));
    note_vocabulary(*ops_.back());
    nodes.push_back({ops_.back()->shape, size, false, false, nodes.size()});
  }
}

// An index input goes to embeddings only; the smallest of their tables bounds it.
template <class T>
void Model<T>::note_vocabulary(const Op<T>& op) {
  for (size_t input : op.inputs)
    if (layout_.nodes[input].index)
      vocabularies_[input] = std::min(vocabularies_[input], plan_->infos[op.parameters[0]].shape[0]);
}

template <class T>
void Model<T>::drop_unneeded() {
  std::vector<bool> needed(layout_.nodes.size());
  needed[output()] = true;
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
void Model<T>::find_wanted() {
  std::vector<Node>& nodes = layout_.nodes;
  for (auto& op : ops_) {
    if (op->is_alias()) nodes[op->node].home = nodes[op->inputs[0]].home;
    bool is_wanted = false;
    for (size_t parameter : op->parameters) is_wanted |= plan_->infos[parameter].trainable;
    for (size_t input : op->inputs) is_wanted |= wanted(input);
    if (is_wanted) nodes[nodes[op->node].home].wanted = true;
  }
}

template <class T>
void Model<T>::fuse() {
  std::vector<Node>& nodes = layout_.nodes;
  std::vector<std::vector<Op<T>*>> takers(nodes.size());  // by home
  std::vector<Op<T>*> makers(nodes.size(), nullptr);      // by node
  for (auto& op : ops_) {
    makers[op->node] = op.get();
    if (!op->is_alias())
      for (size_t input : op->inputs) takers[nodes[input].home].push_back(op.get());
  }
  for (auto& op : ops_) {
    if (!op->finds_statistics() || !makers[op->inputs[0]] || takers[nodes[op->inputs[0]].home].size() != 1) continue;
    makers[op->inputs[0]]->set_statistics_for(op->node);
    op->set_statistics_from(*makers[op->inputs[0]]);
  }
  for (auto& op : ops_) {
    const std::optional<ActivationChoice> activation = op->fusible();
    if (!activation) continue;
    const size_t below = op->inputs[0];
    if (takers[nodes[below].home].size() != 1 || !makers[below] || !makers[below]->fuse_above(*activation)) continue;
    op->set_forward_fused();
    for (Node& node : nodes)
      if (node.home == below) node.home = op->node;
    const auto& above = takers[op->node];
    if ((above.size() == 1 && above[0]->fuse_below(*activation)) || makers[below]->fuse_slope_above())
      op->set_backward_fused();
  }
}

// A gradient is needed from the last op that takes its value, or from the loss, back to the first that makes it; what
// is asked for after the pass keeps a place of its own, as all do where nothing is joined and tangents follow.
// Backwards each takes the smallest free place that is large enough, else the largest one, which grows.
template <class T>
void Model<T>::lay_out_gradients(Fusion fusion) {
  const std::vector<Node>& nodes = layout_.nodes;
  std::vector<size_t> begins(nodes.size(), 0), ends(nodes.size(), SIZE_MAX);  // ops; counted backwards they end there
  for (size_t i = 0; i < ops_.size(); ++i) {
    const size_t home = nodes[ops_[i]->node].home;
    ends[home] = std::min(ends[home], i);
    for (size_t input : ops_[i]->inputs) begins[nodes[input].home] = i;
  }
  begins[nodes[output()].home] = ops_.size();
  gradient_places_.assign(nodes.size(), SIZE_MAX);
  std::vector<size_t> order, free_from;  // homes; by place the op below which it is free
  for (size_t home = 0; home < nodes.size(); ++home)
    if (nodes[home].home == home && nodes[home].wanted) order.push_back(home);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return begins[a] > begins[b]; });
  for (size_t home : order) {
    const size_t size = nodes[home].size;
    size_t best = SIZE_MAX;
    for (size_t place = 0; place < sizes_of_places_.size(); ++place) {
      if (free_from[place] <= begins[home]) continue;
      const size_t there = sizes_of_places_[place], found = best == SIZE_MAX ? 0 : sizes_of_places_[best];
      if (best == SIZE_MAX || (there >= size ? found < size || there < found : found < size && there > found))
        best = place;
    }
    if (best == SIZE_MAX) best = sizes_of_places_.size(), sizes_of_places_.push_back(0), free_from.push_back(0);
    sizes_of_places_[best] = std::max(sizes_of_places_[best], size);
    const bool stays = fusion == Fusion::none || ends[home] == SIZE_MAX;
    free_from[best] = stays ? 0 : ends[home];
    gradient_places_[home] = best;
  }
}

template <class T>
void Model<T>::reserve(size_t batch, Workspace<T>& workspace) const {
  reserve_forward(batch, workspace);
  workspace.gradients.states.resize(parameters().size());
  workspace.gradients.staged.resize(parameters().size());
  for (size_t p = 0; p < parameters().size(); ++p)
    if (parameters()[p].is_statistic) workspace.gradients.staged[p].grow(parameters()[p].size, workspace.memory);
  workspace.gradients.arena.grow(plan_->arena_size, workspace.memory);
  workspace.gradients.nonfinite.grow(2 * parameters().size() + 1, workspace.memory);
  workspace.gradient_places.resize(sizes_of_places_.size());
  for (size_t place = 0; place < sizes_of_places_.size(); ++place)
    workspace.gradient_places[place].grow(product(batch, sizes_of_places_[place]), workspace.memory);
  for (size_t home = 0; home < layout_.nodes.size(); ++home)
    if (gradient_places_[home] != SIZE_MAX)
      workspace.nodes[home].gradient = workspace.gradient_places[gradient_places_[home]].shared();
}

template <class T>
void Model<T>::reserve_forward(size_t batch, Workspace<T>& workspace) const {
  workspace.nodes.resize(layout_.nodes.size());
  workspace.ops.resize(layout_.nodes.size());
  for (size_t i = 0; i < layout_.nodes.size(); ++i) {
    const Node& node = layout_.nodes[i];
    NodeMemory<T>& memory = workspace.nodes[i];
    const size_t size = product(batch, node.size);
    if (node.home != i) continue;
    if (node.index)
      memory.indices.grow(size, workspace.memory);
    else
      memory.value.grow(size, workspace.memory);
  }
  for (auto& op : ops_) op->reserve(batch, workspace.memory, workspace.ops[op->node]);
}

template <class T>
void Model<T>::reserve_tangents(Workspace<T>& workspace) const {
  for (NodeMemory<T>& node : workspace.nodes) {
    node.tangent.grow(node.value.size(), workspace.memory);
    node.gradient_tangent.grow(node.gradient.size(), workspace.memory);
  }
  workspace.tangents.grow(plan_->arena_size, workspace.memory);
  workspace.gradient_tangents.grow(plan_->arena_size, workspace.memory);
}

template <class T>
void Model<T>::forward(Pass<T>& pass, size_t first_op) const {
  for (size_t i = first_op; i < ops_.size(); ++i) ops_[i]->forward(pass);
}

template <class T>
void Model<T>::backward(Pass<T>& pass) const {
  for (size_t i = ops_.size(); i-- > 0;)
    if (wanted(ops_[i]->node)) ops_[i]->backward(pass);
}

// Where nothing trainable lies below, values do not move: their tangents are zeros that nobody writes.
template <class T>
void Model<T>::forward_tangent(Pass<T>& pass) const {
  for (auto& op : ops_)
    if (wanted(op->node)) op->forward_tangent(pass);
}

template <class T>
void Model<T>::backward_tangent(Pass<T>& pass) const {
  for (size_t i = ops_.size(); i-- > 0;)
    if (wanted(ops_[i]->node)) ops_[i]->backward_tangent(pass);
}

// Of a processor with vectors of 256 bits or more, weights in its second or third cache. Of an embedding only the rows
// that are looked up count, as values.
template <class T>
void Model<T>::estimate_times() {
  constexpr double values_each = 16.0 / sizeof(T), weights_each = 48.0 / sizeof(T), products_each = 160.0 / sizeof(T);
  starting_nanoseconds_ = 100 * double(ops_.size());
  for (size_t i = 0; i < layout_.nodes.size(); ++i)
    if (layout_.nodes[i].home == i) moving_nanoseconds_ += double(layout_.nodes[i].size) / values_each;
  for (const auto& op : ops_) {
    const Node& node = layout_.nodes[op->node];
    if (!op->inputs.empty() && layout_.nodes[op->inputs[0]].index) continue;
    double weights = 0;
    for (size_t parameter : op->parameters) weights += double(plan_->infos[parameter].size);
    const double uses = double(node.size) / double(node.shape.empty() ? 1 : node.shape.back());
    reading_nanoseconds_ += weights / weights_each;
    multiplying_nanoseconds_ += weights * uses / products_each;
  }
}

template <class T>
size_t Model<T>::first_user(size_t parameter) const {
  const auto uses = [parameter](const auto& op) {
    return std::find(op->parameters.begin(), op->parameters.end(), parameter) != op->parameters.end();
  };
  return size_t(std::find_if(ops_.begin(), ops_.end(), uses) - ops_.begin());
}

template <class T>
size_t Model<T>::first_taker(size_t input) const {
  const auto takes = [input](const auto& op) {
    return std::find(op->inputs.begin(), op->inputs.end(), input) != op->inputs.end();
  };
  return size_t(std::find_if(ops_.begin(), ops_.end(), takes) - ops_.begin());
}

template <class T>
const std::string* Model<T>::needs_several_examples() const {
  for (auto& op : ops_)
    if (op->needs_several_examples()) return &op->name;
  return nullptr;
}

template class Model<float>;
template class Model<double>;

}  // namespace gradus
