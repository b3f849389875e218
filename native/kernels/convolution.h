// Convolutions of images, channels last: what their kernels are told, and how they are cut, which follows from the
// shape alone. Plain data, like all that kernels are told. What kernels call is static: an inline function could escape
// from the objects of an instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus {

enum class Activation : int32_t;

// One of the two dimensions of an image.
struct ConvolutionAxis {
  size_t input = 1, output = 1;  // pixels of x and of y
  size_t kernel = 1, stride = 1, dilation = 1;
  size_t padding = 0;  // pixels of zero before the first one of x; those after the last follow from the sizes
};

// y (batch, height.output, width.output, filters) of x (batch, height.input, width.input, channels), zero outside, and
// weights w (height.kernel, width.kernel, channels / groups, filters): in each group of channels and filters
//   y(n, i, j, f) = Σ x(n, i · stride + p · dilation − padding, j · stride + q · dilation − padding, c) · w(p, q, c, f)
struct ConvolutionShape {
  size_t batch = 0, channels = 1, filters = 1, groups = 1;
  ConvolutionAxis height, width;
};
static inline constexpr size_t taps_of(const ConvolutionShape& shape) {
  return shape.height.kernel * shape.width.kernel;
}
// What an element of y sums over.
static inline constexpr size_t terms_of(const ConvolutionShape& shape) {
  return taps_of(shape) * (shape.channels / shape.groups);
}
static inline constexpr size_t weights_of(const ConvolutionShape& shape) { return terms_of(shape) * shape.filters; }
static inline constexpr size_t output_pixels(const ConvolutionShape& shape) {
  return shape.batch * shape.height.output * shape.width.output;
}
// Whether each filter sees one channel and each channel has one filter: such have kernels of their own.
static inline constexpr bool is_depthwise(const ConvolutionShape& shape) {
  return shape.groups > 1 && shape.groups == shape.channels && shape.groups == shape.filters;
}

// Work is cut into so many parts where each of them is worth a thread's while, in multiply-adds.
constexpr size_t convolution_parts = 16, convolution_worth_sharing = size_t(1) << 18;

// y = activation(x convolved + beta · y + bias), multiplied by gate'(·) if there is one. Transposed, the input is laid
// out as y and the output as x: the gradient of x where the input is that of y,
//   x(n, h, w, c) = Σ y(n, i, j, f) · w(p, q, c, f) over all that meet: i · stride + p · dilation − padding = h, …
// Each element sums in the order of the input's pixels, in blocks of whole rows of the kernel of up to 256 elements, or
// of a longer row cut evenly. Rows of the kernel above and below the image are no terms. Columns at its sides multiply
// zeros, or are no terms either, of finite weights with the same bits: which of them follows from the shape without the
// batch. The result does not depend on ISA, on how the output is cut or on the other images.
template <class T>
struct Convolution {
  ConvolutionShape shape;
  bool transposed = false;
  const T* weights = nullptr;  // of pack_filters and depthwise only
  const T* packed = nullptr;   // what that has made of them, aligned to 64 bytes
  const T* input = nullptr;
  T* output = nullptr;
  T beta = 0;               // 0: the output is written, never read
  const T* bias = nullptr;  // by the output's channels, or none
  Activation activation{};
  T activation_parameter = 0;
  const T* gate = nullptr;  // laid out as the output: see Matmul
  Activation gate_kind{};
  T gate_parameter = 0;
  bool* nonfinite = nullptr;  // set (never cleared) when an element written is not finite
  // Or none: what batch_norm_block_statistics finds of the output, its pixels being rows. Not transposed, where images
  // are whole blocks and parts_are_images().
  T *means = nullptr, *squares = nullptr;
  size_t first_row = 0, rows = 0;  // the rows of pixels of the output to be computed, counted over all images

  constexpr size_t rows_of_image() const { return transposed ? shape.height.input : shape.height.output; }
  constexpr size_t all_rows() const { return shape.batch * rows_of_image(); }

  // Parts are whole images where they have some, else rows of one.
  constexpr size_t length() const { return rows; }
  constexpr size_t length_of_part() const {
    if (all_rows() == 0) return 1;
    const size_t of_row = output_pixels(shape) * weights_of(shape) / all_rows() + 1;
    const size_t even = (all_rows() + convolution_parts - 1) / convolution_parts;
    const size_t least = (convolution_worth_sharing + of_row - 1) / of_row, part = even > least ? even : least;
    const size_t of_image = rows_of_image();
    return part < of_image ? part : (part + of_image - 1) / of_image * of_image;
  }
  constexpr bool parts_are_images() const { return length_of_part() % rows_of_image() == 0; }
  constexpr Convolution part(size_t first, size_t count) const {
    Convolution part = *this;
    part.first_row += first, part.rows = count;
    return part;
  }
};
constexpr size_t widest_panel = 32;  // of packed filters, on any instruction set
// Elements of memory for packed filters, for either type and direction.
static inline constexpr size_t packed_filters_size(const ConvolutionShape& shape) {
  const size_t channels = shape.channels / shape.groups, filters = shape.filters / shape.groups;
  const size_t forward = channels * ((filters + widest_panel - 1) / widest_panel * widest_panel);
  const size_t back = filters * ((channels + widest_panel - 1) / widest_panel * widest_panel);
  return taps_of(shape) * shape.groups * (forward > back ? forward : back);
}

// The gradients of weights and bias, as sums over chunks of images, which are to be added in order:
//   dw(p, q, c, f) = Σ x(n, i · stride + p · dilation − padding, …, c) · dy(n, i, j, f),  db(f) = Σ dy(n, i, j, f)
// Sums over pixels are made in blocks of whole rows of up to 256 pixels, of several small images too, or of a row cut
// evenly, of those rows that the kernel's row meets, and of those columns that a tap of 32 channels or more meets.
// Where the weights are many there are fewer chunks, and each is cut into rows of the matrix (terms, filters).
template <class T>
struct ConvolutionWeights {
  ConvolutionShape shape;
  const T* x = nullptr;
  const T* dy = nullptr;
  bool with_weights = true, with_bias = true;
  T* sums = nullptr;  // (chunks, weights and then filters), untouched where they are not wanted
  size_t first_part = 0, parts = 0;

  constexpr size_t length() const { return parts; }
  constexpr size_t length_of_part() const;
  constexpr ConvolutionWeights part(size_t first, size_t count) const {
    ConvolutionWeights part = *this;
    part.first_part += first, part.parts = count;
    return part;
  }
};
// From chunk to chunk of the sums.
static inline constexpr size_t stride_of_chunks(const ConvolutionShape& shape) {
  return weights_of(shape) + shape.filters;
}
static inline constexpr size_t chunks_of(const ConvolutionShape& shape) {
  constexpr size_t most_sums = size_t(1) << 21, fewest_pixels = 64;
  const size_t by_sums = most_sums / weights_of(shape), by_pixels = output_pixels(shape) / fewest_pixels;
  size_t chunks = convolution_parts < shape.batch ? convolution_parts : shape.batch;
  if (chunks > by_sums) chunks = by_sums;
  if (chunks > by_pixels) chunks = by_pixels;
  return chunks > 0 ? chunks : 1;
}
static inline constexpr size_t parts_of_chunk(const ConvolutionShape& shape) {
  constexpr size_t fewest_rows = 28;
  if (is_depthwise(shape)) return 1;
  const size_t wanted = (convolution_parts + chunks_of(shape) - 1) / chunks_of(shape);
  const size_t most = terms_of(shape) / fewest_rows > 0 ? terms_of(shape) / fewest_rows : 1;
  return wanted < most ? wanted : most;
}
template <class T>
constexpr size_t ConvolutionWeights<T>::length_of_part() const {
  const size_t work = output_pixels(shape) * weights_of(shape) / (chunks_of(shape) * parts_of_chunk(shape)) + 1;
  return (convolution_worth_sharing + work - 1) / work;
}

// Elements of workspace that the kernels may use, for either type, aligned to 64 bytes: some for copies of operands,
// the rest for images with their borders, at least for what 256 pixels of a row read.
constexpr size_t convolution_operands = size_t(1) << 18;
static inline constexpr size_t convolution_workspace(const ConvolutionShape& shape) {
  constexpr size_t least = 3 * convolution_operands, longest_row = 256;
  const ConvolutionAxis &height = shape.height, &width = shape.width;
  const size_t row = width.output < longest_row ? width.output : longest_row;
  const size_t pixels =
      ((height.kernel - 1) * height.dilation + 1) * (row * width.stride + (width.kernel - 1) * width.dilation + 1);
  const size_t border = pixels * (shape.channels > shape.filters ? shape.channels : shape.filters);
  return convolution_operands + (border > least ? border : least);
}

}  // namespace gradus
