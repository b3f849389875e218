// What becomes of images on their way into batches of training: every draw a function of seed, transform, epoch and
// row.
#pragma once
#include <optional>

#include "dataset.h"
#include "fields.h"

namespace gradus {

struct Transform {
  enum class Kind {
    mirror,
    random_crop,
    random_flip,
    alternating_flip,
    random_affine,
    cutout,
    color_jitter,
    mixup,
    cutmix
  };
  Kind kind = Kind::random_crop;
  uint32_t number = 0;  // in the list
  size_t padding = 0;   // pixels
  bool vertical = false;
  double rotation = 0;  // degrees, either way
  double least_scale = 1, most_scale = 1;
  double shift = 0;  // pixels, either way
  size_t size = 0;   // pixels of a side
  double brightness = 0, contrast = 0, saturation = 0;
  double alpha = 1;
};

// Images of a batch, and what a kernel is told of them.
struct ImageShape {
  size_t height = 1, width = 1, channels = 1;
};

// The row that another one is mixed with. Without an area all of it, `share` of the other one's own.
struct Mix {
  size_t partner = 0;
  double share = 1;
  Rectangle area;
};

class Augmentation {
 public:
  // From { fill, transforms: [{ kind, … }] }. Throws GRADUS_BAD_DESCRIPTOR.
  explicit Augmentation(const Value& value);
  // Every image with left and right exchanged.
  static Augmentation mirror();

  // Throws GRADUS_INVALID_ARGUMENT where such images cannot be changed so.
  void check(const ImageShape& shape, DataType type, size_t rows) const;

  Fill fill() const { return fill_; }
  size_t erasures() const { return erasures_; }
  bool mixes() const { return mix_.has_value(); }
  bool mixes_areas() const { return mixes() && mix_->kind == Transform::Kind::cutmix; }

  // Of row `row` in an epoch, from 0: how its image is changed, and its erasures() of areas.
  ImageChange change(const ImageShape& shape, uint64_t seed, uint64_t epoch, uint64_t row, Rectangle* erased) const;
  // Of mixes(): with another of so many rows.
  Mix mix(const ImageShape& shape, uint64_t seed, uint64_t epoch, uint64_t row, size_t rows) const;

 private:
  Augmentation() = default;

  Fill fill_ = Fill::zero;
  std::vector<Transform> transforms_;  // but for that which mixes
  std::optional<Transform> mix_;
  size_t erasures_ = 0;
};

}  // namespace gradus
