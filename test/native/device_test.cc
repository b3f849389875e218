// The processor as a device: each way of cutting a kernel for threads gives the bits of the kernel in one go.
#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/cpu_device.h"
#include "convolutions.h"
#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

constexpr size_t rows = 301, columns = 517,
                 size = rows * columns;  // several pieces in each direction, none of them even

std::vector<float> some(size_t n, uint64_t seed) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = float(noise(seed, i));
  return values;
}

struct Case {
  const char* name;
  size_t outputs;
  void (*run)(const Device<float>& device, const std::vector<float>& x, const std::vector<float>& y, float* out);
};

const Case cases[] = {
    {"by elements", size,
     [](const auto& d, const auto& x, const auto& y, float* out) { d.add(x.data(), y.data(), size, out); }},
    {"by elements, which are numbered", size,
     [](const auto& d, const auto& x, const auto&, float* out) {
       d.dropout(x.data(), size, 0.3f, {5, 6, 7}, 3, out);
     }},
    {"by rows", size,
     [](const auto& d, const auto& x, const auto&, float* out) { d.softmax(x.data(), rows, columns, out); }},
    {"by rows of a loss", size + rows,
     [](const auto& d, const auto& x, const auto& y, float* out) {
       Loss<float> loss;
       loss.rows = rows, loss.columns = columns;
       loss.scores = x.data(), loss.targets = y.data(), loss.weights = y.data();
       loss.losses = out, loss.gradient = out + rows;
       d.huber(loss);
     }},
    {"by rows of a norm", size + 2 * rows,
     [](const auto& d, const auto& x, const auto& y, float* out) {
       Norm<float> norm;
       norm.rows = rows, norm.columns = norm.stride = columns;
       norm.x = x.data(), norm.gain = y.data(), norm.bias = y.data() + columns, norm.epsilon = 1e-5f;
       norm.mean = out, norm.inverse_deviation = out + rows, norm.y = out + 2 * rows;
       d.layer_norm_forward(norm);
     }},
    {"by rows of a dataset", size,
     [](const auto& d, const auto& x, const auto&, float* out) {
       std::vector<uint32_t> order(rows);
       for (size_t i = 0; i < rows; ++i) order[i] = uint32_t(i * 7 % rows);
       Examples examples;
       examples.data = reinterpret_cast<const uint8_t*>(x.data());
       examples.type = ElementType::float32, examples.elements = columns, examples.order = order.data();
       d.gather_examples(examples, rows, out);
     }},
    {"by rows of several members", 2 * size,
     [](const auto& d, const auto& x, const auto& y, float* out) {
       const float* const members[] = {x.data(), y.data()};
       const float weights[] = {0.25f, 0.75f};
       std::vector<float> norms(rows * 4);
       Combination<float> task;
       task.link = Link::softmax;
       task.members = 2, task.rows = rows, task.columns = columns;
       task.scores = members, task.weights = weights, task.norms = norms.data();
       task.combined = out, task.spread = out + size;
       d.combine(task);
     }},
    {"by columns", columns,
     [](const auto& d, const auto& x, const auto&, float* out) {
       d.column_maxima(x.data(), rows, columns, columns, out);
     }},
    {"by chunks", size / moments_chunk + 1,
     [](const auto& d, const auto& x, const auto&, float* out) {
       std::vector<Moments> chunks(size / moments_chunk + 1);
       d.moments(x.data(), size, -0.5f, 0.5f, chunks.data());
       for (const Moments& chunk : chunks) *out++ = float(chunk.mean) + float(chunk.outside);
     }},
    {"by tiles", size,
     [](const auto& d, const auto& x, const auto& y, float* out) {
       bool nonfinite = false;
       Matmul<float> task;
       task.m = rows, task.n = columns, task.k = rows;
       task.a = y.data(), task.a_row = rows, task.b = x.data(), task.b_row = columns;
       task.c = out, task.c_row = columns, task.nonfinite = &nonfinite;
       d.matmul(task);
       if (nonfinite) out[0] += 1;
     }},
    {"by groups of an update's blocks", 2 * size,
     [](const auto& d, const auto& x, const auto& y, float* out) {
       std::memcpy(out, x.data(), size * sizeof(float));
       std::memset(out + size, 0, size * sizeof(float));
       std::vector<UpdateBlock<float>> blocks(5);
       for (size_t i = 0; i < 5; ++i)
         blocks[i].offset = i * 8 * update_chunk, blocks[i].n = i == 4 ? 999 : 8 * update_chunk - i;
       const size_t groups[] = {0, 1, 2, 3, 5};
       Update<float> update;
       update.w = out, update.gradient = y.data(), update.slots[0] = out + size, update.learning_rate = 0.1f;
       UpdateSums sums[5];
       d.update(UpdateRule::momentum, update, {blocks.data(), blocks.data(), groups, 4, 1}, sums);
       out[0] += float(sums[0].change_squares), out[1] += float(sums[4].gradient_squares);
     }},
    {"by stretches of a histogram", 3 * histogram_bins,
     [](const auto& d, const auto& x, const auto&, float* out) {
       const Stretch<float> stretches[] = {{x.data(), 70000}, {x.data() + 70000, 5}, {x.data() + 70005, 60000}};
       double counts[3 * histogram_bins];
       d.histograms(stretches, 3, counts);
       for (double count : counts) *out++ = float(count);
     }},
};

}  // namespace

TEST("however a device cuts a kernel, the bits are those of one piece, on every ISA") {
  const std::vector<float> x = some(size, 1), y = some(size, 2);
  for (const Case& of : cases) {
    Scope scope(of.name);
    std::vector<float> expected(of.outputs);
    Pool pool(8);
    const Pool::Share alone(pool, 1);
    of.run(CpuDevice<float>(best_isa(), alone), x, y, expected.data());
    for_each_isa([&](const Isa& isa) {
      for (size_t threads : is_quick() ? std::vector<size_t>{3} : std::vector<size_t>{1, 2, 3, 4}) {
        const Pool::Share share(pool, threads);
        std::vector<float> out(of.outputs);
        of.run(CpuDevice<float>(isa, share), x, y, out.data());
        CHECK(std::memcmp(out.data(), expected.data(), of.outputs * sizeof(float)) == 0);
      }
    });
  }
}

namespace {
// Of the host, until it is full.
class FullMemory final : public Memory {
 public:
  bool is_host() const override { return true; }
  std::shared_ptr<uint8_t> allocate(size_t bytes) override { no_memory_for(bytes); }
  void upload(void*, const void*, size_t) override {}
  void download(void*, const void*, size_t) override {}
  void copy(void*, const void*, size_t) override {}
  void clear(void*, size_t) override {}
  void guard(const uint32_t*) override {}
  void wait() override {}
};
}  // namespace

TEST("threads that find no memory for their work say so, and go on when there is some") {
  const ConvolutionShape shape = shape_of(2, {4, 3, 1, 1, 1, 1}, {300, 3, 1, 1, 1, 1}, 1500, 1);
  std::vector<float> x(input_elements(shape)), w(weights_of(shape)), y(output_elements(shape));
  Marked<float> packed(packed_filters_size(shape));
  Convolution<float> task;
  task.shape = shape, task.weights = w.data(), task.packed = packed.data();
  task.input = x.data(), task.output = y.data(), task.rows = task.all_rows();
  CHECK(convolution_workspace(shape) > convolution_workspace(ConvolutionShape()));
  CHECK(task.rows >= 2 * task.length_of_part());
  Pool pool(3);
  const Pool::Share share(pool, 3);
  FullMemory full;
  const CpuDevice<float> without(best_isa(), share, full), with(best_isa(), share);
  with.pack_filters(task, 0, taps_of(shape), packed.data());
  std::string code;
  try {
    without.convolution(task, nullptr);
  } catch (const Error& error) {
    code = error.code;
  }
  CHECK_EQ(code, std::string("GRADUS_OUT_OF_MEMORY"));
  y.assign(y.size(), 1);
  with.convolution(task, nullptr);
  CHECK(std::all_of(y.begin(), y.end(), [](float value) { return value == 0; }));
}
