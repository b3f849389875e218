// One call of a kernel, made on the processor and on the emulated GPU in each order of its threads: the bits must be
// the same, what lies around the arrays untouched, and the emulator silent.
#pragma once
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "device.h"

namespace gradus::test {

class Numbers {
 public:
  explicit Numbers(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return n == 0 ? 0 : engine_() % n; }
  // Odd sizes: small ones mostly, at times one beside a multiple of 64.
  size_t size(size_t most) {
    const size_t n = below(4) == 0 ? 64 * (1 + below(4)) + below(3) - 1 : below(40);
    return n < most ? n : below(most + 1);
  }
  size_t at_least_one(size_t most) { return 1 + size(most - 1); }
  // Some columns of few rows: one in some lies where teams have rows in registers no longer.
  std::pair<size_t, size_t> few_rows(size_t most_rows, size_t most_columns) {
    if (below(10) == 0) return {1 + below(3), 970 + below(100)};
    if (below(10) == 0) return {1 + below(5), 225 + below(60)};
    return {size(most_rows), at_least_one(most_columns)};
  }
  bool often() { return below(3) != 0; }
  double normal() { return std::normal_distribution<double>()(engine_); }
  // Scores, at times so far apart that what follows of them is next to nothing.
  template <class T>
  std::vector<T> scores(size_t n) {
    std::vector<T> all = values<T>(n, below(4) == 0);
    const T spread = below(3) ? T(1) : T(sizeof(T) == 4 ? 40 : 300);
    for (T& value : all) value *= spread;
    return all;
  }
  // One in some is not an ordinary number.
  template <class T>
  std::vector<T> values(size_t n, bool special = false) {
    constexpr double odd[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1e-40, -3e38, 1e-320, 1e30};
    std::vector<T> all(n);
    for (T& value : all) value = T(special && below(6) == 0 ? odd[below(9)] : normal());
    return all;
  }
  template <class T>
  std::vector<T> integers(size_t n, size_t below_this) {
    std::vector<T> all(n);
    for (T& value : all) value = T(below(below_this));
    return all;
  }

 private:
  std::mt19937_64 engine_;
};

struct AnyArray {
  static constexpr size_t guard = 256;
  std::vector<uint8_t> before, host;  // with a guard on each side
  bool is_given = true;               // else its elements are unknown before the call
  bool is_result = true;              // else nobody asks what is in it after the call
  uint8_t* device = nullptr;
  virtual ~AnyArray() = default;
  virtual bool same(size_t at, const uint8_t* other) const = 0;  // whether the elements are, at this byte
  virtual size_t element() const = 0;
  virtual void aim(std::vector<uint8_t>&, bool) const {}  // of addresses: at what lies here, or on the device
};
template <class T>
struct Array : AnyArray {
  size_t element() const override { return sizeof(T); }
  bool same(size_t at, const uint8_t* other) const override {
    T a, b;
    std::memcpy(&a, host.data() + at, sizeof a), std::memcpy(&b, other + at, sizeof b);
    return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);  // any NaN equals any other
  }
};
// Where every so many elements of another array lie.
template <class A>
struct Addresses : Array<const A*> {
  Addresses(const Array<A>& of, size_t count, size_t step) : of(of), count(count), step(step) {
    this->before.assign(2 * AnyArray::guard + count * sizeof(A*), 0xcb);
  }
  bool same(size_t, const uint8_t*) const override { return true; }
  void aim(std::vector<uint8_t>& bytes, bool on_device) const override {
    const uint8_t* const start = (on_device ? of.device : of.host.data()) + AnyArray::guard;
    for (size_t i = 0; i < count; ++i) {
      const uint8_t* const at = start + i * step * sizeof(A);
      std::memcpy(bytes.data() + AnyArray::guard + i * sizeof at, &at, sizeof at);
    }
  }
  const Array<A>& of;
  const size_t count, step;
};

template <class T>
class Trial {
 public:
  template <class A>
  Array<A>& given(const std::vector<A>& values) {
    Array<A>& array = add<A>(values.size());
    if (!values.empty()) std::memcpy(array.before.data() + AnyArray::guard, values.data(), values.size() * sizeof(A));
    return array;
  }
  template <class A = T>
  Array<A>& wanted(size_t n) {
    Array<A>& array = add<A>(n);
    array.is_given = false;
    return array;
  }
  // Memory for a kernel's own use.
  Array<T>& workspace(size_t n) {
    Array<T>& array = wanted<T>(n);
    array.is_result = false;
    return array;
  }
  template <class A>
  Array<const A*>& addresses(const Array<A>& of, size_t count, size_t step) {
    auto array = std::make_unique<Addresses<A>>(of, count, step);
    Array<const A*>& reference = *array;
    arrays_.push_back(std::move(array));
    return reference;
  }
  // Where a pointer may be null.
  template <class A>
  Array<A>* maybe(bool is_there, const std::vector<A>& values) {
    return is_there ? &given(values) : nullptr;
  }

  // call(kernels, at): at(array) is where it lies on this side.
  template <class F>
  void run(F call) {
    const auto at_host = [](auto& array) { return pointer(array, array.host.data()); };
    for (auto& array : arrays_) {
      array->host = array->before;
      array->aim(array->host, false);
    }
    call(kernels_of<T>(*chosen_isa()), at_host);
    in_each_order([&] { run_on_device(call); });
  }

 private:
  template <class A>
  Array<A>& add(size_t n) {
    auto array = std::make_unique<Array<A>>();
    array->before.assign(2 * AnyArray::guard + n * sizeof(A), 0xcb);  // the emulator's poison
    Array<A>& reference = *array;
    arrays_.push_back(std::move(array));
    return reference;
  }
  template <class A>
  static A* pointer(Array<A>&, uint8_t* start) {
    return start ? reinterpret_cast<A*>(start + AnyArray::guard) : nullptr;
  }

  template <class F>
  void run_on_device(F call) {
    OpenDevice device;
    for (auto& array : arrays_) {
      const size_t size = array->before.size(), end = size - AnyArray::guard;
      array->device = device.allocate(size);
      array->aim(array->before, true);
      if (array->is_given || !is_emulated) device.upload(array->device, array->before.data(), size);
      device.upload(array->device, array->before.data(), AnyArray::guard);
      device.upload(array->device + end, array->before.data() + end, AnyArray::guard);
    }
    call(device.kernels<T>(), [](auto& array) { return pointer(array, array.device); });
    for (size_t i = 0; i < arrays_.size(); ++i) {
      AnyArray& array = *arrays_[i];
      std::vector<uint8_t> after(array.before.size());
      device.download(after.data(), array.device, after.size());
      compare(i, array, after);
    }
  }

  static void compare(size_t number, const AnyArray& array, const std::vector<uint8_t>& after) {
    const size_t end = array.before.size() - AnyArray::guard;
    bool guards = std::memcmp(after.data(), array.before.data(), AnyArray::guard) == 0;
    guards = guards && std::memcmp(after.data() + end, array.before.data() + end, AnyArray::guard) == 0;
    size_t different = 0, first = 0;
    for (size_t at = AnyArray::guard; array.is_result && at < end; at += array.element())
      if (!array.same(at, after.data()) && different++ == 0) first = (at - AnyArray::guard) / array.element();
    Scope scope("array " + std::to_string(number) + ", element " + std::to_string(first));
    CHECK_EQ(different, 0u);
    CHECK(guards);
  }

  std::vector<std::unique_ptr<AnyArray>> arrays_;
};

// body(numbers, a number of the type), so many times for both types. GRADUS_TRIALS says how often instead, GRADUS_SEED
// the seed of the first. With GRADUS_SOAK each has one order of the threads, not all three.
template <class F>
void for_trials(size_t count, F body) {
  if (const char* wanted = std::getenv("GRADUS_TRIALS")) count = size_t(std::atoi(wanted));
  for (size_t i = 0; i < count; ++i) {
    const char* const first = std::getenv("GRADUS_SEED");
    const size_t seed = (first ? size_t(std::atoi(first)) : 0) + i;
    Scope scope("seed " + std::to_string(seed));
    if (is_soak()) only_order = seed % 3;
    Numbers numbers(seed), same(seed);
    body(numbers, 0.0f);
    body(same, 0.0);
  }
  only_order.reset();
}

}  // namespace gradus::test
