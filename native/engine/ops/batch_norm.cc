// Each element of the last dimension brought to mean 0 and variance 1 over the batch and all other dimensions, then
// gain and bias. Outside training running averages take the place of the batch's statistics; they move only with an
// accepted update, so they wait staged until then. So they do for a single row and where the layer is frozen, and stay
// as they are. It applies the activation above it and, where no other op does, multiplies by its slope.
#include "norm.h"

namespace gradus {
namespace {

template <class T>
class BatchNorm final : public NormOp<T> {
 public:
  explicit BatchNorm(const NodeReader& node) : NormOp<T>(node) {
    running_mean_ = node.parameter("mean", {columns_});
    running_variance_ = node.parameter("variance", {columns_});
    for (size_t running : {running_mean_, running_variance_})
      if (node.parameters[running].trainable) node.fields.fail("mean and variance cannot be trainable");
    // Frozen where nothing of it is trained, unless the descriptor says so of a layer that has nothing to train.
    is_frozen_ = true;
    for (size_t parameter : this->parameters) is_frozen_ = is_frozen_ && !node.parameters[parameter].trainable;
    if (this->parameters.empty() && node.fields.find("frozen")) is_frozen_ = node.fields.flag("frozen");
    momentum_ = T(node.fields.number_within("momentum", 0.9, 0, 1));
  }

  bool fuse_above(ActivationChoice activation) override {
    above_ = activation;
    return true;
  }
  bool fuse_slope_above() override { return gates_ = above_.kind != Activation::identity; }

  bool finds_statistics() const override { return !is_frozen_; }
  void set_statistics_from(const Op<T>& below) override { below_ = &below; }

  bool needs_several_examples() const override { return !is_frozen_ && rows_ == 1; }
  std::vector<size_t> statistics() const override {
    return is_frozen_ ? std::vector<size_t>() : std::vector<size_t>{running_mean_, running_variance_};
  }

  // mean, inverse deviation and variance, and ones and zeros in place of gain and bias; gradients of both over the
  // batch; two sums for each block of rows: mean and squares, which stay, and those of the gradients
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    memory.reals[0].grow(5 * columns_, from);
    memory.reals[1].grow(2 * columns_, from);
    for (size_t i : {2, 3}) memory.reals[i].grow(product(2 * blocks_of(product(batch, rows_)), columns_), from);
  }

  void forward(Pass<T>& pass) const override {
    if (is_plain()) {
      pass.device.fill(T(1), columns_, plain(pass));
      pass.device.fill(T(0), columns_, plain(pass) + columns_);
    }
    Norm<T> norm = of(pass);
    norm.y = pass.value(this->node);
    norm.above = above_.kind, norm.above_parameter = T(above_.parameter);
    if (follows(pass)) {
      find_statistics(pass, norm);
    } else {
      pass.device.copy(pass.parameter(running_mean_), columns_, norm.mean);
      pass.device.inverse_deviations(pass.parameter(running_variance_), columns_, epsilon_, norm.inverse_deviation);
    }
    pass.device.batch_norm_forward(norm);
  }

  void backward(Pass<T>& pass) const override {
    Norm<T> norm = of(pass);
    OpMemory<T>& memory = pass.of_op(this->node);
    norm.dy = pass.gradient(this->node);
    if (gates_)
      norm.above = above_.kind, norm.above_parameter = T(above_.parameter), norm.dz = pass.gradient(this->node);
    const size_t statistics = blocks_of(this->rows(pass)) * columns_;
    norm.dgain = memory.reals[2].data() + statistics, norm.dbias = memory.reals[3].data() + statistics;
    follows(pass) ? backward_of_batch(pass, norm) : backward_of_constants(pass, norm);
  }

  void forward_tangent(Pass<T>& pass) const override { pass.device.batch_norm_forward_tangent(tangent_of(pass)); }
  void backward_tangent(Pass<T>& pass) const override {
    const auto run = [&](T* dx) {
      NormTangent<T> tangent = tangent_of(pass);
      tangent.dx_tangent = dx;
      pass.device.batch_norm_backward_tangent(tangent);
    };
    pass.give_gradient_tangent_or_none(this->inputs[0], run);
  }

 private:
  // Whether mean and deviation are those of the batch.
  bool follows(const Pass<T>& pass) const { return pass.training && !is_frozen_ && this->rows(pass) > 1; }
  bool is_plain() const { return !gain_ || !bias_; }
  T* plain(Pass<T>& pass) const { return pass.of_op(this->node).reals[0].data() + 3 * columns_; }

  Norm<T> of(Pass<T>& pass) const {
    T* mean = pass.of_op(this->node).reals[0].data();
    return this->norm_of(pass, mean, mean + columns_, plain(pass));
  }
  NormTangent<T> tangent_of(Pass<T>& pass) const {
    return NormOp<T>::tangent_of(pass, of(pass), follows(pass), plain(pass) + columns_);
  }

  // Those of the batch, which the running ones follow. The running variance is that of the examples to come, unbiased
  // as in Ioffe and Szegedy 2015.
  void find_statistics(Pass<T>& pass, const Norm<T>& norm) const {
    OpMemory<T>& memory = pass.of_op(this->node);
    T *means = memory.reals[2].data(), *squares = memory.reals[3].data();
    T* variance = norm.inverse_deviation + columns_;
    const size_t rows = this->rows(pass);
    if (!below_ || !below_->gives_statistics(pass.batch))
      pass.device.batch_norm_block_statistics(norm.x, rows, columns_, columns_, means, squares);
    pass.device.batch_norm_merge(means, squares, rows, columns_, columns_, epsilon_, norm.mean, variance,
                                 norm.inverse_deviation);
    const T unbiased = T(rows) / T(rows - 1);
    pass.move_statistic(running_mean_, norm.mean, momentum_, T(1));
    pass.move_statistic(running_variance_, variance, momentum_, unbiased);
  }

  void backward_of_batch(Pass<T>& pass, Norm<T> norm) const {
    pass.device.batch_norm_block_gradients(norm);
    const size_t blocks = blocks_of(this->rows(pass));
    if (blocks > 1) {
      T* totals = pass.of_op(this->node).reals[1].data();
      for (T** sums : {&norm.dgain, &norm.dbias}) {
        pass.device.add_blocks(*sums, blocks, columns_, columns_, T(0), totals);
        *sums = totals;
        totals += columns_;
      }
    }
    pass.give_gradient(this->inputs[0], [&](T* dx) {
      norm.dx = dx;
      pass.device.batch_norm_backward(norm, this->rows(pass));
    });
    this->give_gain_and_bias(pass, norm.dgain, norm.dbias, 1);
  }
  void backward_of_constants(Pass<T>& pass, Norm<T> norm) const {
    const auto run = [&](T* dx) {
      norm.dx = dx;
      pass.device.batch_norm_backward_of_constants(norm);
    };
    pass.give_gradient_or_none(this->inputs[0], run);
    this->give_gain_and_bias(pass, norm.dgain, norm.dbias, blocks_of(this->rows(pass)));
  }

  using NormOp<T>::rows_, NormOp<T>::columns_, NormOp<T>::gain_, NormOp<T>::bias_, NormOp<T>::epsilon_;
  size_t running_mean_, running_variance_;
  bool is_frozen_, gates_ = false;
  ActivationChoice above_;
  const Op<T>* below_ = nullptr;
  T momentum_;
};

}  // namespace
GRADUS_OP(batch_norm, BatchNorm)
}  // namespace gradus
