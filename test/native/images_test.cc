// Images framed, cropped and made larger, and channels multiplied, against plain loops.
#include "images.h"

using namespace gradus;
using namespace gradus::test;

namespace {

template <class T>
Framing<T> framing(size_t batch, size_t channels, std::pair<size_t, long> height, std::pair<size_t, long> width,
                   size_t rows, size_t columns) {
  Framing<T> task;
  task.batch = batch, task.channels = channels;
  task.height = {height.first, rows, height.second}, task.width = {width.first, columns, width.second};
  task.rows = batch * rows;
  return task;
}

// The value of x at a place, or 0 where there is none.
template <class T>
T at(const std::vector<T>& x, size_t height, size_t width, size_t channels, size_t image, long row, long column,
     size_t channel) {
  if (row < 0 || row >= long(height) || column < 0 || column >= long(width)) return 0;
  return x[((image * height + size_t(row)) * width + size_t(column)) * channels + channel];
}

// One dimension of bilinear interpolation, from its definition: half-pixel centres, the edge beyond the outermost.
double interpolated(size_t i, size_t factor, size_t size, size_t pixel) {
  const double place = std::fmin(std::fmax((double(i) + 0.5) / double(factor) - 0.5, 0), double(size - 1));
  return std::fmax(0, 1 - std::fabs(place - double(pixel)));
}

}  // namespace

TEST("frames are zeros, and what is cropped is gone") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t channels : {1, 3, 16, 37})
      for (auto [before_rows, rows, before_columns, columns] : {std::array<long, 4>{2, 9, 1, 9},
                                                                {-1, 3, -2, 2},
                                                                {0, 4, 0, 5},
                                                                {-4, 2, 5, 5},
                                                                {3, 3, -1, 7},
                                                                {0, 1, -4, 1}}) {
        const size_t height = 4, width = 5, batch = 3;
        const std::vector<T> x = numbers<T>(batch * height * width * channels, 1);
        Framing<T> task =
            framing<T>(batch, channels, {height, before_rows}, {width, before_columns}, size_t(rows), size_t(columns));
        std::vector<T> expected;
        for (size_t n = 0; n < batch; ++n)
          for (long i = 0; i < rows; ++i)
            for (long j = 0; j < columns; ++j)
              for (size_t c = 0; c < channels; ++c)
                expected.push_back(at(x, height, width, channels, n, i - before_rows, j - before_columns, c));
        for (size_t at_once : {SIZE_MAX, size_t(2)}) {
          Marked<T> y(expected.size());
          task.x = x.data(), task.y = y.data();
          in_rows(task, at_once, kernels_of<T>(isa).frame_images);
          CHECK(y.is_guarded());
          CHECK(same_bits(y.values(), expected));
        }
      }
  });
}

TEST("channels are multiplied by one factor in an example") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (size_t channels : {1, 3, 16, 37}) {
      const size_t images = 3, pixels = 10;
      const std::vector<T> x = numbers<T>(images * pixels * channels, 1), factors = numbers<T>(images * channels, 2);
      Marked<T> y(x.size());
      kernels_of<T>(isa).multiply_channels(x.data(), factors.data(), images, pixels, channels, y.data());
      std::vector<T> expected = x;
      for (size_t i = 0; i < x.size(); ++i) expected[i] *= factors[i / (pixels * channels) * channels + i % channels];
      CHECK(y.is_guarded());
      CHECK(same_bits(y.values(), expected));
    }
  });
}

namespace {
template <class T>
void check_upsampling(const Kernels<T>& kernels, size_t batch, size_t height, size_t width, size_t channels,
                      size_t rows_factor, size_t columns_factor, bool bilinear) {
  Upsampling<T> task;
  task.batch = batch, task.height = height, task.width = width, task.channels = channels;
  task.height_factor = rows_factor, task.width_factor = columns_factor, task.bilinear = bilinear;
  const size_t rows = height * rows_factor, columns = width * columns_factor;
  const std::vector<T> x = numbers<T>(batch * height * width * channels, 1);
  const std::vector<T> dy = numbers<T>(batch * rows * columns * channels, 2);
  std::vector<double> y(dy.size()), dx(x.size());
  for (size_t n = 0; n < batch; ++n)
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j)
        for (size_t h = 0; h < height; ++h)
          for (size_t w = 0; w < width; ++w) {
            const double weight =
                bilinear ? interpolated(i, rows_factor, height, h) * interpolated(j, columns_factor, width, w)
                         : double(i / rows_factor == h && j / columns_factor == w);
            for (size_t c = 0; c < channels && weight > 0; ++c) {
              const size_t to = ((n * rows + i) * columns + j) * channels + c;
              const size_t from = ((n * height + h) * width + w) * channels + c;
              y[to] += weight * double(x[from]), dx[from] += weight * double(dy[to]);
            }
          }
  for (size_t at_once : {SIZE_MAX, size_t(1)}) {
    Marked<T> found(dy.size()), back(x.size());
    task.input = x.data(), task.output = found.data(), task.rows = batch * rows;
    in_rows(task, at_once, kernels.upsample);
    task.input = dy.data(), task.output = back.data(), task.rows = batch * height;
    in_rows(task, at_once, kernels.upsample_backward);
    CHECK(found.is_guarded() && back.is_guarded());
    const double unit = double(std::numeric_limits<T>::epsilon());
    double worst = 0, worst_back = 0;
    for (size_t i = 0; i < y.size(); ++i) worst = std::fmax(worst, std::fabs(double(found.values()[i]) - y[i]));
    for (size_t i = 0; i < dx.size(); ++i)
      worst_back = std::fmax(worst_back, std::fabs(double(back.values()[i]) - dx[i]));
    CHECK_NEAR(worst, 0, 8 * unit);
    CHECK_NEAR(worst_back, 0, 8 * unit * double(rows_factor * columns_factor));
  }
}
}  // namespace

TEST("images are made larger by repetition and by lines between centres, corners too, and back by their transposes") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (bool bilinear : {false, true})
      for (auto [height, width, rows, columns] :
           {std::array<size_t, 4>{4, 3, 2, 2}, {1, 1, 3, 4}, {5, 2, 1, 3}, {2, 7, 5, 2}, {3, 3, 4, 1}})
        for (size_t channels : {1, 16, 21}) {
          Scope scope(std::to_string(height) + "×" + std::to_string(width) + " by " + std::to_string(rows) + "×" +
                      std::to_string(columns) + (bilinear ? " bilinear" : ""));
          check_upsampling(kernels_of<T>(isa), 2, height, width, channels, rows, columns, bilinear);
        }
  });
}

TEST("the bits of images made larger are the same on every ISA") {
  Upsampling<float> task;
  task.batch = 2, task.height = 5, task.width = 6, task.channels = 19;
  task.height_factor = 3, task.width_factor = 2, task.bilinear = true;
  const size_t inputs = 2 * 5 * 6 * 19;
  const std::vector<float> x = numbers<float>(inputs, 1), dy = numbers<float>(inputs * 6, 2);
  const auto run = [&](const Isa& isa) {
    std::vector<float> y(inputs * 6), dx(inputs);
    task.input = x.data(), task.output = y.data(), task.rows = 2 * 15;
    isa.float32.upsample(task);
    task.input = dy.data(), task.output = dx.data(), task.rows = 2 * 5;
    isa.float32.upsample_backward(task);
    y.insert(y.end(), dx.begin(), dx.end());
    return y;
  };
  const std::vector<float> expected = run(*available_isas()[0]);
  for_each_isa([&](const Isa& isa) { CHECK(same_bits(run(isa), expected)); });
}
