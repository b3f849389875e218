// What each load and store of a kernel is asked: whether it may be there, and whether another thread was.
#include <algorithm>
#include <cstring>

#include "run.h"

namespace gradus::emulator {

// Whether what this thread of the launch did then lies before what the running one does now.
bool Run::is_before(uint32_t other, Moment when) const {
  if (when < began_ || other == id()) return true;
  const unsigned of_block = other / launch.block, index = other % launch.block;
  if (of_block != block) {
    const auto has_seen = [&](const Acquired& of) {
      const bool knows = of.by == everyone || of.by == thread->index;
      return knows && of.block == of_block && (when < of.all || (of.thread == other && when < of.own));
    };
    return std::any_of(acquired_.begin(), acquired_.end(), has_seen);
  }
  if (when < barrier_) return true;
  return index / warp_lanes == thread->index / warp_lanes && when < thread->seen[index % warp_lanes];
}

bool Run::is_beside(Moment when) const {
  return beside_ && std::any_of(beside_->begin(), beside_->end(),
                                [&](const Interval& of) { return of.begin <= when && when < of.end; });
}

bool Run::readers_are_before(const Cell& cell) const {
  if (cell.read < began_) return true;
  if (cell.read_by_several) return cell.readers == block && cell.read < barrier_;
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    const uint32_t other = cell.readers / warps_ * launch.block + cell.readers % warps_ * warp_lanes + lane;
    if (cell.lanes >> lane & 1 && !is_before(other, cell.read)) return false;
  }
  return true;
}

bool Run::are_of_this_warp(const Cell& cell, bool of_readers) const {
  if (of_readers) return !cell.read_by_several && cell.readers == warp_id();
  return cell.writer / launch.block == block && cell.writer % launch.block / warp_lanes == thread->index / warp_lanes;
}

std::string Run::name_of(uintptr_t address) const {
  if (!shared_->has(address, 0)) return describe(address);
  return "byte " + std::to_string(address - shared_->begin()) + " of " + std::to_string(shared_->size()) + " shared";
}

namespace {
template <class T>
bool are_nan(const void* a, const void* b) {
  T numbers[2];
  std::memcpy(&numbers[0], a, sizeof(T)), std::memcpy(&numbers[1], b, sizeof(T));
  return numbers[0] != numbers[0] && numbers[1] != numbers[1];
}
// A card's sums of NaN are one NaN; a processor's have the bits of what was added first.
bool are_same(const void* a, const void* b, size_t bytes) {
  if (std::memcmp(a, b, bytes) == 0) return true;
  return (bytes == sizeof(float) && are_nan<float>(a, b)) || (bytes == sizeof(double) && are_nan<double>(a, b));
}
}  // namespace

void Run::settle_pending() {
  Pending& pending = thread->pending;
  if (pending.bytes && !are_same(reinterpret_cast<void*>(pending.address), pending.before, pending.bytes))
    tell_here(Trouble::race, "has written another value where a lane of its warp was", pending.at);
  pending.bytes = 0;
}

void Run::check_cell(Cell& cell, uintptr_t address, size_t bytes, bool is_store, bool is_atomic, const void* at) {
  const bool after_write = is_before(cell.writer, cell.written) || (is_atomic && cell.by_atomic);
  const Moment now = this_moment();
  if (cell.is_under_way)
    tell_here(Trouble::race, is_store ? "writes where a copy is under way" : "reads what a copy has not brought yet",
              at);
  if (is_beside(cell.written) && !(is_atomic && cell.by_atomic))
    tell_here(Trouble::race, "meets what a kernel beside it has written", at);
  if (is_store && is_beside(cell.read)) tell_here(Trouble::race, "writes what a kernel beside it has read", at);
  if (!is_store) {
    if (cell.written == 0) tell_here(Trouble::unwritten, "reads " + name_of(address), at);
    if (!after_write && cell.written != 0) tell_here(Trouble::race, "reads what another has written", at);
    const bool is_alone = cell.read == 0 || readers_are_before(cell);
    if (is_alone) {
      cell.readers = warp_id(), cell.lanes = 0, cell.read_by_several = false;
    } else if (cell.read_by_several) {
      if (cell.readers != block) cell.readers = several;
    } else if (cell.readers != warp_id()) {
      cell.readers = cell.readers / warps_ == block ? block : several;
      cell.read_by_several = true;
    }
    cell.lanes |= 1u << thread->index % warp_lanes;
    cell.read = now;
    return;
  }
  const bool after_reads = cell.read == 0 || readers_are_before(cell);
  const bool is_between = (!after_write && cell.written != 0) || !after_reads;
  if (is_between && !is_atomic) {
    const bool in_warp =
        (after_write || are_of_this_warp(cell, false)) && (after_reads || are_of_this_warp(cell, true));
    if (!in_warp) {
      tell_here(Trouble::race, after_reads ? "writes where another has written" : "writes what another has read", at);
    } else if (thread->pending.bytes == 0) {
      Pending& pending = thread->pending;
      pending.address = address, pending.bytes = unsigned(std::min<size_t>(bytes, sizeof pending.before));
      pending.at = at;
      std::memcpy(pending.before, reinterpret_cast<void*>(address), pending.bytes);
    }
  }
  cell.writer = id(), cell.written = now, cell.by_atomic = is_atomic;
  if (after_reads) cell.read = 0, cell.lanes = 0;
}

void Run::access(uintptr_t address, size_t bytes, bool is_store, bool is_atomic, const void* at) {
  if (thread->fiber.has(address)) return;
  settle_pending();
  const uintptr_t params = reinterpret_cast<uintptr_t>(launch.params.data());
  if (address >= params && address + bytes <= params + launch.param_bytes && !is_store) return;
  const bool is_shared = shared_->has(address, 1);
  Region* const region = is_shared ? shared_.get() : region_of(address);
  if (!region || !region->has(address, bytes)) {
    const std::string what = (is_store ? "writes " : "reads ") + std::to_string(bytes) + " bytes";
    if (region || is_device_memory(address)) abandon(Trouble::outside, what + " at " + name_of(address), at);
    abandon(Trouble::host_memory, what, at);
  }
  (is_store ? region->moved.written : region->moved.read) += bytes;
  if (options().counts) traffic_.add(thread->index, {address, uint32_t(bytes), is_shared ? nullptr : region, at});
  for (size_t i = 0; i < bytes; ++i) check_cell(region->cell(address + i), address, bytes, is_store, is_atomic, at);
}

}  // namespace gradus::emulator
