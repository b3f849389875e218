#include "memory.h"

#include <signal.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

#include "report.h"

namespace gradus::emulator {

namespace {
constexpr size_t alignment = 256;

Moment moment = 1;
// Never destroyed, as nothing of the emulator is: where a process ends in the middle of a step, its thread goes on.
std::map<uintptr_t, Region>& regions = *new std::map<uintptr_t, Region>;
Region* last = nullptr;  // that was looked for
size_t used = 0;
int openings = 0;

void on_fault(int signal, siginfo_t* info, void*) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (openings > 0 || !is_device_memory(address)) {
    ::signal(signal, SIG_DFL);  // not ours: it comes again, and ends the process
    return;
  }
  tell(Trouble::device_memory, "the host reaches for " + describe(address), nullptr, nullptr);
  mprotect(reinterpret_cast<void*>(address / 4096 * 4096), 4096, PROT_READ | PROT_WRITE);  // until the next launch ends
}

uint8_t* arena() {
  static uint8_t* const memory = [] {
    void* all = mmap(nullptr, whole_memory, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    return static_cast<uint8_t*>(all);
  }();
  return memory;
}
}  // namespace

Moment this_moment() { return moment; }
Moment next_moment() { return ++moment; }

void Free::operator()(Cell* cells) const { std::free(cells); }

Region::Region(uintptr_t begin, size_t size)
    : begin_(begin), size_(size), cells_(static_cast<Cell*>(std::calloc(size ? size : 1, sizeof(Cell)))) {
  if (!cells_) throw std::bad_alloc();
}
void Region::mark_written(uintptr_t address, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    Cell& of = cell(address + i);
    of = Cell();
    of.written = moment;
  }
}
void Region::forget() { std::memset(static_cast<void*>(cells_.get()), 0, size_ * sizeof(Cell)); }

void* allocate(size_t bytes) {
  const size_t size = bytes ? bytes : 1;
  const size_t ours = options().memory - options().others;
  if (size > ours || used > ours - size) return nullptr;
  // The first gap that is wide enough; a margin keeps neighbours apart.
  const auto end_of = [](uintptr_t begin, size_t of) { return (begin + of + 2 * alignment) / alignment * alignment; };
  uintptr_t at = reinterpret_cast<uintptr_t>(arena()) + alignment;
  for (const auto& [begin, region] : regions) {
    if (begin >= end_of(at, size)) break;
    at = end_of(begin, region.size());
  }
  if (at + size + alignment > reinterpret_cast<uintptr_t>(arena()) + whole_memory) return nullptr;
  regions.try_emplace(at, at, size);
  used += size;
  const Opened opened;
  std::memset(reinterpret_cast<void*>(at), poison, size);
  return reinterpret_cast<void*>(at);
}

bool release(void* memory) {
  const auto found = regions.find(reinterpret_cast<uintptr_t>(memory));
  if (found == regions.end()) return false;
  last = nullptr;
  used -= found->second.size();
  regions.erase(found);
  return true;
}

size_t allocated() { return used; }

Region* region_of(uintptr_t address) {
  if (last && last->has(address, 1)) return last;
  auto next = regions.upper_bound(address);
  if (next == regions.begin() || !(--next)->second.has(address, 1)) return nullptr;
  return last = &next->second;
}

bool is_device_memory(uintptr_t address) { return address - reinterpret_cast<uintptr_t>(arena()) < whole_memory; }

std::string describe(uintptr_t address) {
  auto next = regions.upper_bound(address);
  if (next == regions.begin()) return "an address where nothing lies";
  const Region& region = (--next)->second;
  return "byte " + std::to_string(address - region.begin()) + " of " + std::to_string(region.size());
}

void tell_leaks() {
  if (regions.empty()) return;
  tell(Trouble::leak, std::to_string(regions.size()) + " allocations of " + std::to_string(used) + " bytes", nullptr,
       nullptr);
}

Opened::Opened() {
  if (openings++ == 0) mprotect(arena(), whole_memory, PROT_READ | PROT_WRITE);
}
Opened::~Opened() {
  if (--openings == 0) mprotect(arena(), whole_memory, PROT_NONE);
}

}  // namespace gradus::emulator
