// Where in the counter-based generator the draws lie: those of transform n of the list in stream streams::transform(n),
// at the step that is the epoch, from 0, in the blocks 64 · row to 64 · row + 63 of four words w0 … w3. Block 0 has the
// draws below, the others those of a beta distribution. u(w) = (w + ½) / 2³².
//   random_crop       w0, w1: how far down and to the right, ⌊w · (2 · padding + 1) / 2³²⌋ − padding pixels
//   random_flip       the highest bit of w0: left and right; that of w1, where vertical: top and bottom
//   alternating_flip  the highest bit of w0 at epoch 0: turned around in even epochs, else in odd ones (Jordan 2024)
//   random_affine     u(w0): the angle, u(w1): the scale, u(w2), u(w3): how far down and to the right
//   cutout            w0, w1: the centre's row and column, ⌊w · pixels / 2³²⌋ (DeVries and Taylor 2017)
//   color_jitter      u(w0), u(w1), u(w2): brightness, contrast, saturation
//   mixup, cutmix     w0: the other row; w1, w2 of cutmix: the area's centre (Zhang et al. 2018, Yun et al. 2019)
#include "augmentation.h"

#include <algorithm>
#include <cmath>

#include "kernels/philox.h"
#include "streams.h"

namespace gradus {
namespace {

constexpr uint64_t blocks_of_row = 64;

class Draws {
 public:
  Draws(uint64_t seed, uint32_t transform, uint64_t epoch, uint64_t row)
      : at_{seed, streams::transform(transform), epoch}, first_(row * blocks_of_row), block_(philox(at_, first_)) {}

  size_t below(int word, size_t n) const { return size_t(uint64_t(block_.words[word]) * n >> 32); }
  bool coin(int word) const { return block_.words[word] >> 31 != 0; }
  double unit(int word) const { return (block_.words[word] + 0.5) * 0x1p-32; }
  double between(int word, double low, double high) const { return low + (high - low) * unit(word); }
  void next() { block_ = philox(at_, ++first_); }

 private:
  Counter at_;
  uint64_t first_;
  PhiloxBlock block_;
};

// The kernels' own, which are the same on every machine.
const Kernels<double>& plain_kernels() {
  const Isa* const* isa = available_isas();
  while (isa[1]) ++isa;
  return isa[0]->float64;
}
double logarithm(double x) {
  plain_kernels().log(&x, 1, &x);
  return x;
}
double exponential(double x) {
  plain_kernels().exp(&x, 1, &x);
  return x;
}

// By their series, for angles of up to a turn: a library's own are not the same on every machine.
struct Turn {
  double sine, cosine;
};
Turn turn_by(double angle) {
  Turn sums{0, 0};
  double term = 1;
  for (int n = 0; n < 48; ++n, term = term * angle / n) {
    const double signed_term = n % 4 < 2 ? term : -term;
    (n % 2 ? sums.sine : sums.cosine) += signed_term;
  }
  return sums;
}
constexpr double pi = 3.14159265358979323846;

// The larger one of the two shares that Beta(alpha, alpha) makes of a whole. For alpha above ½ by Ulrich's formula
// (1984), else by Jöhnk's rejection (1964), in logarithms as small powers vanish.
double larger_share(Draws& draws, double alpha) {
  double share = 0.5;
  if (alpha > 0.5) {
    draws.next();
    const double rest = 1 - exponential(logarithm(draws.unit(0)) * 2 / (2 * alpha - 1));
    share = 0.5 + 0.5 * std::sqrt(std::max(0.0, rest)) * turn_by(2 * pi * draws.unit(1)).cosine;
  } else {
    for (uint64_t block = 1; block < blocks_of_row; ++block) {  // each is refused in less than one of four cases
      draws.next();
      const double x = logarithm(draws.unit(0)) / alpha, y = logarithm(draws.unit(1)) / alpha;
      share = 1 / (1 + exponential(std::min(y - x, 700.0)));
      if (exponential(x) + exponential(y) <= 1) break;
    }
  }
  return std::max(share, 1 - share);
}

// From places in the changed image to places in the one before: row = row[0] + row[1] · i + row[2] · j.
void compose(ImageChange& change, const double (&row)[3], const double (&column)[3]) {
  const auto after = [&](double(&of)[3]) {
    const double constant = of[0] + of[1] * row[0] + of[2] * column[0];
    const double down = of[1] * row[1] + of[2] * column[1], right = of[1] * row[2] + of[2] * column[2];
    of[0] = constant, of[1] = down, of[2] = right;
  };
  after(change.row), after(change.column);
}

void flip(ImageChange& change, const ImageShape& shape, bool left_and_right, bool top_and_bottom) {
  if (left_and_right) compose(change, {0, 1, 0}, {double(shape.width) - 1, 0, -1});
  if (top_and_bottom) compose(change, {double(shape.height) - 1, -1, 0}, {0, 0, 1});
}

// Turned and scaled about the image's centre, then moved.
void move_anywhere(ImageChange& change, const ImageShape& shape, const Transform& by, const Draws& draws) {
  const double angle = draws.between(0, -by.rotation, by.rotation) * pi / 180;
  const double scale = draws.between(1, by.least_scale, by.most_scale);
  const double down = draws.between(2, -by.shift, by.shift), right = draws.between(3, -by.shift, by.shift);
  const Turn turn = turn_by(angle);
  const double cosine = turn.cosine / scale, sine = turn.sine / scale;
  const double middle_row = (double(shape.height) - 1) / 2, middle_column = (double(shape.width) - 1) / 2;
  const double i = middle_row + down, j = middle_column + right;
  compose(change, {middle_row - cosine * i - sine * j, cosine, sine},
          {middle_column + sine * i - cosine * j, -sine, cosine});
  change.is_whole = false;
}

// As much of a square or rectangle as lies within the image.
Rectangle area_around(const ImageShape& shape, size_t row, size_t column, size_t height, size_t width) {
  const auto from = [](size_t centre, size_t size) { return centre > size / 2 ? centre - size / 2 : 0; };
  const auto to = [](size_t centre, size_t size, size_t most) {
    const size_t end = centre + size - size / 2;
    return std::min(end, most);
  };
  return {from(row, height), from(column, width), to(row, height, shape.height), to(column, width, shape.width)};
}

Transform decode_transform(const Fields& fields, uint32_t number) {
  using Kind = Transform::Kind;
  constexpr double above_one = 1 + 0x1p-20;
  Transform transform;
  transform.number = number;
  const std::string& kind = fields.text("kind");
  if (kind == "randomCrop") {
    transform.padding = fields.count("padding");
  } else if (kind == "randomFlip") {
    transform.kind = Kind::random_flip, transform.vertical = fields.flag("vertical");
  } else if (kind == "alternatingFlip") {
    transform.kind = Kind::alternating_flip;
  } else if (kind == "randomAffine") {
    transform.kind = Kind::random_affine;
    transform.rotation = fields.number_within("rotation", 0, 0, 180.5);
    transform.least_scale = fields.number_within("leastScale", 1, 0x1p-10, 0x1p10);
    transform.most_scale = fields.number_within("mostScale", 1, transform.least_scale, 0x1p10);
    transform.shift = fields.number_within("shift", 0, 0, 65536);
  } else if (kind == "cutout") {
    transform.kind = Kind::cutout, transform.size = fields.count("size");
  } else if (kind == "colorJitter") {
    transform.kind = Kind::color_jitter;
    transform.brightness = fields.number_within("brightness", 0, 0, above_one);
    transform.contrast = fields.number_within("contrast", 0, 0, above_one);
    transform.saturation = fields.number_within("saturation", 0, 0, above_one);
  } else if (kind == "mixup" || kind == "cutmix") {
    transform.kind = kind == "mixup" ? Kind::mixup : Kind::cutmix;
    transform.alpha = fields.number_within("alpha", 1, 0x1p-7, 1024);
  } else {
    fields.fail("kind: there is no \"" + kind + "\"");
  }
  return transform;
}

[[noreturn]] void refuse(const std::string& message) { throw Error("GRADUS_INVALID_ARGUMENT", "augment: " + message); }

}  // namespace

Augmentation::Augmentation(const Value& value) {
  const Fields fields(value, "augment");
  const std::string& fill = fields.text("fill");
  if (fill != "zero" && fill != "reflect" && fill != "edge")
    fields.fail("fill: expected zero, reflect or edge, received " + fill);
  fill_ = fill == "zero" ? Fill::zero : fill == "edge" ? Fill::edge : Fill::reflect;
  const Value::Array& list = fields.array("transforms");
  constexpr size_t most = 64;
  if (list.size() > most) fields.fail("transforms: expected at most " + std::to_string(most));
  for (const Value& of : list) {
    const auto number = uint32_t(&of - list.data());
    const Fields own(of, "augment[" + std::to_string(number) + "]");
    const Transform transform = decode_transform(own, number);
    erasures_ += transform.kind == Transform::Kind::cutout;
    if (transform.kind < Transform::Kind::mixup)
      transforms_.push_back(transform);
    else if (mix_)
      own.fail("expected one mixup or cutmix, received another");
    else
      mix_ = transform;
  }
}

Augmentation Augmentation::mirror() {
  Augmentation made;
  made.transforms_.resize(1);
  made.transforms_[0].kind = Transform::Kind::mirror;
  return made;
}

void Augmentation::check(const ImageShape& shape, DataType type, size_t rows) const {
  constexpr size_t most = 65536;
  const size_t least = std::min(shape.height, shape.width), longest = std::max(shape.height, shape.width);
  if (longest > most) refuse("expected images of at most 65536 pixels a side, received " + std::to_string(longest));
  if (mixes() && rows < 2) refuse("expected at least 2 examples to mix, received " + std::to_string(rows));
  for (const Transform& transform : transforms_) {
    if (transform.kind == Transform::Kind::random_crop && transform.padding >= least)
      refuse("randomCrop: expected a padding below the images' " + std::to_string(least) + " pixels, received " +
             std::to_string(transform.padding));
    if (transform.kind == Transform::Kind::cutout && transform.size > 2 * longest)
      refuse("cutout: expected at most twice the images' " + std::to_string(longest) + " pixels, received " +
             std::to_string(transform.size));
    if (transform.kind != Transform::Kind::color_jitter) continue;
    if (type != DataType::uint8) refuse("colorJitter: expected images of bytes (a Uint8Array), received other numbers");
    if (shape.channels != 1 && shape.channels != 3)
      refuse("colorJitter: expected images of 1 or 3 channels, received " + std::to_string(shape.channels));
    if (shape.channels == 1 && transform.saturation > 0)
      refuse("colorJitter: expected images of 3 channels beside a saturation, received 1");
  }
}

ImageChange Augmentation::change(const ImageShape& shape, uint64_t seed, uint64_t epoch, uint64_t row,
                                 Rectangle* erased) const {
  using Kind = Transform::Kind;
  ImageChange change;
  for (const Transform& by : transforms_) {
    const bool alternates = by.kind == Kind::alternating_flip;
    const Draws draws(seed, by.number, alternates ? 0 : epoch, row);
    if (by.kind == Kind::mirror) {
      flip(change, shape, true, false);
    } else if (by.kind == Kind::random_crop) {
      const auto moved = [&](int word) { return double(draws.below(word, 2 * by.padding + 1)) - double(by.padding); };
      compose(change, {moved(0), 1, 0}, {moved(1), 0, 1});
    } else if (alternates) {
      flip(change, shape, draws.coin(0) == (epoch % 2 == 0), false);
    } else if (by.kind == Kind::random_flip) {
      flip(change, shape, draws.coin(0), by.vertical && draws.coin(1));
    } else if (by.kind == Kind::random_affine) {
      move_anywhere(change, shape, by, draws);
    } else if (by.kind == Kind::cutout) {
      *erased++ = area_around(shape, draws.below(0, shape.height), draws.below(1, shape.width), by.size, by.size);
    } else {
      change.is_coloured = true;
      change.brightness *= draws.between(0, 1 - by.brightness, 1 + by.brightness);
      change.contrast *= draws.between(1, 1 - by.contrast, 1 + by.contrast);
      change.saturation *= draws.between(2, 1 - by.saturation, 1 + by.saturation);
    }
  }
  return change;
}

Mix Augmentation::mix(const ImageShape& shape, uint64_t seed, uint64_t epoch, uint64_t row, size_t rows) const {
  Draws draws(seed, mix_->number, epoch, row);
  Mix mix;
  mix.partner = draws.below(0, rows - 1);
  mix.partner += mix.partner >= row;
  const size_t centre_row = draws.below(1, shape.height), centre_column = draws.below(2, shape.width);
  mix.share = larger_share(draws, mix_->alpha);
  if (!mixes_areas()) return mix;
  const double side = std::sqrt(1 - mix.share);
  const auto pixels = [&](size_t of) { return size_t(side * double(of)); };
  mix.area = area_around(shape, centre_row, centre_column, pixels(shape.height), pixels(shape.width));
  const size_t taken = (mix.area.bottom - mix.area.top) * (mix.area.right - mix.area.left);
  mix.share = 1 - double(taken) / double(shape.height * shape.width);
  return mix;
}

}  // namespace gradus
