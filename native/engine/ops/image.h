// What ops on images read of their descriptors. An image has (height, width, channels), channels last; a line of
// (length, channels) is an image of one row.
#pragma once
#include "../op.h"

namespace gradus {

struct ImageSize {
  size_t height = 1, width = 1, channels = 1;
  bool is_line = false;

  explicit ImageSize(const NodeReader& node) {
    const Shape& input = node.only_input();
    if (input.size() != 2 && input.size() != 3)
      node.fields.fail("expected an input of height, width and channels, or of length and channels, received " +
                       to_string(input));
    is_line = input.size() == 2;
    if (!is_line) height = input[0];
    width = input[input.size() - 2], channels = input.back();
  }
  // Of an image as the input is one.
  Shape shape(size_t rows, size_t columns, size_t filters) const {
    const Shape shape = is_line ? Shape{columns, filters} : Shape{rows, columns, filters};
    elements_of(shape);
    return shape;
  }
};

constexpr size_t largest_side = (size_t(1) << 31) - 1;  // of images and of windows

inline std::vector<size_t> counts(const NodeReader& node, const char* key, size_t length) {
  std::vector<size_t> found = node.fields.counts(key);
  if (found.size() != length) node.fields.fail(std::string(key) + ": expected " + std::to_string(length) + " numbers");
  for (size_t size : found)
    if (size > largest_side)
      node.fields.fail(std::string(key) + ": expected sizes below 2^31, received " + std::to_string(size));
  return found;
}

// How windows lie in an image, of two numbers for height and width, and padding of four: top, bottom, left, right.
struct Windows {
  ConvolutionAxis height, width;

  Windows(const NodeReader& node, size_t kernel_height, size_t kernel_width, const std::vector<size_t>& dilation) {
    const std::vector<size_t> stride = counts(node, "stride", 2), padding = counts(node, "padding", 4);
    const size_t kernel[] = {kernel_height, kernel_width};
    for (size_t i : {0, 1}) {
      ConvolutionAxis& axis = i == 0 ? height : width;
      if (kernel[i] == 0 || stride[i] == 0 || dilation[i] == 0)
        node.fields.fail("expected kernel, stride and dilation above 0");
      if (kernel[i] > largest_side)
        node.fields.fail("expected a kernel of sizes below 2^31, received " + std::to_string(kernel[i]));
      axis.kernel = kernel[i], axis.stride = stride[i], axis.dilation = dilation[i], axis.padding = padding[2 * i];
      after_[i] = padding[2 * i + 1];
      const size_t extent = (kernel[i] - 1) * dilation[i] + 1;
      if (axis.padding >= extent || after_[i] >= extent)
        node.fields.fail("padding: expected less than the kernel's extent");
    }
  }
  // Of an image of this size.
  void fit(const NodeReader& node, size_t rows, size_t columns) {
    const size_t pixels[] = {rows, columns};
    for (size_t i : {0, 1}) {
      ConvolutionAxis& axis = i == 0 ? height : width;
      if (pixels[i] > largest_side)
        node.fields.fail("expected an input of fewer than 2^31 pixels a side, received " + std::to_string(pixels[i]));
      const size_t extent = (axis.kernel - 1) * axis.dilation + 1, padded = pixels[i] + axis.padding + after_[i];
      if (extent > padded)
        node.fields.fail("expected an input of at least " + std::to_string(extent) +
                         " pixels with its padding, received " + std::to_string(padded));
      axis.input = pixels[i], axis.output = (padded - extent) / axis.stride + 1;
    }
  }

  // Of an image that has so many windows, and pixels beyond the last one: of a convolution on its way back.
  void fit_outputs(const NodeReader& node, size_t rows, size_t columns, const std::vector<size_t>& beyond) {
    const size_t outputs[] = {rows, columns};
    for (size_t i : {0, 1}) {
      ConvolutionAxis& axis = i == 0 ? height : width;
      if (outputs[i] > largest_side || beyond[i] >= axis.stride)
        node.fields.fail("outputPadding: expected less than the stride, of fewer than 2^31 pixels a side");
      const size_t extent = (axis.kernel - 1) * axis.dilation + 1;
      const size_t padded = product(outputs[i] - 1, axis.stride) + extent + beyond[i];
      if (padded <= axis.padding + after_[i] || padded > largest_side)
        node.fields.fail("padding: expected to leave some of the " + std::to_string(padded) + " pixels, up to 2^31");
      axis.input = padded - axis.padding - after_[i], axis.output = outputs[i];
    }
  }

 private:
  size_t after_[2];
};

}  // namespace gradus
