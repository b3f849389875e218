// A convolution over height and width, channels last, or a transposed one, which is the way back of a convolution from
// its outputs to its inputs: see kernels/convolution.h.
#include "image.h"
#include "weighted.h"

namespace gradus {
namespace {

template <class T>
class ConvolutionOp final : public WeightedOp<T> {
 public:
  explicit ConvolutionOp(const NodeReader& node) : WeightedOp<T>(node) {
    const ImageSize image(node);
    is_transposed_ = node.fields.find("outputPadding") != nullptr;
    weight_ = node.parameter("weight", image.is_line ? Shape{0, 0, 0} : Shape{0, 0, 0, 0});
    Shape weights = node.parameters[weight_].shape;
    if (image.is_line) weights.insert(weights.begin(), 1);
    read_channels(node, image, weights);
    Windows windows(node, weights[0], weights[1], counts(node, "dilation", 2));
    if (is_transposed_)
      windows.fit_outputs(node, image.height, image.width, counts(node, "outputPadding", 2));
    else
      windows.fit(node, image.height, image.width);
    of_one_.height = windows.height, of_one_.width = windows.width;
    constexpr size_t largest_window = size_t(1) << 27;
    if (convolution_workspace(of_one_) > largest_window)
      node.fields.fail("expected windows of up to 2^27 elements, received larger ones");
    this->read_bias(node, is_transposed_ ? of_one_.channels : of_one_.filters);
    this->shape = is_transposed_ ? image.shape(of_one_.height.input, of_one_.width.input, of_one_.channels)
                                 : image.shape(of_one_.height.output, of_one_.width.output, of_one_.filters);
  }

  std::vector<const char*> rare_kernels() const override {
    if (is_depthwise(of_one_)) return {"depthwise", "depthwise_weights"};
    return {"pack_filters", "convolution", "convolution_weights"};
  }

  // While the outputs are in a cache: where its blocks of rows are cut as the images are.
  void set_statistics_for(size_t norm) override { norm_ = norm; }
  bool gives_statistics(size_t batch) const override {
    if (!norm_ || is_transposed_ || is_depthwise(of_one_) || pixels() % block_rows != 0) return false;
    Convolution<T> task;
    task.shape = shape_of(batch);
    return task.parts_are_images();
  }

  // packed filters; sums over chunks of images, of both gradients; of a transposed one sums of rows, for the bias
  void reserve(size_t batch, Memory& from, OpMemory<T>& memory) const override {
    const ConvolutionShape shape = shape_of(batch);
    if (!is_depthwise(shape)) memory.reals[0].grow(packed_filters_size(shape), from);
    memory.reals[1].grow(product(chunks_of(shape), stride_of_chunks(shape)), from);
    if (is_transposed_) this->reserve_sums(product(batch, pixels()), from, memory.reals[2]);
  }

  void forward(Pass<T>& pass) const override {
    Convolution<T> task = task_of(pass, is_transposed_, pass.parameter(weight_));
    task.input = pass.value(this->inputs[0]), task.output = pass.value(this->node);
    this->finish(pass, task);
    if (pass.training && gives_statistics(pass.batch)) {
      OpMemory<T>& norm = pass.of_op(*norm_);
      task.means = norm.reals[2].data(), task.squares = norm.reals[3].data();
    }
    convolve(pass, task);
  }

  void backward(Pass<T>& pass) const override {
    const T* dy = pass.gradient(this->node);
    const bool weights = pass.is_trainable(weight_), bias = !is_transposed_ && bias_ && pass.is_trainable(*bias_);
    if (weights || bias) add_sums(pass, pass.value(this->inputs[0]), dy, weights, bias);
    if (weights) give(pass, weight_, 0, pass.mark_parameter(weight_) ? 1 : 0, pass.parameter_gradient(weight_));
    if (bias)
      give(pass, *bias_, weights_of(of_one_), pass.mark_parameter(*bias_) ? 1 : 0, pass.parameter_gradient(*bias_));
    if (is_transposed_) this->give_bias(pass, dy, pass.batch * pixels(), pass.of_op(this->node).reals[2]);
    const size_t input = this->inputs[0];
    if (!pass.wanted(input)) return;
    Convolution<T> task = task_of(pass, !is_transposed_, pass.parameter(weight_));
    task.input = dy, task.output = pass.gradient(input);
    this->finish_gradient(pass, task);
    convolve(pass, task);
  }

  // It is linear in the input and in the weights: with V and v the tangents of weight and bias, Ẏ is that of X by V,
  // plus v, and of Ẋ by W.
  void forward_tangent(Pass<T>& pass) const override {
    Convolution<T> task = task_of(pass, is_transposed_, pass.parameter_tangent(weight_));
    task.input = pass.value(this->inputs[0]), task.output = pass.tangent(this->node);
    this->finish_tangent(pass, task);
    convolve(pass, task);
    if (!pass.wanted(this->inputs[0])) return;
    task = task_of(pass, is_transposed_, pass.parameter(weight_));
    task.input = pass.tangent(this->inputs[0]), task.output = pass.tangent(this->node);
    task.beta = 1;
    convolve(pass, task);
  }

  void backward_tangent(Pass<T>& pass) const override {
    const size_t input = this->inputs[0];
    const T *dy = pass.gradient(this->node), *dy_tangent = pass.gradient_tangent(this->node);
    T* const of_weight = pass.parameter_gradient_tangent(weight_);
    const bool bias = !is_transposed_ && bias_;
    add_sums(pass, pass.value(input), dy_tangent, true, bias);
    give(pass, weight_, 0, 1, of_weight);
    if (bias) give(pass, *bias_, weights_of(of_one_), 1, pass.parameter_gradient_tangent(*bias_));
    if (is_transposed_)
      this->give_bias_tangent(pass, dy_tangent, pass.batch * pixels(), pass.of_op(this->node).reals[2]);
    if (!pass.wanted(input)) return;
    add_sums(pass, pass.tangent(input), dy, true, false);
    give(pass, weight_, 0, 1, of_weight);
    Convolution<T> task = task_of(pass, !is_transposed_, pass.parameter(weight_));
    task.input = dy_tangent, task.output = pass.gradient_tangent(input);
    task.beta = pass.mark_gradient(input) ? 1 : 0;
    convolve(pass, task);
    task = task_of(pass, !is_transposed_, pass.parameter_tangent(weight_));
    task.input = dy, task.output = pass.gradient_tangent(input);
    task.beta = 1;
    convolve(pass, task);
  }

 private:
  // Weights are those of the convolution, whose outputs are the inputs of a transposed one.
  void read_channels(const NodeReader& node, const ImageSize& image, const Shape& weights) {
    const size_t groups = of_one_.groups = node.fields.count("groups");
    of_one_.channels = product(weights[2], groups), of_one_.filters = weights[3];
    if (groups == 0 || image.channels != (is_transposed_ ? of_one_.filters : of_one_.channels) ||
        weights[3] % groups != 0)
      node.fields.fail("groups: " + std::to_string(groups) + " of " + std::to_string(weights[2]) + " channels and " +
                       std::to_string(weights[3]) + " filters do not fit the " + std::to_string(image.channels) +
                       " channels of the input, or do not divide the filters");
  }
  size_t pixels() const { return elements_of(this->shape) / this->shape.back(); }

  ConvolutionShape shape_of(size_t batch) const {
    ConvolutionShape shape = of_one_;
    shape.batch = batch;
    return shape;
  }
  // With these weights, packed where they have to be.
  Convolution<T> task_of(Pass<T>& pass, bool transposed, const T* weights) const {
    Convolution<T> task;
    task.shape = shape_of(pass.batch), task.transposed = transposed, task.weights = weights;
    task.rows = task.all_rows();
    if (is_depthwise(task.shape)) return task;
    T* const packed = pass.of_op(this->node).reals[0].data();
    pass.device.pack_filters(task, 0, taps_of(task.shape), packed);
    task.packed = packed;
    return task;
  }
  void convolve(Pass<T>& pass, const Convolution<T>& task) const {
    is_depthwise(task.shape) ? pass.device.depthwise(task) : pass.device.convolution(task, nullptr);
  }
  // x and dy of this op, which a transposed one has the other way round.
  void add_sums(Pass<T>& pass, const T* x, const T* dy, bool weights, bool bias) const {
    ConvolutionWeights<T> task;
    task.shape = shape_of(pass.batch), task.x = is_transposed_ ? dy : x, task.dy = is_transposed_ ? x : dy;
    task.with_weights = weights, task.with_bias = bias;
    task.sums = pass.of_op(this->node).reals[1].data();
    task.parts = chunks_of(task.shape) * parts_of_chunk(task.shape);
    is_depthwise(task.shape) ? pass.device.depthwise_weights(task, nullptr)
                             : pass.device.convolution_weights(task, nullptr);
  }
  // to = beta · to + the sums of all chunks that begin there
  void give(Pass<T>& pass, size_t parameter, size_t first, T beta, T* to) const {
    const ConvolutionShape shape = shape_of(pass.batch);
    const T* const sums = pass.of_op(this->node).reals[1].data() + first;
    pass.device.add_blocks(sums, chunks_of(shape), pass.size_of_parameter(parameter), stride_of_chunks(shape), beta,
                           to);
  }

  using WeightedOp<T>::weight_, WeightedOp<T>::bias_;
  ConvolutionShape of_one_;
  bool is_transposed_;
  std::optional<size_t> norm_;  // the batch norm that takes its outputs
};

}  // namespace
GRADUS_OP(convolution, ConvolutionOp)
}  // namespace gradus
