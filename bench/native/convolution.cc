// Convolutions and matmuls of equal sizes, on request: a process of its own that measures what each line of its input
// asks for and answers with the seconds that one call took, with GFLOP/s of bare multiply-adds, or with how many pieces
// threads can share. Argument: threads; GRADUS_ISA chooses the instruction set. Operands lie in memory of the engine's.
// A line: what (convolution, matmul, peak, copy, pieces), product (forward, dW, dX), images, pixels a side, channels,
// filters, kernel, stride, padding, groups. A copy is of as many elements as the outputs have.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "engine/cpu_device.h"
#include "engine/memory.h"
#include "peak.h"

namespace {

using namespace gradus;

// Square images, kernels and strides.
struct Question {
  std::string what, product;
  size_t images, side, channels, filters, kernel, stride, padding, groups;

  ConvolutionShape shape() const {
    ConvolutionShape shape;
    shape.batch = images, shape.channels = channels, shape.filters = filters, shape.groups = groups;
    shape.height = {side, (side + 2 * padding - kernel) / stride + 1, kernel, stride, 1, padding};
    shape.width = shape.height;
    return shape;
  }
};

struct Numbers {
  Buffer<float> memory;
  float* data;
  explicit Numbers(size_t size) : memory(size, host_memory()), data(memory.data()) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < size; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      data[i] = static_cast<float>(state >> 40) / (1 << 23) - 1;
    }
  }
};

struct Images {
  Numbers x, y, w, bias, packed, sums, dw, db;
  explicit Images(const ConvolutionShape& of)
      : x(of.batch * of.height.input * of.width.input * of.channels),
        y(output_pixels(of) * of.filters),
        w(weights_of(of)),
        bias(of.filters),
        packed(packed_filters_size(of)),
        sums(chunks_of(of) * stride_of_chunks(of)),
        dw(weights_of(of)),
        db(of.filters) {}
};

Convolution<float> convolution_of(const ConvolutionShape& shape, bool transposed) {
  Convolution<float> task;
  task.shape = shape, task.transposed = transposed;
  task.rows = task.all_rows();
  return task;
}
ConvolutionWeights<float> gradient_of(const ConvolutionShape& shape) {
  ConvolutionWeights<float> task;
  task.shape = shape, task.parts = chunks_of(shape) * parts_of_chunk(shape);
  return task;
}
template <class Task>
size_t pieces_of(const Task& task) {
  return (task.length() + task.length_of_part() - 1) / task.length_of_part();
}

void convolve(const Device<float>& device, const ConvolutionShape& shape, bool transposed, Images& of) {
  Convolution<float> task = convolution_of(shape, transposed);
  task.weights = of.w.data, task.packed = of.packed.data;
  task.input = transposed ? of.y.data : of.x.data, task.output = transposed ? of.x.data : of.y.data;
  task.bias = transposed ? nullptr : of.bias.data;
  if (is_depthwise(shape)) return device.depthwise(task);
  device.pack_filters(task, 0, taps_of(shape), of.packed.data);
  device.convolution(task, nullptr);
}

void add_weights(const Device<float>& device, const ConvolutionShape& shape, Images& of) {
  ConvolutionWeights<float> task = gradient_of(shape);
  task.x = of.x.data, task.dy = of.y.data, task.sums = of.sums.data;
  is_depthwise(shape) ? device.depthwise_weights(task, nullptr) : device.convolution_weights(task, nullptr);
  const size_t stride = stride_of_chunks(shape), weights = weights_of(shape);
  device.add_blocks(of.sums.data, chunks_of(shape), weights, stride, 0, of.dw.data);
  device.add_blocks(of.sums.data + weights, chunks_of(shape), shape.filters, stride, 0, of.db.data);
}

// As many multiply-adds on operands that lie as in a dense layer.
Matmul<float> matmul_of(const ConvolutionShape& shape, const std::string& product) {
  Matmul<float> task;
  const size_t pixels = output_pixels(shape), terms = terms_of(shape);
  if (product == "forward") task.m = pixels, task.k = terms, task.n = shape.filters;
  if (product == "dX") task.m = pixels, task.k = taps_of(shape) * shape.filters, task.n = shape.channels;
  if (product == "dW") task.m = terms, task.k = pixels, task.n = shape.filters;
  const bool back = product == "dW", transposed = product == "dX";
  task.a_row = back ? 1 : task.k, task.a_column = back ? task.m : 1;
  task.b_row = transposed ? 1 : task.n, task.b_column = transposed ? task.k : 1;
  task.c_row = task.n;
  return task;
}

// The median of at least three calls, after one that warms up.
template <class F>
double seconds_of(F call) {
  using clock = std::chrono::steady_clock;
  std::vector<double> times;
  call();
  for (double all = 0; all < 0.06 || times.size() < 3; all += times.back()) {
    const clock::time_point begin = clock::now();
    call();
    times.push_back(std::chrono::duration<double>(clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

double answer(const Device<float>& device, const Isa& isa, size_t threads, const Question& question) {
  if (question.what == "peak") {
    std::vector<double> rates = bench::peaks(threads, 3, bench::multiply_add_of(isa.name));
    std::sort(rates.begin(), rates.end());
    return rates[rates.size() / 2];
  }
  const ConvolutionShape shape = question.shape();
  const bool transposed = question.product == "dX";
  if (question.what == "pieces")
    return double(question.product == "dW" ? pieces_of(gradient_of(shape))
                                           : pieces_of(convolution_of(shape, transposed)));
  if (question.what == "matmul") {
    Matmul<float> task = matmul_of(shape, question.product);
    Numbers a(task.m * task.k), b(task.k * task.n), c(task.m * task.n);
    task.a = a.data, task.b = b.data, task.c = c.data;
    return seconds_of([&] { device.matmul(task); });
  }
  Images images(shape);
  if (question.what == "copy")
    return seconds_of([&] { device.copy(images.x.data, output_pixels(shape) * shape.filters, images.y.data); });
  if (question.product == "dW") return seconds_of([&] { add_weights(device, shape, images); });
  return seconds_of([&] { convolve(device, shape, transposed, images); });
}

}  // namespace

int main(int count, char** arguments) {
  const size_t threads = count > 1 ? std::max(1ul, std::strtoul(arguments[1], nullptr, 10)) : 1;
  const Isa* isa = chosen_isa();
  if (!isa) return std::cerr << "GRADUS_ISA names no instruction set of this machine\n", 1;
  Pool pool(threads);
  const Pool::Share share(pool, threads);
  const CpuDevice<float> device(*isa, share);
  std::cout << isa->name << std::endl;
  Question of;
  while (std::cin >> of.what >> of.product >> of.images >> of.side >> of.channels >> of.filters >> of.kernel >>
         of.stride >> of.padding >> of.groups)
    std::cout << answer(device, *isa, threads, of) << std::endl;
}
