// The native tests' harness: TEST registers a function, CHECKs count and go on, for_each_isa runs what the host has.
#pragma once
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>

#include "kernels/kernels.h"

namespace gradus::test {

struct Registration {
  Registration(const char* file, const char* sentence, void (*run)());
};
// Records a failure of the running test; `where` may add which case of a table it was.
void fail(const char* file, int line, const std::string& what);
void passed_check();

// GRADUS_QUICK, for emulators and sanitizers, where everything takes ten times as long: sweeps with larger strides,
// long runs of fewer steps. The same tests run in full elsewhere.
inline bool is_quick() { return std::getenv("GRADUS_QUICK") != nullptr; }
// GRADUS_SOAK: all drawn cases of a grid that npm test takes a part of.
inline bool is_soak() { return std::getenv("GRADUS_SOAK") != nullptr; }
// Whether the next case of a sweep is to run: each, or in quick tests one of so many, which has no factor in common
// with the lengths of the sweep's loops, so that every value of each loop has its turn.
class Sample {
 public:
  explicit Sample(size_t one_of) : one_of_(is_quick() ? one_of : 1) {}
  bool has_next() { return next_++ % one_of_ == 0; }

 private:
  size_t one_of_, next_ = 0;
};

// Text that every failure message inside its scope carries: the ISA, the size, the row of a table.
struct Scope {
  explicit Scope(const std::string& text);
  ~Scope();
};

// The address sanitizer has not been built into the scalar table, which takes longer than the others together.
inline bool is_watched([[maybe_unused]] const Isa& isa) {
#if defined(__SANITIZE_ADDRESS__)
  return std::string(isa.name) != "scalar";
#else
  return true;
#endif
}

template <class F>
void for_each_isa(F body) {
  for (const Isa* const* isa = available_isas(); *isa; ++isa) {
    if (!is_watched(**isa)) continue;
    Scope scope(std::string("isa ") + (*isa)->name);
    body(**isa);
  }
}

template <class A, class B>
std::string compare(const char* a_text, const char* b_text, const A& a, const B& b) {
  std::ostringstream out;
  out.precision(17);
  out << a_text << " is " << a << ", expected " << b_text << " = " << b;
  return out.str();
}

}  // namespace gradus::test

#define GRADUS_JOIN2(a, b) a##b
#define GRADUS_JOIN(a, b) GRADUS_JOIN2(a, b)
#define TEST(sentence)                                                                                  \
  static void GRADUS_JOIN(test_, __LINE__)();                                                           \
  static gradus::test::Registration GRADUS_JOIN(registration_, __LINE__)(__FILE__, sentence,            \
                                                                         GRADUS_JOIN(test_, __LINE__)); \
  static void GRADUS_JOIN(test_, __LINE__)()

#define CHECK(condition) \
  ((condition) ? gradus::test::passed_check() : gradus::test::fail(__FILE__, __LINE__, #condition " is false"))
#define CHECK_EQ(a, b)                                                                         \
  do {                                                                                         \
    const auto& check_a = (a);                                                                 \
    const auto& check_b = (b);                                                                 \
    if (check_a == check_b)                                                                    \
      gradus::test::passed_check();                                                            \
    else                                                                                       \
      gradus::test::fail(__FILE__, __LINE__, gradus::test::compare(#a, #b, check_a, check_b)); \
  } while (0)
// Fails on NaN too.
#define CHECK_NEAR(a, b, tolerance)                                                            \
  do {                                                                                         \
    const double check_a = (a), check_b = (b);                                                 \
    if (std::fabs(check_a - check_b) <= (tolerance))                                           \
      gradus::test::passed_check();                                                            \
    else                                                                                       \
      gradus::test::fail(__FILE__, __LINE__, gradus::test::compare(#a, #b, check_a, check_b)); \
  } while (0)
