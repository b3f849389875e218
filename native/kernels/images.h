// What kernels of images are told that are no convolutions: pools, frames, upsampling, norms of groups of channels.
// Channels last; plain data; rows of pixels are counted over all images, and a task may be cut at any of them.
#pragma once
#include "convolution.h"

namespace gradus {

// Windows of (height.kernel, width.kernel) pixels, each channel by itself. What of a window lies outside x never wins a
// maximum; it counts in an average as zeros, or not at all.
template <class T>
struct Pooling {
  size_t batch = 0, channels = 1;
  ConvolutionAxis height, width;  // of dilation 1, each window with a pixel of x in it
  const T* input = nullptr;       // x, or where backward dy
  T* output = nullptr;            // y, or where backward dx
  uint8_t* winners = nullptr;     // laid out as y: which pixel of the window, row by row, the maximum was
  // Of max_pool_backward, or none: y, the outputs of an activation below, by whose slope there dy is multiplied.
  const T* gate = nullptr;
  Activation gate_kind{};
  T gate_parameter = 0;
  bool counts_padding = false;
  size_t first_row = 0, rows = 0;  // of the output

  constexpr Pooling part(size_t first, size_t count) const {
    Pooling part = *this;
    part.first_row += first, part.rows = count;
    return part;
  }
  // Elements that a row of y, or of dx, is made of.
  constexpr size_t forward_row() const { return width.output * width.kernel * height.kernel * channels; }
  constexpr size_t backward_row() const {
    return width.input * channels * (height.kernel / height.stride + 1) * (width.kernel / width.stride + 1);
  }
};
constexpr size_t largest_pool_window = 256;  // pixels, where winners are told

// y(n, i, j, c) = x(n, i − before, j − before, c), zero where x has no such pixel.
struct FrameAxis {
  size_t input = 1, output = 1;
  ptrdiff_t before = 0;  // pixels added, or below 0 taken away, before the first one of x
};
template <class T>
struct Framing {
  size_t batch = 0, channels = 1;
  FrameAxis height, width;
  const T* x = nullptr;
  T* y = nullptr;
  size_t first_row = 0, rows = 0;  // of y

  constexpr Framing part(size_t first, size_t count) const {
    Framing part = *this;
    part.first_row += first, part.rows = count;
    return part;
  }
};

// Each pixel of x becomes (factor.height, factor.width) pixels of y: the same again, or what lies on the lines between
// the pixels' centres, those outside the outermost being as those.
template <class T>
struct Upsampling {
  size_t batch = 0, height = 1, width = 1, channels = 1;  // of x
  size_t height_factor = 1, width_factor = 1;
  bool bilinear = false;
  const T* input = nullptr;        // x, or where backward dy
  T* output = nullptr;             // y, or where backward dx
  size_t first_row = 0, rows = 0;  // of the output

  constexpr Upsampling part(size_t first, size_t count) const {
    Upsampling part = *this;
    part.first_row += first, part.rows = count;
    return part;
  }
};

// x (batch, pixels, channels): of each example and each of `groups` groups of neighbouring channels the elements are
// brought to mean 0 and variance 1, then gain and bias by channel.
template <class T>
struct GroupNorm {
  size_t batch = 0, pixels = 1, channels = 1, groups = 1;
  const T *x = nullptr, *gain = nullptr, *bias = nullptr;  // gain and bias: (channels)
  T epsilon = 0;
  T *mean = nullptr, *inverse_deviation = nullptr;  // (batch, groups), written by forward
  T* y = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;                         // or none
  T *dgain = nullptr, *dbias = nullptr;    // (batch, channels): the sums over each example
  T *mean_dy = nullptr, *along = nullptr;  // (batch, groups): memory to work in
  size_t first_line = 0, lines = 0;        // of the (batch, groups) those that are computed

  constexpr GroupNorm part(size_t first, size_t count) const {
    GroupNorm part = *this;
    part.first_line += first, part.lines = count;
    return part;
  }
};
// How what it computes moves when its inputs move.
template <class T>
struct GroupNormTangent {
  GroupNorm<T> norm;  // x, gain, dy, mean and inverse_deviation of it
  const T *x_tangent = nullptr, *gain_tangent = nullptr, *bias_tangent = nullptr, *dy_tangent = nullptr;
  T* y_tangent = nullptr;                                // of the forward
  T* dx_tangent = nullptr;                               // of the backward, or none
  T *dgain_tangent = nullptr, *dbias_tangent = nullptr;  // of the backward, added into
};

// ---- From the images of a dataset to those of a batch
enum class ElementType { float32, float64, uint8, int32 };

// What lies beyond an image: zeros, the image mirrored at its outermost pixels, or these on and on.
enum class Fill : int32_t { zero, reflect, edge };

// Pixels from top and left on, bottom and right excluded.
struct Rectangle {
  size_t top = 0, left = 0, bottom = 0, right = 0;
};

// How one image of a batch comes about.
struct ImageChange {
  size_t example = 0;  // where it lies among those of the dataset
  // Pixel (i, j) is what lies at (row[0] + row[1] · i + row[2] · j, column[0] + column[1] · i + column[2] · j): between
  // pixels what their four centres say. Whole: row[1] and column[2] are ±1, row[2] and column[1] are 0, and row[0] and
  // column[0] whole numbers.
  double row[3] = {0, 1, 0}, column[3] = {0, 0, 1};
  bool is_whole = true;
  // Of bytes of 1 or 3 channels, in this order, then held to 0 … 255: v · brightness, its distance from the image's
  // mean grey · contrast, its distance from the pixel's grey · saturation.
  bool is_coloured = false;
  double brightness = 1, contrast = 1, saturation = 1;
};

template <class T>
struct ImageConversion {
  size_t height = 1, width = 1, channels = 1;
  const uint8_t* data = nullptr;  // of the whole dataset
  ElementType type = ElementType::float32;
  const double *scales = nullptr, *offsets = nullptr;  // (width, channels): what bytes stand for, as in Examples
  const ImageChange* changes = nullptr;                // (images)
  Fill fill = Fill::zero;
  const Rectangle* erased = nullptr;  // (images, erasures): zeros at the end
  size_t erasures = 0, images = 0;
  T* to = nullptr;

  constexpr size_t elements() const { return height * width * channels; }
  constexpr ImageConversion part(size_t first, size_t count) const {
    ImageConversion part = *this;
    part.images = count, part.changes += first, part.erased += first * erasures;
    part.to += first * elements();
    return part;
  }
};

// Each example mixed with another one: y = share · y + (1 − share) · other, or where there are areas, these of `other`.
template <class T>
struct Mixing {
  size_t height = 1, width = 1, channels = 1, examples = 0;
  const T* other = nullptr;          // laid out as y
  const T* shares = nullptr;         // (examples)
  const Rectangle* areas = nullptr;  // (examples), or none
  T* y = nullptr;

  constexpr size_t elements() const { return height * width * channels; }
  constexpr Mixing part(size_t first, size_t count) const {
    Mixing part = *this;
    part.examples = count, part.other += first * elements(), part.y += first * elements();
    part.shares += first;
    if (areas) part.areas += first;
    return part;
  }
};

}  // namespace gradus
