// What a device has been called for, call by call, as a recording of it would keep it.
#pragma once
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradus::test {

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define GRADUS_CLEARS_PADDING
#endif
#endif

struct FarCall {
  std::string name;
  std::vector<uint8_t> bytes;  // of all that it was told, without what lies between the fields of a struct
};

class FarCalls {
 public:
#if defined(GRADUS_CLEARS_PADDING)
  static constexpr bool can_be_compared = true;
#else
  static constexpr bool can_be_compared = false;
#endif

  template <class... A>
  void note(const char* name, const A&... told) {
    if (!is_noted) return;
    all_.push_back({name, {}});
    (append(all_.back().bytes, told), ...);
  }
  std::vector<FarCall> take() { return std::exchange(all_, {}); }

  bool is_noted = false;

 private:
  template <class A>
  static void append(std::vector<uint8_t>& to, A told) {
    static_assert(std::is_trivially_copyable_v<A>);
#if defined(GRADUS_CLEARS_PADDING)
    __builtin_clear_padding(&told);
#endif
    const uint8_t* const from = reinterpret_cast<const uint8_t*>(&told);
    to.insert(to.end(), from, from + sizeof told);
  }

  std::vector<FarCall> all_;
};

}  // namespace gradus::test
