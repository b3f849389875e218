// Convolutions of each channel by itself, all three products, against seven loops, on every instruction set, cut in
// every way.
#include "engine/cpu_device.h"
#include "images.h"

using namespace gradus;
using namespace gradus::test;

namespace {

ConvolutionShape drawn(std::mt19937& random) {
  const size_t channels[] = {2, 3, 8, 15, 16, 17, 33, 64, 65, 80};
  const auto axis = [&] {
    AxisCase of;
    do {
      of = drawn_axis(random), of.dilation = 1 + random() % 3;
    } while (!is_possible(of));
    return of;
  };
  const size_t count = channels[random() % 10];
  return shape_of(1 + random() % 3, axis(), axis(), count, count, count);
}

template <class F>
void for_shapes(F body) {
  std::mt19937 random(29);
  for (size_t i = 0; i < (is_quick() ? 20u : is_soak() ? 200u : 100u); ++i) {
    const ConvolutionShape shape = drawn(random);
    Scope scope(text_of(shape));
    body(shape);
  }
  // Rows of more than 256 pixels, blocks of pixels of several rows, many chunks, kernels larger than the image, phases
  // of many outputs.
  for (const ConvolutionShape& shape : {shape_of(1, {2, 2}, {700, 3, 1, 1, 1, 1}, 5, 5, 5),
                                        shape_of(3, {33, 3, 1, 1, 1, 1}, {17, 3, 1, 1, 1, 1}, 20, 20, 20),
                                        shape_of(37, {5, 3, 2, 1, 0, 1}, {6, 3, 2, 1, 0, 1}, 16, 16, 16),
                                        shape_of(2, {2, 9, 1, 1, 8, 4}, {3, 10, 2, 1, 5, 9}, 66, 66, 66),
                                        shape_of(1, {9, 5, 3, 1, 2, 2}, {83, 7, 3, 1, 3, 3}, 17, 17, 17),
                                        shape_of(1, {9, 4, 2, 3, 4, 5}, {61, 7, 2, 3, 9, 9}, 20, 20, 20)}) {
    Scope scope(text_of(shape));
    body(shape);
  }
}

template <class T>
Products<T> by_channel(const Isa& isa, const ConvolutionShape& shape, const Operands<T>& of,
                       size_t at_once = SIZE_MAX) {
  return products_of(kernels_of<T>(isa), shape, of, at_once, true);
}

}  // namespace

TEST("convolutions of channels by themselves are exact of integers, guards untouched") {
  for_shapes([](const ConvolutionShape& shape) {
    const auto check = [&](auto type) {
      using T = decltype(type);
      const Operands<T> operands = integers<T>(shape);
      const Oracle<T> oracle(shape, operands);
      for_each_isa([&](const Isa& isa) {
        const Products<T> found = by_channel(isa, shape, operands);
        CHECK(equals(found.y, oracle.sums.y));
        CHECK(equals(found.dx, oracle.sums.dx));
        CHECK(equals(found.dw, oracle.sums.dw));
        CHECK(equals(found.db, oracle.sums.db));
      });
    };
    check(0.0f), check(0.0);
  });
}

TEST("those of reals are within 8 u sum |ab|, with the same bits on every ISA and however they are cut") {
  for_shapes([](const ConvolutionShape& shape) {
    const Operands<float> operands = reals<float>(shape);
    const Oracle<float> oracle(shape, operands);
    const Products<float> expected = by_channel(*available_isas()[0], shape, operands);
    CHECK_NEAR(worst_of(expected.y, oracle.sums.y, oracle.sizes.y), 0, 8);
    CHECK_NEAR(worst_of(expected.dx, oracle.sums.dx, oracle.sizes.dx), 0, 8);
    CHECK_NEAR(worst_of(expected.dw, oracle.sums.dw, oracle.sizes.dw), 0, 8);
    CHECK_NEAR(worst_of(expected.db, oracle.sums.db, oracle.sizes.db), 0, 8);
    for_each_isa([&](const Isa& isa) {
      for (size_t at_once : {size_t(1), size_t(3), SIZE_MAX})
        CHECK(same_bits(by_channel(isa, shape, operands, at_once), expected));
    });
  });
}

TEST("what comes after their sums is what comes after those of other convolutions; what is not wanted stays") {
  const ConvolutionShape shape = shape_of(3, {9, 3, 1, 1, 1, 1}, {6, 3, 2, 1, 0, 1}, 35, 35, 35);
  for_both_types([&](const Isa& isa, auto type) {
    using T = decltype(type);
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const Operands<T> operands = integers<T>(shape);
    const size_t n = output_elements(shape);
    const std::vector<T> bias = numbers<T>(35, 5), gate = numbers<T>(n, 6);
    Marked<T> packed(packed_filters_size(shape)), workspace(convolution_workspace(shape)), found(n), expected(n);
    bool nonfinite = false;
    Convolution<T> task;
    task.shape = shape, task.weights = operands.w.data(), task.packed = packed.data(), task.input = operands.x.data();
    task.rows = task.all_rows(), task.bias = bias.data(), task.beta = T(2), task.nonfinite = &nonfinite;
    task.activation = Activation::leaky_relu, task.activation_parameter = T(0.25);
    task.gate = gate.data(), task.gate_kind = Activation::relu;
    kernels.pack_filters(task, 0, taps_of(shape), packed.data());
    for (Marked<T>* output : {&found, &expected}) {
      for (size_t i = 0; i < n; ++i) output->data()[i] = T(int(i % 7) - 3);
      task.output = output->data();
      output == &found ? kernels.depthwise(task) : kernels.convolution(task, workspace.data());
    }
    double worst = 0;
    for (size_t i = 0; i < n; ++i)
      worst = std::fmax(worst, std::fabs(double(found.data()[i]) - double(expected.data()[i])));
    CHECK_NEAR(worst, 0, sizeof(T) == 4 ? 1e-4 : 1e-12);
    CHECK(!nonfinite);

    Marked<T> sums(chunks_of(shape) * stride_of_chunks(shape));
    ConvolutionWeights<T> weights;
    weights.shape = shape, weights.x = operands.x.data(), weights.dy = operands.dy.data(), weights.sums = sums.data();
    weights.parts = chunks_of(shape), weights.with_weights = false;
    kernels.depthwise_weights(weights, workspace.data());
    CHECK_EQ(sums.data()[0], Marked<T>::mark);
    CHECK(sums.data()[weights_of(shape)] != Marked<T>::mark);
    weights.with_weights = true, weights.with_bias = false;
    sums.data()[weights_of(shape)] = Marked<T>::mark;
    kernels.depthwise_weights(weights, workspace.data());
    CHECK(sums.data()[0] != Marked<T>::mark);
    CHECK_EQ(sums.data()[weights_of(shape)], Marked<T>::mark);
  });
}
