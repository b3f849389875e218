// Images on their way into a batch, against loops that take each number by itself from the definitions.
#include "images.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Case {
  size_t height, width, channels;
  Fill fill;
};

constexpr size_t images = 5, examples = 3, erasures = 2;

// The number at a place beyond the edges, or 0.
ptrdiff_t within(ptrdiff_t i, ptrdiff_t n, Fill fill) {
  while (fill != Fill::zero && (i < 0 || i >= n)) {
    if (fill == Fill::edge || n == 1)
      i = i < 0 ? 0 : n - 1;
    else
      i = i < 0 ? -i : 2 * (n - 1) - i;
  }
  return i < 0 || i >= n ? -1 : i;
}

// An image of the dataset as numbers, before anything is moved.
template <class From>
std::vector<double> numbers_of(const Case& of, const std::vector<From>& data, const ImageConversion<double>& task,
                               const ImageChange& change) {
  const size_t n = of.height * of.width * of.channels, of_row = of.width * of.channels;
  std::vector<double> x(data.begin() + long(change.example * n), data.begin() + long((change.example + 1) * n));
  const double weights[3] = {0.299, 0.587, 0.114};
  const auto grey = [&](size_t pixel) {
    if (of.channels == 1) return x[pixel];
    double sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += weights[c] * x[pixel * 3 + c];
    return sum;
  };
  if (change.is_coloured) {
    const size_t pixels = of.height * of.width;
    for (double& v : x) v *= change.brightness;
    double mean = 0;
    for (size_t p = 0; p < pixels; ++p) mean += grey(p) / double(pixels);
    for (double& v : x) v = mean + change.contrast * (v - mean);
    for (size_t p = 0; p < pixels && of.channels == 3; ++p) {
      const double g = grey(p);
      for (size_t c = 0; c < 3; ++c) x[p * 3 + c] = g + change.saturation * (x[p * 3 + c] - g);
    }
    for (double& v : x) v = std::fmin(255, std::fmax(0, v));
  }
  for (size_t i = 0; i < n && sizeof(From) == 1; ++i) x[i] = x[i] * task.scales[i % of_row] + task.offsets[i % of_row];
  return x;
}

std::vector<double> moved(const Case& of, const std::vector<double>& x, const ImageChange& change) {
  std::vector<double> y;
  for (size_t i = 0; i < of.height; ++i)
    for (size_t j = 0; j < of.width; ++j) {
      const double row = change.row[0] + change.row[1] * double(i) + change.row[2] * double(j);
      const double column = change.column[0] + change.column[1] * double(i) + change.column[2] * double(j);
      for (size_t c = 0; c < of.channels; ++c) {
        double sum = 0;
        for (ptrdiff_t down : {0, 1})
          for (ptrdiff_t right : {0, 1}) {
            const ptrdiff_t r = ptrdiff_t(std::floor(row)) + down, s = ptrdiff_t(std::floor(column)) + right;
            const double weight = (1 - std::fabs(row - double(r))) * (1 - std::fabs(column - double(s)));
            const ptrdiff_t from = within(r, ptrdiff_t(of.height), of.fill),
                            at = within(s, ptrdiff_t(of.width), of.fill);
            if (from >= 0 && at >= 0) sum += weight * x[(size_t(from) * of.width + size_t(at)) * of.channels + c];
          }
        y.push_back(sum);
      }
    }
  return y;
}

std::vector<ImageChange> some_changes(const Case& of, bool coloured) {
  std::vector<ImageChange> changes(images);
  changes[1].row[0] = -2, changes[1].column[0] = 3;
  changes[2].row[0] = double(of.height) - 1 + 4, changes[2].row[1] = -1;
  changes[2].column[0] = double(of.width) - 1 - 2, changes[2].column[2] = -1;
  const double cosine = 0.9, sine = 0.3;
  const ImageChange turned{0, {0.7, cosine, sine}, {-1.2, -sine, cosine}, false, false, 1, 1, 1};
  changes[3] = turned;
  changes[4].column[0] = double(of.width) - 1 + 3, changes[4].column[2] = -1;  // mirrored, and moved the other way
  for (size_t i = 0; i < images; ++i) {
    changes[i].example = (i + 1) % examples;
    if (!coloured) continue;
    changes[i].is_coloured = i != 1;
    changes[i].brightness = 1.3, changes[i].contrast = 0.6, changes[i].saturation = 1.4;
  }
  return changes;
}

// Kernel and loops, for images of one kind of numbers.
template <class From, class T>
void check_conversion(const Kernels<T>& kernels, const Case& of, ElementType type, bool coloured) {
  const size_t n = of.height * of.width * of.channels, of_row = of.width * of.channels;
  std::vector<From> data;
  for (double x : numbers<double>(examples * n, 5, 120, 60)) data.push_back(From(std::fmin(255, std::fmax(0, x))));
  std::vector<double> scales, offsets;
  for (size_t i = 0; i < of_row; ++i)
    scales.push_back(1 / (200.0 + double(i % of.channels))), offsets.push_back(0.25 * double(i % of.channels) - 0.5);
  const std::vector<ImageChange> changes = some_changes(of, coloured);
  std::vector<Rectangle> erased;
  for (size_t i = 0; i < images * erasures; ++i) erased.push_back(Rectangle());
  erased[1] = {0, 0, of.height, 1}, erased[6] = {of.height - 1, of.width / 2, of.height, of.width};
  const auto fill_in = [&](auto& task) {
    task.height = of.height, task.width = of.width, task.channels = of.channels, task.fill = of.fill;
    task.data = reinterpret_cast<const uint8_t*>(data.data()), task.type = type;
    task.scales = scales.data(), task.offsets = offsets.data(), task.changes = changes.data();
    task.erased = erased.data(), task.erasures = erasures, task.images = images;
  };
  ImageConversion<T> task;
  ImageConversion<double> reference;
  fill_in(task), fill_in(reference);
  const std::vector<double> none;
  for (size_t at_once : {images, size_t(1)}) {
    Marked<T> y(images * n);
    std::vector<T> workspace(n);
    task.to = y.data();
    for (size_t image = 0; image < images; image += at_once)
      kernels.convert_images(task.part(image, at_once), workspace.data());
    CHECK(y.is_guarded());
    const std::vector<T> found = y.values();
    for (size_t image = 0; image < images; ++image) {
      std::vector<double> expected = moved(of, numbers_of(of, data, reference, changes[image]), changes[image]);
      for (size_t i = 0; i < erasures; ++i) {
        const Rectangle& area = erased[image * erasures + i];
        for (size_t row = area.top; row < area.bottom; ++row)
          for (size_t at = area.left * of.channels; at < area.right * of.channels; ++at)
            expected[row * of_row + at] = 0;
      }
      double worst = 0;
      for (size_t i = 0; i < n; ++i) worst = std::fmax(worst, std::fabs(double(found[image * n + i]) - expected[i]));
      CHECK_NEAR(worst, 0, 16 * double(std::numeric_limits<T>::epsilon()) * (sizeof(From) == 1 ? 2 : 256));
    }
  }
}

}  // namespace

TEST("images are moved, mirrored, turned, coloured and erased as the definitions say, from any numbers") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    for (Fill fill : {Fill::zero, Fill::reflect, Fill::edge})
      for (auto [height, width, channels] :
           {std::array<size_t, 3>{5, 7, 3}, {4, 6, 1}, {32, 32, 3}, {3, 2, 5}, {6, 1, 70}}) {
        const Case of{height, width, channels, fill};
        Scope scope(std::to_string(height) + "×" + std::to_string(width) + "×" + std::to_string(channels) + ", fill " +
                    std::to_string(int(fill)));
        const Kernels<T>& kernels = kernels_of<T>(isa);
        check_conversion<uint8_t>(kernels, of, ElementType::uint8, false);
        if (channels <= 3) check_conversion<uint8_t>(kernels, of, ElementType::uint8, true);
        check_conversion<float>(kernels, of, ElementType::float32, false);
        check_conversion<double>(kernels, of, ElementType::float64, false);
        check_conversion<int32_t>(kernels, of, ElementType::int32, false);
      }
  });
}

TEST("the bits of changed images are the same on every ISA") {
  const Case of{9, 11, 3, Fill::reflect};
  const size_t n = of.height * of.width * of.channels, of_row = of.width * of.channels;
  std::vector<uint8_t> data(examples * n);
  for (size_t i = 0; i < data.size(); ++i) data[i] = uint8_t(i * 37 % 251);
  const std::vector<double> scales(of_row, 1 / 255.0), offsets(of_row, -0.4);
  const std::vector<ImageChange> changes = some_changes(of, true);
  const auto run = [&](const Isa& isa) {
    std::vector<float> y(images * n), workspace(n);
    ImageConversion<float> task;
    task.height = of.height, task.width = of.width, task.channels = of.channels, task.fill = of.fill;
    task.data = data.data(), task.type = ElementType::uint8, task.scales = scales.data();
    task.offsets = offsets.data(), task.changes = changes.data(), task.images = images, task.to = y.data();
    isa.float32.convert_images(task, workspace.data());
    return y;
  };
  const std::vector<float> first = run(*available_isas()[0]);
  for_each_isa([&](const Isa& isa) { CHECK(same_bits(run(isa), first)); });
}

TEST("examples are mixed by their shares, or an area is the other's") {
  for_both_types([](const Isa& isa, auto type) {
    using T = decltype(type);
    const size_t height = 4, width = 5, channels = 3, n = height * width * channels;
    const std::vector<T> own = numbers<T>(images * n, 1), other = numbers<T>(images * n, 2);
    const std::vector<T> shares = {1, 0.5, T(0.7), 0, T(0.2)};
    const std::vector<Rectangle> areas = {{0, 0, 4, 5}, {1, 2, 3, 5}, {2, 2, 2, 2}, {0, 1, 1, 2}, {3, 0, 4, 5}};
    for (bool by_area : {false, true})
      for (size_t at_once : {images, size_t(1)}) {
        std::vector<T> y = own;
        Mixing<T> task;
        task.height = height, task.width = width, task.channels = channels, task.examples = images;
        task.other = other.data(), task.shares = shares.data(), task.y = y.data();
        if (by_area) task.areas = areas.data();
        for (size_t i = 0; i < images; i += at_once) kernels_of<T>(isa).mix_examples(task.part(i, at_once));
        for (size_t i = 0; i < images * n; ++i) {
          const size_t image = i / n, row = i % n / (width * channels), column = i / channels % width;
          const Rectangle& area = areas[image];
          const bool is_others = row >= area.top && row < area.bottom && column >= area.left && column < area.right;
          const T share = shares[image];
          const T expected =
              by_area ? (is_others ? other[i] : own[i]) : T(std::fma(1 - share, other[i], share * own[i]));
          CHECK_EQ(y[i], expected);
        }
      }
  });
}
