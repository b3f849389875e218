#include "augmented_images.h"

#include <algorithm>

#include "cpu_device.h"

namespace gradus {

ImageShape image_shape_of(const std::string& name, const Shape& shape) {
  if (shape.size() == 3) return {shape[0], shape[1], shape[2]};
  throw Error("GRADUS_INVALID_ARGUMENT",
              "augment: " + name + ": expected images of [height, width, channels], received " + to_string(shape));
}

size_t image_input_of(const std::vector<InputPlan>& inputs) {
  const auto is_image = [](const InputPlan& input) { return !input.index && input.shape.size() == 3; };
  const auto found = std::find_if(inputs.begin(), inputs.end(), is_image);
  if (found == inputs.end()) image_shape_of(inputs[0].name, inputs[0].shape);
  if (std::count_if(inputs.begin(), inputs.end(), is_image) > 1)
    throw Error("GRADUS_INVALID_ARGUMENT", "augment: expected one input of images, received several");
  return size_t(found - inputs.begin());
}

template <class T>
AugmentedImages<T>::AugmentedImages(const AugmentedColumn& of, BatchMemory<T>& memory) : of_(of), memory_(memory) {
  const Column& column = of_.column();
  of_.augmentation.check(of_.shape, column.type, of_.data.size());
  if (mixes() && of_.first_row > 0)
    throw Error("GRADUS_INVALID_ARGUMENT", "augment: expected data in memory to mix examples, received a stream");
  const size_t of_row = product(of_.shape.width, of_.shape.channels);
  memory_.scales.assign(of_row, column.scale), memory_.offsets.assign(of_row, column.offset);
  if (const BytesByChannel* row = column.by_channel.get()) memory_.scales = row->scales, memory_.offsets = row->offsets;
}

template <class T>
void AugmentedImages<T>::reserve(size_t rows, Memory& from, BatchMemory<T>& in) const {
  if (!mixes()) return;
  in.other_images.grow(product(rows, of_.column().elements()), from);
  in.shares.grow(rows, from);
}

template <class T>
void AugmentedImages<T>::convert(const std::vector<uint32_t>& rows, const Device<T>& device, T* to) const {
  const Augmentation& augmentation = of_.augmentation;
  memory_.changes.resize(rows.size()), memory_.erased.resize(rows.size() * augmentation.erasures());
  for (size_t i = 0; i < rows.size(); ++i) {
    Rectangle* const erased = memory_.erased.data() + i * augmentation.erasures();
    memory_.changes[i] = augmentation.change(of_.shape, of_.seed, of_.epoch, of_.first_row + rows[i], erased);
    memory_.changes[i].example = of_.data.row(rows[i]);
  }
  ImageConversion<T> task;
  task.height = of_.shape.height, task.width = of_.shape.width, task.channels = of_.shape.channels;
  task.data = of_.column().data.get(), task.type = of_.column().type;
  task.scales = memory_.scales.data(), task.offsets = memory_.offsets.data();
  task.changes = memory_.changes.data(), task.fill = augmentation.fill();
  task.erased = memory_.erased.data(), task.erasures = augmentation.erasures();
  task.images = rows.size(), task.to = to;
  device.convert_images(task, nullptr);
}

template <class T>
void AugmentedImages<T>::draw_partners(const std::vector<uint32_t>& rows) const {
  memory_.partners.resize(rows.size()), memory_.areas.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Mix mix = of_.augmentation.mix(of_.shape, of_.seed, of_.epoch, rows[i], of_.data.size());
    memory_.partners[i] = uint32_t(mix.partner);
    memory_.shares.data()[i] = T(mix.share), memory_.areas[i] = mix.area;
  }
}

template <class T>
void AugmentedImages<T>::gather(const std::vector<uint32_t>& rows, const Device<T>& device, T* to) const {
  convert(rows, device, to);
  if (!mixes()) return;
  draw_partners(rows);
  convert(memory_.partners, device, memory_.other_images.data());
  Mixing<T> task;
  task.height = of_.shape.height, task.width = of_.shape.width, task.channels = of_.shape.channels;
  task.examples = rows.size(), task.other = memory_.other_images.data(), task.shares = memory_.shares.data();
  if (of_.augmentation.mixes_areas()) task.areas = memory_.areas.data();
  task.y = to;
  device.mix_examples(task);
}

template <class T>
void AugmentedImages<T>::mix_targets(size_t rows, size_t columns, const Device<T>& device, T* targets) const {
  Mixing<T> task;
  task.channels = columns, task.examples = rows;
  task.other = memory_.other_targets.data(), task.shares = memory_.shares.data(), task.y = targets;
  device.mix_examples(task);
}

void preview(const Dataset& data, const Augmentation& augmentation, uint64_t seed, uint64_t epoch,
             const std::vector<uint32_t>& rows, float* to) {
  const Column& column = data.columns(Dataset::Role::input)[0];
  const AugmentedColumn of{data, 0, image_shape_of(column.name, column.shape), augmentation, seed, epoch, 0};
  BatchMemory<float> memory;
  AugmentedImages<float> images(of, memory);
  images.reserve(rows.size(), host_memory(), memory);
  Pool pool(1);
  const Pool::Share alone(pool, 1);
  images.gather(rows, CpuDevice<float>(*chosen_isa(), alone), to);
}

template class AugmentedImages<float>;
template class AugmentedImages<double>;

}  // namespace gradus
