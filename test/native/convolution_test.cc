// Convolutions, their transposed ones and the gradients of their weights against seven loops, on every instruction set,
// cut in every way.
#include <algorithm>
#include <limits>

#include "convolutions.h"
#include "engine/cpu_device.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// What of the grid is drawn: many of each, all combinations being too many.
ConvolutionShape drawn(std::mt19937& random, size_t most_work) {
  const auto below = [&](size_t n) { return size_t(random() % n); };
  const auto axis = [&] {
    const size_t maps[] = {1, 2, 3, 4, 5, 7, 8, 13, 14, 16, 17, 33};
    AxisCase of;
    do {
      of.input = maps[below(12)], of.kernel = 1 + below(5), of.dilation = 1 + below(3);
      of.stride = below(6) == 0 ? of.kernel + 1 + below(2) : 1 + below(3);
      of.before = below(of.kernel), of.after = below(of.kernel);
    } while (!is_possible(of));
    return of;
  };
  const size_t sizes[] = {1, 2, 3, 5, 7, 8, 15, 16, 17, 24, 31, 32, 33, 47, 48, 64, 65};
  ConvolutionShape shape;
  do {
    const size_t channels = sizes[below(17)], kind = below(4);
    const size_t groups = kind == 0 ? channels : kind == 1 && channels % 2 == 0 ? 2 : 1;
    const size_t filters = groups > 1 ? groups * (1 + below(3)) : sizes[below(17)];
    shape = shape_of(below(2) ? 1 : 3, axis(), axis(), channels, filters, groups);
  } while (output_pixels(shape) * weights_of(shape) / shape.groups > most_work);
  return shape;
}

// What hardly is drawn: rows of terms longer than a block, maps that are gathered, rows of more than 256 pixels,
// blocks of pixels of several images, weights for few chunks.
std::vector<ConvolutionShape> chosen() {
  return {shape_of(2, {4, 3, 1, 1, 1, 1}, {4, 3, 1, 1, 1, 1}, 110, 70),
          shape_of(3, {6, 3, 1, 2, 2, 2}, {5, 2, 1, 2, 1, 1}, 300, 65),
          shape_of(1, {3, 2, 1, 1, 1, 0}, {700, 3, 2, 1, 1, 1}, 3, 17),
          shape_of(1, {3, 1}, {600, 1}, 5, 33),
          shape_of(37, {2, 2, 1, 1, 1, 0}, {3, 2, 1, 1, 0, 1}, 9, 40),
          shape_of(21, {5, 1}, {5, 1}, 40, 48),
          shape_of(2, {5, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}, 300, 80),
          shape_of(9, {3, 3, 1, 1, 1, 1}, {7, 5, 2, 2, 4, 3}, 50, 34),
          shape_of(5, {2, 3, 1, 1, 2, 0}, {2, 7, 1, 1, 5, 4}, 44, 48),
          shape_of(3, {4, 3, 2, 1, 1, 1}, {9, 4, 2, 1, 3, 2}, 86, 66),
          shape_of(2, {9, 5, 2, 1, 2, 1}, {11, 4, 3, 1, 0, 3}, 66, 66, 2)};
}

template <class F>
void for_shapes(size_t count, size_t most_work, F body) {
  std::mt19937 random(22);
  const size_t quick = is_quick() ? 10 : 1;
  for (size_t i = 0; i < count / (is_quick() ? 10 : is_soak() ? 1 : 2); ++i) {
    const ConvolutionShape shape = drawn(random, most_work / quick);
    Scope scope(text_of(shape));
    body(shape);
  }
  for (const ConvolutionShape& shape : chosen()) {
    if (is_quick() && output_pixels(shape) * weights_of(shape) > most_work) continue;
    Scope scope(text_of(shape));
    body(shape);
  }
}

template <class T>
void check_integers(const ConvolutionShape& shape) {
  const Operands<T> operands = integers<T>(shape);
  const Oracle<T> oracle(shape, operands);
  for_each_isa([&](const Isa& isa) {
    const Products<T> found = products_of(kernels_of<T>(isa), shape, operands);
    CHECK(equals(found.y, oracle.sums.y));
    CHECK(equals(found.dx, oracle.sums.dx));
    CHECK(equals(found.dw, oracle.sums.dw));
    CHECK(equals(found.db, oracle.sums.db));
  });
}

template <class T>
void check_reals(const ConvolutionShape& shape) {
  const Operands<T> operands = reals<T>(shape);
  const Oracle<T> oracle(shape, operands);
  const auto& [sums, sizes] = std::tie(oracle.sums, oracle.sizes);
  const Products<T> expected = products_of(kernels_of<T>(*available_isas()[0]), shape, operands);
  CHECK_NEAR(worst_of(expected.y, sums.y, sizes.y), 0, 8);
  CHECK_NEAR(worst_of(expected.dx, sums.dx, sizes.dx), 0, 8);
  CHECK_NEAR(worst_of(expected.dw, sums.dw, sizes.dw), 0, 8);
  CHECK_NEAR(worst_of(expected.db, sums.db, sizes.db), 0, 8);
  for_each_isa(
      [&](const Isa& isa) { CHECK(same_bits(products_of(kernels_of<T>(isa), shape, operands, 3), expected)); });
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST("convolutions of integers are exact in all three products, guards untouched") {
  for_shapes(300, 600000, [](const ConvolutionShape& shape) { check_integers<float>(shape); });
  for_shapes(60, 300000, [](const ConvolutionShape& shape) { check_integers<double>(shape); });
}

TEST(
    "convolutions of reals are within 8 u sum |ab| of float64, with the same bits on every ISA and however they are "
    "cut") {
  for_shapes(150, 600000, [](const ConvolutionShape& shape) { check_reals<float>(shape); });
  for_shapes(40, 300000, [](const ConvolutionShape& shape) { check_reals<double>(shape); });
}

// ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩ = ⟨w, dw(x, y)⟩: of integers exactly, at sizes that no oracle reaches.
TEST("a convolution, its transposed one and the gradient of its weights are adjoint") {
  const Isa& isa = *available_isas()[0];
  const size_t images = is_quick() ? 2 : 19;
  for (const ConvolutionShape& shape :
       {shape_of(images, {33, 5, 2, 1, 2, 1}, {47, 3, 1, 2, 0, 1}, 33, 49),
        shape_of(1, {7, 3, 1, 1, 1, 1}, {is_quick() ? 300u : 2000u, 3, 1, 1, 1, 1}, 64, 64),
        shape_of(images, {12, 3, 3, 2, 1, 1}, {31, 4, 2, 3, 3, 2}, 48, 96, 3),
        shape_of(images, {7, 3, 1, 1, 1, 1}, {7, 3, 1, 1, 1, 1}, 600, 70)}) {
    Scope scope(text_of(shape));
    const Operands<double> operands = integers<double>(shape);
    const Products<double> found = products_of(isa.float64, shape, operands);
    const double expected = inner(found.y, operands.dy);
    CHECK(expected != 0);
    CHECK_EQ(inner(found.dx, operands.x), expected);
    CHECK_EQ(inner(found.dw, operands.w), expected);
  }
}

TEST("an image alone has the bits that it has in a batch") {
  for (const ConvolutionShape& shape : {shape_of(7, {13, 3, 2, 1, 1, 1}, {6, 3, 1, 1, 1, 1}, 20, 65),
                                        shape_of(5, {4, 3, 1, 1, 1, 1}, {4, 3, 1, 1, 1, 1}, 90, 70)}) {
    const Operands<float> operands = reals<float>(shape);
    ConvolutionShape alone = shape;
    alone.batch = 1;
    const size_t inputs = input_elements(alone), outputs = output_elements(alone);
    for_each_isa([&](const Isa& isa) {
      const Products<float> all = products_of(isa.float32, shape, operands);
      for (size_t image = 0; image < shape.batch; ++image) {
        Operands<float> one;
        const float *x = operands.x.data() + image * inputs, *dy = operands.dy.data() + image * outputs;
        one.x.assign(x, x + inputs), one.w = operands.w, one.dy.assign(dy, dy + outputs);
        const Products<float> found = products_of(isa.float32, alone, one);
        CHECK(std::equal(found.y.begin(), found.y.end(), all.y.begin() + std::ptrdiff_t(image * outputs)));
        CHECK(std::equal(found.dx.begin(), found.dx.end(), all.dx.begin() + std::ptrdiff_t(image * inputs)));
      }
    });
  }
}

TEST("rows of the kernel above and below an image are no terms on any ISA, whatever their weights") {
  for (const AxisCase& width : {AxisCase{4, 3, 1, 1, 1, 1}, AxisCase{20, 3, 1, 1, 1, 1}}) {
    const ConvolutionShape shape = shape_of(2, {1, 3, 1, 1, 1, 1}, width, 40, 70);
    const ConvolutionShape flat = shape_of(2, {1, 1}, width, 40, 70);
    Operands<float> operands = reals<float>(shape), middle = operands;
    const auto row = std::ptrdiff_t(weights_of(flat));
    middle.w.assign(operands.w.begin() + row, operands.w.begin() + 2 * row);
    operands.w.assign(operands.w.size(), std::numeric_limits<float>::quiet_NaN());
    std::copy(middle.w.begin(), middle.w.end(), operands.w.begin() + row);
    for_each_isa([&](const Isa& isa) {
      const Products<float> found = products_of(isa.float32, shape, operands);
      const Products<float> expected = products_of(isa.float32, flat, middle);
      CHECK(same_bits(found.y, expected.y));
      CHECK(same_bits(found.dx, expected.dx));
      CHECK(std::equal(expected.dw.begin(), expected.dw.end(), found.dw.begin() + row));
      CHECK(std::all_of(found.dw.begin(), found.dw.begin() + row, [](float value) { return value == 0; }));
    });
  }
}

TEST("columns of the kernel that nothing of a narrow image meets may have any weights, on any ISA") {
  const auto not_a_number = std::numeric_limits<float>::quiet_NaN();
  for (const ConvolutionShape& shape : {shape_of(2, {4, 3, 1, 1, 1, 1}, {1, 3, 1, 1, 1, 1}, 70, 90),
                                        shape_of(1, {4, 3, 1, 1, 1, 1}, {1, 3, 1, 1, 1, 1}, 270, 300),
                                        shape_of(3, {4, 3, 1, 1, 1, 1}, {1, 3, 1, 1, 1, 1}, 40, 32)}) {
    Scope scope(text_of(shape));
    const size_t of_tap = shape.channels * shape.filters;
    Operands<float> operands = reals<float>(shape), zeros = operands;
    for (size_t i = 0; i < operands.w.size(); ++i)
      if (i / of_tap % 3 != 1) operands.w[i] = not_a_number, zeros.w[i] = 0;
    for_each_isa([&](const Isa& isa) {
      CHECK(same_bits(products_of(isa.float32, shape, operands), products_of(isa.float32, shape, zeros)));
    });
  }
}

TEST("a tap beside an image is no term of the pixels there, whatever its weights, and a term of few filters") {
  for (size_t filters : {16, 48}) {
    const ConvolutionShape shape = shape_of(2, {5, 3, 1, 1, 1, 1}, {16, 3, 1, 1, 1, 1}, 40, filters);
    Operands<float> operands = reals<float>(shape);
    const Operands<float> finite = operands;
    const size_t of_tap = shape.channels * shape.filters, width = shape.width.output;
    for (size_t i = 0; i < operands.w.size(); ++i)
      if (i / of_tap % 3 == 0) operands.w[i] = std::numeric_limits<float>::quiet_NaN();
    for_each_isa([&](const Isa& isa) {
      const std::vector<float> found = products_of(isa.float32, shape, operands).y;
      const std::vector<float> expected = products_of(isa.float32, shape, finite).y;
      for (size_t i = 0; i < found.size(); ++i) {
        const bool is_term = filters == 16 || i / shape.filters % width > 0;
        CHECK(is_term ? found[i] != found[i] : found[i] == expected[i]);
      }
    });
  }
}

TEST("images whose edges are wide, tall or many are exact") {
  for (size_t width : {8, 10, 15, 19})
    for (size_t filters : {12, 20, 72})
      for (const AxisCase& across : {AxisCase{width, 3, 1, 1, 1, 1}, AxisCase{width, 5, 1, 1, 2, 2},
                                     AxisCase{width, 5, 2, 1, 3, 1}, AxisCase{width, 3, 1, 3, 2, 1}}) {
        const ConvolutionShape shape = shape_of(2, {3, 3, 1, 1, 1, 1}, across, 37, filters);
        Scope scope(text_of(shape));
        check_integers<float>(shape);
      }
  for (size_t filters : {8, 24})
    check_integers<float>(shape_of(1, {1500, 3, 1, 1, 1, 1}, {4, 3, 1, 1, 1, 1}, 32, filters));
  check_integers<float>(shape_of(1, {1, 5, 1, 1, 4, 4}, {9, 3, 1, 1, 1, 1}, 50, 20));
  check_integers<float>(shape_of(1, {3, 3, 1, 1, 1, 1}, {9000, 3, 1, 1, 1, 1}, 32, 8));  // more than there is room for
}

TEST("narrow images of every width, kernel and stride, one and several, are exact") {
  Sample sample(5);
  for (size_t width = 1; width <= 9; ++width)
    for (size_t kernel = 1; kernel <= 4; ++kernel)
      for (size_t stride : {1, 2}) {
        if (!sample.has_next()) continue;
        const ConvolutionShape shape =
            shape_of(width % 3 + 1, {3, 3, 1, 1, 1, 1}, {width, kernel, stride, 1, kernel - 1, kernel / 2}, 88, 36);
        Scope scope(text_of(shape));
        check_integers<float>(shape);
      }
}

namespace {

// All that may come after the sums, in place of which the test adds it to the plain convolution.
template <class T>
struct Finish {
  Convolution<T> task;
  std::vector<T> before, bias, gate;
  bool nonfinite = false;
  Finish(const ConvolutionShape& shape, bool transposed, T beta, Activation activation, Activation gate_kind) {
    task.shape = shape, task.transposed = transposed, task.beta = beta;
    task.activation = activation, task.activation_parameter = T(0.5);
    task.gate_kind = gate_kind, task.gate_parameter = T(0.5);
    task.rows = task.all_rows();
    const size_t elements = transposed ? input_elements(shape) : output_elements(shape);
    before = numbers<T>(elements, 4), bias = numbers<T>(transposed ? shape.channels : shape.filters, 5);
    gate = numbers<T>(elements, 6, 0, 0.5);
    task.bias = bias.data(), task.gate = gate.data(), task.nonfinite = &nonfinite;
  }
  T of(T sum, size_t i) const {
    T y = sum + task.beta * before[i] + bias[i % bias.size()];
    if (y < 0 && task.activation != Activation::identity) y *= task.activation == Activation::relu ? 0 : T(0.5);
    if (task.gate_kind == Activation::tanh) return y * (1 - gate[i] * gate[i]);
    return task.gate_kind == Activation::relu ? y * T(gate[i] > 0) : y;
  }
};

const ConvolutionShape finished = shape_of(3, {9, 3, 2, 1, 1, 1}, {6, 3, 2, 1, 0, 1}, 35, 70);

template <class F>
void for_finishes(F body) {
  for (bool transposed : {false, true})
    for (double beta : {0.0, -0.5})
      for (auto [activation, gate] : {std::pair{Activation::relu, Activation::relu},
                                      {Activation::identity, Activation::identity},
                                      {Activation::leaky_relu, Activation::tanh}})
        body(Finish<double>(finished, transposed, beta, activation, gate));
}

template <class T>
std::vector<T> run(const Isa& isa, Finish<T>& finish, const Operands<T>& operands) {
  Marked<T> packed(packed_filters_size(finish.task.shape)), workspace(convolution_workspace(finish.task.shape));
  Marked<T> output(finish.before.size());
  std::copy(finish.before.begin(), finish.before.end(), output.data());
  Convolution<T> task = finish.task;
  task.weights = operands.w.data(), task.packed = packed.data();
  task.input = (task.transposed ? operands.dy : operands.x).data(), task.output = output.data();
  task.nonfinite = &finish.nonfinite;
  task.bias = finish.bias.data(), task.gate = finish.gate.data();
  kernels_of<T>(isa).pack_filters(task, 0, taps_of(task.shape), packed.data());
  kernels_of<T>(isa).convolution(task, workspace.data());
  return output.values();
}

}  // namespace

TEST("beta, bias, activation and gate follow the sums in this order, forward and transposed") {
  const Operands<double> operands = reals<double>(finished);
  const Oracle<double> oracle(finished, operands);
  for_each_isa([&](const Isa& isa) {
    for_finishes([&](Finish<double> finish) {
      const std::vector<double> found = run(isa, finish, operands);
      const auto& sums = finish.task.transposed ? oracle.sums.dx : oracle.sums.y;
      double worst = 0;
      for (size_t i = 0; i < found.size(); ++i)
        worst = std::max(worst, std::fabs(found[i] - finish.of(double(sums[i]), i)));
      CHECK_NEAR(worst, 0, 1e-11);
      CHECK(!finish.nonfinite);
    });
  });
}

TEST("a convolution reports an output that is not finite") {
  Operands<double> operands = reals<double>(finished);
  for_each_isa([&](const Isa& isa) {
    for_finishes([&](Finish<double> finish) {
      std::vector<double>& input = finish.task.transposed ? operands.dy : operands.x;
      const double kept = input[0];
      finish.gate.assign(finish.gate.size(), 0.5);
      input[0] = std::numeric_limits<double>::quiet_NaN();
      run(isa, finish, operands);
      CHECK(finish.nonfinite);
      input[0] = kept;
    });
  });
}

TEST("a convolution reports only what it writes: outputs of minus infinity that relu makes zero are finite") {
  Operands<double> operands = reals<double>(finished);
  operands.w.assign(operands.w.size(), 0.5);
  operands.x.assign(operands.x.size(), -std::numeric_limits<double>::infinity());
  operands.dy.assign(operands.dy.size(), -std::numeric_limits<double>::infinity());
  for_each_isa([&](const Isa& isa) {
    for (bool transposed : {false, true})
      for (const Activation activation : {Activation::relu, Activation::identity}) {
        Finish<double> finish(finished, transposed, 0, activation, Activation::identity);
        run(isa, finish, operands);
        CHECK_EQ(finish.nonfinite, activation == Activation::identity);
      }
  });
}

TEST("threads share a convolution without changing its bits") {
  const ConvolutionShape shape = shape_of(5, {17, 3, 2, 1, 1, 1}, {16, 3, 2, 1, 1, 1}, 48, 40);
  const Operands<float> operands = reals<float>(shape);
  const Products<float> expected = products_of(available_isas()[0]->float32, shape, operands);
  Pool pool(8);
  for_each_isa([&](const Isa& isa) {
    for (size_t threads : {1, 2, 3, 5}) {
      const Pool::Share share(pool, threads);
      const CpuDevice<float> device(isa, share);
      Marked<float> packed(packed_filters_size(shape)), sums(chunks_of(shape) * stride_of_chunks(shape));
      Products<float> found;
      found.y.resize(expected.y.size()), found.dx.resize(expected.dx.size());
      found.dw.resize(expected.dw.size()), found.db.resize(expected.db.size());
      for (bool transposed : {false, true}) {
        Convolution<float> task;
        task.shape = shape, task.transposed = transposed, task.weights = operands.w.data();
        task.packed = packed.data(), task.rows = task.all_rows();
        task.input = (transposed ? operands.dy : operands.x).data();
        task.output = (transposed ? found.dx : found.y).data();
        device.pack_filters(task, 0, taps_of(shape), packed.data());
        device.convolution(task, nullptr);
      }
      ConvolutionWeights<float> task;
      task.shape = shape, task.x = operands.x.data(), task.dy = operands.dy.data(), task.sums = sums.data();
      task.parts = chunks_of(shape) * parts_of_chunk(shape);
      device.convolution_weights(task, nullptr);
      const size_t stride = stride_of_chunks(shape), weights = weights_of(shape);
      device.add_blocks(sums.data(), chunks_of(shape), weights, stride, 0, found.dw.data());
      device.add_blocks(sums.data() + weights, chunks_of(shape), shape.filters, stride, 0, found.db.data());
      CHECK(same_bits(found, expected));
    }
  });
}

TEST("a batch of 128 is cut into at least 16 parts, and one image too") {
  for (size_t batch : {1, 128})
    for (const ConvolutionShape& shape : {shape_of(batch, {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 64, 64),
                                          shape_of(batch, {16, 3, 2, 1, 1, 1}, {16, 3, 2, 1, 1, 1}, 256, 256)})
      for (bool transposed : {false, true}) {
        Convolution<float> task;
        task.shape = shape, task.transposed = transposed, task.rows = task.all_rows();
        ConvolutionWeights<float> weights;
        weights.shape = shape;
        CHECK((task.rows - 1) / task.length_of_part() + 1 >= std::min<size_t>(task.rows, 16));
        CHECK(chunks_of(shape) * parts_of_chunk(shape) / weights.length_of_part() >= 16);
      }
}
