#include "traffic.h"

#include <algorithm>
#include <map>
#include <set>

#include "emulator.h"
#include "run.h"

namespace gradus::emulator {

namespace {
constexpr uintptr_t sector = 32, word = 4, banks = bank_row / word;
}  // namespace

void Traffic::add(unsigned thread, const Access& access) {
  Instruction& of = instructions_[reinterpret_cast<uintptr_t>(access.at) * 2 + (access.region != nullptr)];
  const unsigned warps = (threads_ + warp_lanes - 1) / warp_lanes, warp = thread / warp_lanes;
  if (of.times.empty()) of.times.resize(threads_), of.waiting.resize(warps), of.first.resize(warps);
  std::deque<Request>& waiting = of.waiting[warp];
  const size_t number = of.times[thread]++ - of.first[warp];
  if (number == waiting.size()) waiting.push_back({access, std::vector<uintptr_t>(warp_lanes)});
  Request& request = waiting[number];
  request.addresses[thread % warp_lanes] = access.address;
  ++request.lanes;
  for (; !waiting.empty() && waiting.front().lanes == warp_lanes; ++of.first[warp]) {
    count(waiting.front());
    waiting.pop_front();
  }
}

void Traffic::settle() {
  for (auto& [at, of] : instructions_)
    for (const std::deque<Request>& waiting : of.waiting)
      for (const Request& request : waiting) count(request);
  instructions_.clear();
}

void Traffic::count(const Request& request) {
  request.access.region ? count_sectors(request) : count_conflicts(request);
}

// A sector is whole where the lanes reach for all of it.
void Traffic::count_sectors(const Request& request) {
  std::map<uintptr_t, uint32_t> bytes_of;  // a bit for each
  for (uintptr_t address : request.addresses)
    for (uintptr_t at = address; address && at < address + request.access.bytes; ++at)
      bytes_of[at / sector] |= 1u << at % sector;
  Moved& moved = request.access.region->moved;
  ++moved.requests, moved.sectors += bytes_of.size();
  for (const auto& [number, bytes] : bytes_of) moved.whole_sectors += bytes == UINT32_MAX;
}

// As many lanes at once as 128 bytes are for; a bank gives them one word, to as many as want that one.
void Traffic::count_conflicts(const Request& request) {
  const unsigned bytes = request.access.bytes,
                 together = std::min(unsigned(bank_row / std::max<uintptr_t>(bytes, word)), warp_lanes);
  ++effort().shared_requests;
  for (unsigned first = 0; first < warp_lanes; first += together) {
    std::map<uintptr_t, std::set<uintptr_t>> words_of;  // by bank
    for (unsigned lane = first; lane < first + together; ++lane)
      for (uintptr_t at = request.addresses[lane]; at && at < request.addresses[lane] + bytes; at += word)
        words_of[at / word % banks].insert(at / word);
    size_t most = 1;
    for (const auto& [bank, words] : words_of) most = std::max(most, words.size());
    effort().bank_conflicts += most - 1;
  }
}

}  // namespace gradus::emulator
