#include "library_device.h"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "device_library.h"

namespace gradus {

namespace {
std::atomic<uint64_t>& taken_on(const DeviceTable& table, int32_t ordinal) {
  static std::mutex mutex;
  static auto* const taken = new std::map<std::pair<const DeviceTable*, int32_t>, std::atomic<uint64_t>>;
  const std::lock_guard<std::mutex> lock(mutex);
  return (*taken)[{&table, ordinal}];
}
}  // namespace

OpenDevice::OpenDevice(const DeviceTable& table, int32_t ordinal, Queue* queue)
    : table_(table), ordinal_(ordinal), queue_(queue), taken_(taken_on(table, ordinal)) {}

std::shared_ptr<OpenDevice> OpenDevice::open(const DeviceTable& table, int32_t ordinal) {
  DeviceInfo info;
  table.describe(ordinal, &info);
  Queue* queue = nullptr;
  if (info.state == DeviceState::ready) info.state = table.open(ordinal, &queue);
  if (info.state != DeviceState::ready) throw refusal_of(table, ordinal, info);
  return std::make_shared<OpenDevice>(table, ordinal, queue);
}

void OpenDevice::no_room_for(size_t bytes) const {
  const DeviceRoom room = table_.room(queue_);
  DeviceInfo info;
  table_.describe(ordinal_, &info);
  const uint64_t taken = taken_, free = std::min(room.free, room.memory);
  throw Error("GRADUS_OUT_OF_MEMORY", std::string(info.name) + " has no memory for " + std::to_string(bytes) +
                                          " bytes: of its " + std::to_string(room.memory) + " bytes " +
                                          std::to_string(free) + " are free, this process has taken " +
                                          std::to_string(taken) + ", others and the driver " +
                                          std::to_string(room.memory - free - std::min(taken, room.memory - free)));
}

std::optional<Room> OpenDevice::room() const {
  const DeviceRoom room = table_.room(queue_);
  return Room{size_t(room.free), size_t(room.grain)};
}

// It goes back when nothing that is queued uses it any more.
std::shared_ptr<uint8_t> OpenDevice::allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  void* const memory = table_.allocate(queue_, bytes);
  if (!memory) {
    wait();  // a device that is lost gives none either
    no_room_for(bytes);
  }
  taken_ += bytes;
  std::shared_ptr<uint8_t> owned(static_cast<uint8_t*>(memory), [self = shared_from_this(), bytes](uint8_t* at) {
    if (self->table_.wait(self->queue_) == DeviceState::lost) self->is_lost_ = true;
    self->table_.release(self->queue_, at);
    self->taken_ -= bytes;
  });
  clear(memory, bytes);
  return owned;
}

void OpenDevice::upload(void* to, const void* from, size_t bytes) {
  if (bytes > 0) table_.upload(queue_, to, from, bytes);
}
void OpenDevice::download(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  table_.download(queue_, to, from, bytes);
  wait();
}
void OpenDevice::copy(void* to, const void* from, size_t bytes) {
  if (bytes > 0) table_.copy(queue_, to, from, bytes);
}
void OpenDevice::clear(void* at, size_t bytes) {
  if (bytes > 0) table_.clear(queue_, at, bytes);
}

void OpenDevice::wait() {
  const DeviceState state = table_.wait(queue_);
  if (missing_)
    throw Error("GRADUS_NO_DEVICE", "the device " + std::string(table_.name) + " has no kernel " +
                                        std::exchange(missing_, nullptr) + " yet: train on the processor");
  is_lost_ |= state != DeviceState::ready;
  if (is_lost_)
    throw Error("GRADUS_DEVICE_LOST", "the device " + name() + " has failed: restart the process to use the GPU again");
}

template <>
void LibraryDevice<float>::update(UpdateRule rule, const Update<float>& common, const UpdateBlocks<float>& blocks,
                                  UpdateSums* sums) const {
  open_.table().update32(rule, common, blocks.there, blocks.count(), blocks.kinds, sums);
}
template <>
void LibraryDevice<double>::update(UpdateRule rule, const Update<double>& common, const UpdateBlocks<double>& blocks,
                                   UpdateSums* sums) const {
  open_.table().update64(rule, common, blocks.there, blocks.count(), blocks.kinds, sums);
}

// Of the engine's stretches, which are short.
template <class T>
void LibraryDevice<T>::histograms(const Stretch<T>* stretches, size_t count, double* counts) const {
  if (!kernels_.histogram) return open_.note_missing("histogram");
  std::vector<uint32_t> here(count * histogram_bins);
  Buffer<uint32_t> there;
  there.grow(here.size(), open_);
  for (size_t i = 0; i < count; ++i)
    kernels_.histogram(stretches[i].x, stretches[i].n, there.data() + i * histogram_bins);
  open_.download(here.data(), there.data(), there.bytes());
  std::copy(here.begin(), here.end(), counts);
}

template class LibraryDevice<float>;
template class LibraryDevice<double>;

}  // namespace gradus
