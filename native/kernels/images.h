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

}  // namespace gradus
