// What threads do of an update. Each takes some elements that lie side by side, which it moves at once; the sums are
// those of a processor: 2 · Vec::lanes running ones of each, and then a tree.
#pragma once
#include "texts.h"

namespace gradus::cuda {
namespace {

template <class T>
constexpr unsigned beside = 16 / sizeof(T);  // elements of a thread
template <class T>
constexpr unsigned running = 2 * text::Vec<T>::lanes;  // sums of a chunk: `lane` and `other` of Pass::chunk
template <class T>
constexpr unsigned team = running<T> / beside<T>;  // threads that have them
constexpr unsigned team_mask(unsigned lanes, unsigned thread) {
  return lanes == gpu::warp ? ~0u : ((1u << lanes) - 1) << thread % gpu::warp / lanes * lanes;
}

template <class T, class A>
GPU_INLINE void read(const A* p, bool whole, unsigned count, A* to) {
  if (whole) {
    const gpu::Pack<A, beside<T>> pack = gpu::load_pack<beside<T>>(p);
    for (unsigned e = 0; e < beside<T>; ++e) to[e] = pack.at[e];
  } else {
    for (unsigned e = 0; e < beside<T>; ++e) to[e] = e < count ? p[e] : A(0);
  }
}
template <class T, class A>
GPU_INLINE void write(A* p, bool whole, unsigned count, const A* from) {
  if (whole) {
    gpu::Pack<A, beside<T>> pack;
    for (unsigned e = 0; e < beside<T>; ++e) pack.at[e] = from[e];
    gpu::store_pack(p, pack);
  } else {
    for (unsigned e = 0; e < beside<T>; ++e)
      if (e < count) p[e] = from[e];
  }
}

// The slots of a rule, [slot][element].
template <class T, template <class> class Rule>
struct Slots : text::Reals<T, Rule> {
  using text::Reals<T, Rule>::at, text::Reals<T, Rule>::slots;
  GPU_INLINE explicit Slots(const Update<T>& u) : text::Reals<T, Rule>(u) {}
  GPU_INLINE bool is_aligned() const {
    bool all = true;
    for (int s = 0; s < slots; ++s) all = all && is_multiple(at[s], 16);
    return all;
  }
  GPU_INLINE void read_at(bool whole, size_t i, unsigned count, T (*slot)[beside<T>]) const {
    for (int s = 0; s < slots; ++s) read<T>(at[s] + i, whole, count, slot[s]);
  }
  GPU_INLINE void write_at(bool whole, size_t i, unsigned count, const T (*slot)[beside<T>]) const {
    for (int s = 0; s < slots; ++s) write<T>(at[s] + i, whole, count, slot[s]);
  }
};
// As upper halves of floats, rounded at random: what cpu/bfloat16-inl.h does by chunks, here on the way.
template <class T, template <class> class Rule>
struct Halves {
  uint16_t* const at[2];
  const Counter counter;
  const size_t first;

  GPU_INLINE explicit Halves(const Update<T>& u)
      : at{u.short_slots[0], u.short_slots[1]}, counter(u.counter), first(u.first) {}
  GPU_INLINE bool is_aligned() const {
    constexpr unsigned bytes = beside<T> * sizeof(uint16_t);
    return is_multiple(at[0], bytes) && is_multiple(at[1], bytes);
  }
  GPU_INLINE void read_at(bool whole, size_t i, unsigned count, T (*slot)[beside<T>]) const {
    for (int s = 0; s < 2; ++s) {
      uint16_t half[beside<T>];
      read<T>(at[s] + i, whole, count, half);
      for (unsigned e = 0; e < beside<T>; ++e) slot[s][e] = T(text::of_upper_half(half[e]));
    }
  }
  GPU_INLINE void write_at(bool whole, size_t i, unsigned count, const T (*slot)[beside<T>]) const {
    uint16_t half[2][beside<T>];
    for (unsigned e = 0; e < beside<T>; ++e) {
      const uint32_t word = gpu::bits_of(text::value_bits(counter, first + i + e, text::Vec<float>()).r.value);
      for (int s = 0; s < 2; ++s)
        half[s][e] = text::upper_half(float(slot[s][e]), (s == 0 ? word : word >> 16) & 0xffff);
    }
    for (int s = 0; s < 2; ++s) write<T>(at[s] + i, whole, count, half[s]);
  }
};

// A step's numbers of the elements of a thread, for the sums.
template <class T>
struct Step {
  T before[beside<T>], gradient[beside<T>], change[beside<T>];
};

// The pass of an update, or of a block of one. Whether it is regularized is asked, once for all its elements, in place
// of being compiled apart: a branch that all threads take.
template <class T, template <class> class Rule, template <class, template <class> class> class Stored = Slots>
struct Pass : text::Pass<T, Rule, true, true, Stored<T, Rule>> {
  using Base = text::Pass<T, Rule, true, true, Stored<T, Rule>>;
  using Vec = text::Vec<T>;
  const bool is_regularized, is_aligned;

  GPU_INLINE explicit Pass(const Update<T>& u)
      : Base(u),
        is_regularized(u.l1 != 0 || u.l2 != 0 || (!Rule<T>::is_light && u.average)),  // see text::choose_pass
        is_aligned(is_multiple(u.gradient, 16) && is_multiple(u.w, 16) && is_multiple(u.average, 16) &&
                   this->stored.is_aligned() && !planted(Mistake::moved_one_by_one)) {}

  // Elements i to i + count, of which there is room for as many as lie beside each other.
  GPU_INLINE Step<T> step(size_t i, unsigned count) const {
    constexpr unsigned n = beside<T>;
    const bool whole = is_aligned && count == n;
    Step<T> of;
    read<T>(this->gradient + i, whole, count, of.gradient);
    read<T>(this->w + i, whole, count, of.before);
    for (unsigned e = 0; is_regularized && e < n; ++e)
      of.gradient[e] = this->penalized(Vec(of.gradient[e]), Vec(of.before[e])).r.value;
    if constexpr (Base::slots >= 0) {
      T slot[Base::slots + 1][n], after[n];
      this->stored.read_at(whole, i, count, slot);
      for (unsigned e = 0; e < n; ++e) after[e] = moved(e, of, slot);
      this->stored.write_at(whole, i, count, slot);
      if (this->average) move_average(whole, i, count, after);
      for (unsigned e = 0; e < n; ++e) of.change[e] = e < count ? after[e] - of.before[e] : T(0);
      for (unsigned e = 0; this->clears && e < n; ++e) after[e] = text::kept(Vec(after[e])).r.value;
      write<T>(this->w + i, whole, count, after);
    } else {
      for (unsigned e = 0; e < n; ++e) of.change[e] = 0;
    }
    return of;
  }

 private:
  GPU_INLINE T moved(unsigned e, const Step<T>& of, T (*slot)[beside<T>]) const {
    Vec mine[Base::slots + 1];
    for (int s = 0; s < Base::slots; ++s) mine[s] = Vec(slot[s][e]);
    const Vec after = Base::moved(Vec(of.before[e]), Vec(of.gradient[e]), mine);
    for (int s = 0; s < Base::slots; ++s)
      slot[s][e] = (this->clears ? text::kept(mine[s], text::smallest_of<Rule, T>(s)) : mine[s]).r.value;
    return after.r.value;
  }
  GPU_INLINE void move_average(bool whole, size_t i, unsigned count, const T* w) const {
    T mean[beside<T>];
    read<T>(this->average + i, whole, count, mean);
    for (unsigned e = 0; e < beside<T>; ++e) {
      const Vec next = this->averaged_with(Vec(mean[e]), Vec(w[e]));
      mean[e] = (this->clears ? text::kept(next) : next).r.value;
    }
    write<T>(this->average + i, whole, count, mean);
  }
};

// Which element of what is left of a chunk, less than `running`, is the sum's of this number: `lane` is filled first if
// it can be, and the rest begins with `other`. None: the number is not below `rest`.
template <class T>
GPU_INLINE size_t place_in_rest(unsigned number, size_t rest) {
  return number - (rest < running<T> / 2 ? running<T> / 2 : 0);  // below 0 it is very large
}

// Sums as those of a chunk that ends.
template <class T>
GPU_INLINE UpdateSums wide(const text::LaneSums<T>& of) {
  UpdateSums sums;
  sums.weight_squares = double(of.weight_squares.r.value);
  sums.weight_absolutes = double(of.weight_absolutes.r.value);
  sums.change_squares = double(of.change_squares.r.value);
  sums.gradient_squares = double(of.gradient_squares.r.value);
  return sums;
}
template <class T>
GPU_INLINE void add_lane(unsigned mask, int bits, text::LaneSums<T>& of) {
  const auto from = [=](text::Vec<T> sum) { return text::Vec<T>(gpu::shuffle_xor(mask, sum.r.value, bits)); };
  text::LaneSums<T> other;
  other.weight_squares = from(of.weight_squares);
  other.weight_absolutes = from(of.weight_absolutes);
  other.change_squares = from(of.change_squares);
  other.gradient_squares = from(of.gradient_squares);
  of.add(other);
}

// A chunk by one team; its sums are the first thread's.
template <class P, class T>
GPU_INLINE UpdateSums chunk_of_team(const P& pass, size_t first, size_t n, T) {
  constexpr unsigned beside = cuda::beside<T>, team = cuda::team<T>;
  const unsigned number = gpu::thread() % team * beside, mask = team_mask(team, gpu::thread());
  text::LaneSums<T> sums[beside];
  const auto take = [&](size_t i, unsigned count) {
    const Step<T> of = pass.step(i, count);
    for (unsigned e = 0; e < beside; ++e) {
      sums[e].add_before(text::Vec<T>(of.before[e]), text::Vec<T>(of.gradient[e]));
      sums[e].add_change(text::Vec<T>(of.change[e]));
    }
  };
  size_t i = 0;
  for (; i + running<T> <= n; i += running<T>) take(first + i + number, beside);
  const size_t rest = n - i, place = place_in_rest<T>(number, rest);
  if (place < rest) take(first + i + place, unsigned(rest - place < beside ? rest - place : beside));
  for (int bits = team / 2; bits > 0; bits /= 2)
    for (unsigned e = 0; e < beside; ++e) add_lane(mask, bits, sums[e]);
  for (unsigned half = beside / 2; half > 0; half /= 2)
    for (unsigned e = 0; e < half; ++e) sums[e].add(sums[e + half]);
  UpdateSums of = wide(sums[0]);
  gpu::sync_lanes(mask);
  if (gpu::thread() % team == 0) pass.mend(first, n, of);
  return of;
}

}  // namespace
}  // namespace gradus::cuda
