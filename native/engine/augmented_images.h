// The one input of images as it goes into batches of training, changed by an augmentation.
#pragma once
#include "augmentation.h"
#include "model.h"

namespace gradus {

// A dataset's column of images, and by what they are changed.
struct AugmentedColumn {
  const Dataset& data;
  size_t input = 0;
  ImageShape shape;
  const Augmentation& augmentation;
  uint64_t seed = 0, epoch = 0;
  uint64_t first_row = 0;  // of the epoch, where the data begin

  const Column& column() const { return data.columns(Dataset::Role::input)[input]; }
};

template <class T>
class AugmentedImages {
 public:
  // Throws GRADUS_INVALID_ARGUMENT for what cannot be changed so. What is referred to outlives it.
  AugmentedImages(const AugmentedColumn& of, BatchMemory<T>& memory);

  size_t input() const { return of_.input; }
  bool mixes() const { return of_.augmentation.mixes(); }
  void reserve(size_t rows, Memory& from, BatchMemory<T>& in) const;
  // Rows of the data. Which others they are mixed with, and how, lies in the memory then.
  void gather(const std::vector<uint32_t>& rows, const Device<T>& device, T* to) const;
  // Of as many rows; the others' targets lie in the memory.
  void mix_targets(size_t rows, size_t columns, const Device<T>& device, T* targets) const;

 private:
  void convert(const std::vector<uint32_t>& rows, const Device<T>& device, T* to) const;
  void draw_partners(const std::vector<uint32_t>& rows) const;

  const AugmentedColumn of_;
  BatchMemory<T>& memory_;
};

// Throws GRADUS_INVALID_ARGUMENT where there is no shape of [height, width, channels].
ImageShape image_shape_of(const std::string& name, const Shape& shape);
// The number of the one input of such a shape; throws where there is none, or another.
size_t image_input_of(const std::vector<InputPlan>& inputs);

// Rows of the first input's images as batches of training would have them; (rows, elements) numbers.
void preview(const Dataset& data, const Augmentation& augmentation, uint64_t seed, uint64_t epoch,
             const std::vector<uint32_t>& rows, float* to);

}  // namespace gradus
