// A convolution over height and width, channels last: see kernels/convolution.h.
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class ConvolutionOp final : public Op<T> {
 public:
  explicit ConvolutionOp(const NodeReader& node) : Op<T>(node) {
    const Shape& input = node.only_input();
    if (input.size() != 3)
      node.fields.fail("expected an input of height, width and channels, received " + to_string(input));
    weight_ = node.parameter("weight", {0, 0, 0, 0});
    const Shape& weights = node.parameters[weight_].shape;
    const std::vector<size_t> strides = counts(node, "stride", 2), dilations = counts(node, "dilation", 2);
    const std::vector<size_t> padding = counts(node, "padding", 4);  // top, bottom, left, right
    of_one_.channels = input[2], of_one_.filters = weights[3];
    of_one_.groups = node.fields.count("groups");
    if (of_one_.groups == 0 || input[2] != product(weights[2], of_one_.groups) || weights[3] % of_one_.groups != 0)
      node.fields.fail("groups: " + std::to_string(of_one_.groups) + " of " + std::to_string(weights[2]) +
                       " channels each do not make the " + std::to_string(input[2]) +
                       " of the input, or do not divide " + std::to_string(weights[3]) + " filters");
    of_one_.height = axis(node, input[0], weights[0], strides[0], dilations[0], padding[0], padding[1]);
    of_one_.width = axis(node, input[1], weights[1], strides[1], dilations[1], padding[2], padding[3]);
    constexpr size_t largest_window = size_t(1) << 27;
    if (convolution_workspace(of_one_) > largest_window)
      node.fields.fail("expected windows of up to 2^27 elements, received larger ones");
    bias_ = node.optional_parameter("bias", {weights[3]});
    this->shape = {of_one_.height.output, of_one_.width.output, weights[3]};
    elements_of(this->shape);
    this->parameters = {weight_};
    if (bias_) this->parameters.push_back(*bias_);
  }

  bool fuse_above(ActivationChoice activation) override {
    above_ = activation;
    return true;
  }
  bool fuse_below(ActivationChoice activation) override {
    below_ = activation;
    return true;
  }

  // packed filters; sums over chunks of images, of both gradients
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    const ConvolutionShape shape = shape_of(batch);
    memory.reals[0].grow(packed_filters_size(shape), from);
    memory.reals[1].grow(product(chunks_of(shape), stride_of_chunks(shape)), from);
  }

  void forward(Pass<T>& pass) const override {
    Convolution<T> task = task_of(pass, false, pass.parameter(weight_));
    task.input = pass.value(this->inputs[0]), task.output = pass.value(this->node);
    task.bias = bias_ ? pass.parameter(*bias_) : nullptr;
    task.activation = above_.kind, task.activation_parameter = T(above_.parameter);
    pass.device.convolution(task, nullptr);
  }

  void backward(Pass<T>& pass) const override {
    const T* dy = pass.gradient(this->node);
    const bool weights = pass.is_trainable(weight_), bias = bias_ && pass.is_trainable(*bias_);
    if (weights || bias) add_sums(pass, pass.value(this->inputs[0]), dy, weights, bias);
    if (weights) give(pass, weight_, 0, pass.mark_parameter(weight_) ? 1 : 0, pass.parameter_gradient(weight_));
    if (bias)
      give(pass, *bias_, weights_of(of_one_), pass.mark_parameter(*bias_) ? 1 : 0, pass.parameter_gradient(*bias_));
    const size_t input = this->inputs[0];
    if (!pass.wanted(input)) return;
    Convolution<T> task = task_of(pass, true, pass.parameter(weight_));
    task.input = dy, task.output = pass.gradient(input);
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    if (below_) {
      task.gate = pass.value(input);
      task.gate_kind = below_->kind, task.gate_parameter = T(below_->parameter);
    }
    pass.device.convolution(task, nullptr);
  }

  // It is linear in the input and in the weights: with V and v the tangents of weight and bias, Ẏ is that of X by V,
  // plus v, and of Ẋ by W.
  void forward_tangent(Pass<T>& pass) const override {
    Convolution<T> task = task_of(pass, false, pass.parameter_tangent(weight_));
    task.input = pass.value(this->inputs[0]), task.output = pass.tangent(this->node);
    task.bias = bias_ ? pass.parameter_tangent(*bias_) : nullptr;
    pass.device.convolution(task, nullptr);
    if (!pass.wanted(this->inputs[0])) return;
    task = task_of(pass, false, pass.parameter(weight_));
    task.input = pass.tangent(this->inputs[0]), task.output = pass.tangent(this->node);
    task.beta = 1;
    pass.device.convolution(task, nullptr);
  }

  void backward_tangent(Pass<T>& pass) const override {
    const size_t input = this->inputs[0];
    const T *dy = pass.gradient(this->node), *dy_tangent = pass.gradient_tangent(this->node);
    T* const of_weight = pass.parameter_gradient_tangent(weight_);
    add_sums(pass, pass.value(input), dy_tangent, true, bias_.has_value());
    give(pass, weight_, 0, 1, of_weight);
    if (bias_) give(pass, *bias_, weights_of(of_one_), 1, pass.parameter_gradient_tangent(*bias_));
    if (!pass.wanted(input)) return;
    add_sums(pass, pass.tangent(input), dy, true, false);
    give(pass, weight_, 0, 1, of_weight);
    Convolution<T> task = task_of(pass, true, pass.parameter(weight_));
    task.input = dy_tangent, task.output = pass.gradient_tangent(input);
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    pass.device.convolution(task, nullptr);
    task = task_of(pass, true, pass.parameter_tangent(weight_));
    task.input = dy, task.output = pass.gradient_tangent(input);
    task.beta = 1;
    pass.device.convolution(task, nullptr);
  }

 private:
  static std::vector<size_t> counts(const NodeReader& node, const char* key, size_t length) {
    std::vector<size_t> found = node.fields.counts(key);
    if (found.size() != length)
      node.fields.fail(std::string(key) + ": expected " + std::to_string(length) + " numbers");
    return found;
  }
  static ConvolutionAxis axis(const NodeReader& node, size_t input, size_t kernel, size_t stride, size_t dilation,
                              size_t before, size_t after) {
    constexpr size_t largest = size_t(1) << 31;
    for (size_t size : {input, kernel, stride, dilation, before, after})
      if (size >= largest) node.fields.fail("expected sizes below 2^31, received " + std::to_string(size));
    if (stride == 0 || dilation == 0) node.fields.fail("expected stride and dilation above 0");
    const size_t extent = (kernel - 1) * dilation + 1, padded = input + before + after;
    if (before >= extent || after >= extent) node.fields.fail("padding: expected less than the kernel's extent");
    if (extent > padded)
      node.fields.fail("expected an input of at least " + std::to_string(extent) +
                       " pixels with its padding, received " + std::to_string(padded));
    ConvolutionAxis axis;
    axis.input = input, axis.output = (padded - extent) / stride + 1;
    axis.kernel = kernel, axis.stride = stride, axis.dilation = dilation, axis.padding = before;
    return axis;
  }

  ConvolutionShape shape_of(size_t batch) const {
    ConvolutionShape shape = of_one_;
    shape.batch = batch;
    return shape;
  }
  // With these weights packed.
  Convolution<T> task_of(Pass<T>& pass, bool transposed, const T* weights) const {
    Convolution<T> task;
    task.shape = shape_of(pass.batch), task.transposed = transposed, task.weights = weights;
    task.rows = task.all_rows();
    T* const packed = pass.of_op(this->node).reals[0].data();
    pass.device.pack_filters(task, 0, taps_of(task.shape), packed);
    task.packed = packed;
    return task;
  }
  void add_sums(Pass<T>& pass, const T* x, const T* dy, bool weights, bool bias) const {
    ConvolutionWeights<T> task;
    task.shape = shape_of(pass.batch), task.x = x, task.dy = dy;
    task.with_weights = weights, task.with_bias = bias;
    task.sums = pass.of_op(this->node).reals[1].data();
    task.parts = chunks_of(task.shape) * parts_of_chunk(task.shape);
    pass.device.convolution_weights(task, nullptr);
  }
  // to = beta · to + the sums of all chunks that begin there
  void give(Pass<T>& pass, size_t parameter, size_t first, T beta, T* to) const {
    const ConvolutionShape shape = shape_of(pass.batch);
    const T* const sums = pass.of_op(this->node).reals[1].data() + first;
    pass.device.add_blocks(sums, chunks_of(shape), pass.size_of_parameter(parameter), stride_of_chunks(shape), beta,
                           to);
  }

  ConvolutionShape of_one_;
  size_t weight_;
  std::optional<size_t> bias_;
  ActivationChoice above_;
  std::optional<ActivationChoice> below_;
};

}  // namespace
GRADUS_OP(convolution, ConvolutionOp)
}  // namespace gradus
