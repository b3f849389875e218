// Copies to shared memory that a thread begins and waits for later. In between nobody may touch where they go: they are
// done as late as the waits allow, at once, or now so, now so.
#include <algorithm>
#include <cstring>

#include "emulator.h"
#include "run.h"

namespace gradus::emulator {

namespace {
void move(const Copy& of) {
  void* const to = reinterpret_cast<void*>(of.to);
  if (of.is_there) {
    std::memcpy(to, reinterpret_cast<const void*>(of.from), of.bytes);
  } else {
    std::memset(to, 0, of.bytes);
  }
}
}  // namespace

void Run::begin_copy(Copy copy, const void* at) {
  if (copy.to % copy.bytes || (copy.is_there && copy.from % copy.bytes)) tell_misaligned(copy.bytes, at);
  if (!shared_->has(copy.to, copy.bytes)) abandon(Trouble::outside, "copies to what is no shared memory", at);
  if (copy.is_there) access(copy.from, copy.bytes, false, false, at);
  access(copy.to, copy.bytes, true, false, at);
  for (size_t i = 0; i < copy.bytes; ++i) shared_->cell(copy.to + i).is_under_way = true;
  std::memset(reinterpret_cast<void*>(copy.to), poison, copy.bytes);
  copy.group = thread->groups;
  const Finish finish = options().copies;
  copy.is_done = finish == Finish::early || (finish == Finish::random && random_() % 2);
  if (copy.is_done) move(copy);
  thread->copies.push_back(copy);
}

void Run::wait_copies(unsigned still) {
  settle_pending();
  std::vector<Copy>& copies = thread->copies;
  const auto first =
      std::find_if(copies.begin(), copies.end(), [&](const Copy& of) { return of.group + still >= thread->groups; });
  for (auto of = copies.begin(); of != first; ++of) {
    if (!of->is_done) move(*of);
    for (size_t i = 0; i < of->bytes; ++i) {
      Cell& cell = shared_->cell(of->to + i);
      cell.is_under_way = false, cell.written = this_moment();
    }
  }
  copies.erase(copies.begin(), first);
}

}  // namespace gradus::emulator
