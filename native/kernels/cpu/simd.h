// The virtual vector: 16 lanes of float or 8 of double on every ISA, the same IEEE operation per lane on each.
// The including file defines one of GRADUS_SCALAR, GRADUS_AVX2, GRADUS_AVX512, GRADUS_NEON, GRADUS_LANES and opens an
// anonymous namespace first, so that nothing written here is visible outside its object file.
//
//   Vec<T> a = load(p), b = Vec<T>(2);          // 64 bytes each
//   store(p, select(a < b, fma(a, b, b), -a));
//
// min and max are "a < b ? a : b" and "a > b ? a : b": with a NaN in either place the second operand comes back.

// Of arrays and loops the compiler chooses what to inline: inlined everywhere they take minutes to compile.
#if defined(GRADUS_LANES)
#define INLINE static GPU_INLINE
#define INLINE_PLAIN GPU_INLINE
#define INLINE_LAMBDA
#elif defined(GRADUS_SCALAR)
#define INLINE static inline
#define INLINE_PLAIN inline
#define INLINE_LAMBDA
#else
#define INLINE static inline __attribute__((always_inline))
#define INLINE_PLAIN inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))
#endif
// Functions that are not inlined, those that better stay where they are, and those that hardly ever run.
#if defined(GRADUS_LANES)
#define FUNCTION static GPU_FUNCTION
#define OUT_OF_LINE
#define COLD
#else
#define FUNCTION static
#define OUT_OF_LINE __attribute__((noinline))
#define COLD __attribute__((noinline, cold))
#endif

template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using type = uint32_t;
};
template <>
struct BitsOf<double> {
  using type = uint64_t;
};
// The operations of one register type. One has no use on the virtual vector and only native registers have it:
// exchange<S>(a, b), S a power of two, lets each lane l of a with bit S of l set trade places with lane l - S of b.
template <class R>
struct Ops;
template <class T>
struct VectorOf;  // the register type of the virtual vector of T

#include "simd/pair.h"
#if defined(GRADUS_LANES)
#include "../cuda/simd/lanes.h"
#elif defined(GRADUS_AVX512)
#include "simd/avx512.h"
#elif defined(GRADUS_AVX2)
#include "simd/avx2.h"
#elif defined(GRADUS_NEON)
#include "simd/neon.h"
#else
#include "simd/scalar.h"
#endif

template <class T>
struct Vec {
  using Register = typename VectorOf<T>::type;
  using O = Ops<Register>;
  using Bits = typename BitsOf<T>::type;
  static constexpr int lanes = Register::lanes;
  Register r;

  Vec() = default;
  INLINE_PLAIN Vec(Register r) : r(r) {}
  INLINE_PLAIN explicit Vec(T a) : r(O::set(a)) {}
  INLINE Vec of_bits(Bits b) {
    T a;
    __builtin_memcpy(&a, &b, sizeof a);
    return Vec(a);
  }
};
template <class T>
struct Mask {
  typename Vec<T>::O::Mask m;
};

#define VEC          \
  template <class T> \
  INLINE
VEC Vec<T> load(const T* p) { return Vec<T>::O::load(p); }
VEC void store(T* p, Vec<T> a) { Vec<T>::O::store(p, a.r); }
// The first n lanes; the others read as zero, and are not written. n <= 0 touches nothing.
VEC Vec<T> load_partial(const T* p, int n) { return Vec<T>::O::load_partial(p, n); }
VEC void store_partial(T* p, Vec<T> a, int n) { Vec<T>::O::store_partial(p, a.r, n); }

VEC Vec<T> operator+(Vec<T> a, Vec<T> b) { return Vec<T>::O::add(a.r, b.r); }
VEC Vec<T> operator-(Vec<T> a, Vec<T> b) { return Vec<T>::O::subtract(a.r, b.r); }
VEC Vec<T> operator*(Vec<T> a, Vec<T> b) { return Vec<T>::O::multiply(a.r, b.r); }
VEC Vec<T> operator/(Vec<T> a, Vec<T> b) { return Vec<T>::O::divide(a.r, b.r); }
VEC Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) { return Vec<T>::O::fma(a.r, b.r, c.r); }    // a * b + c
VEC Vec<T> fnma(Vec<T> a, Vec<T> b, Vec<T> c) { return Vec<T>::O::fnma(a.r, b.r, c.r); }  // c - a * b
VEC Vec<T> sqrt(Vec<T> a) { return Vec<T>::O::sqrt(a.r); }
VEC Vec<T> max(Vec<T> a, Vec<T> b) { return Vec<T>::O::max(a.r, b.r); }
VEC Vec<T> min(Vec<T> a, Vec<T> b) { return Vec<T>::O::min(a.r, b.r); }

VEC Vec<T> operator&(Vec<T> a, Vec<T> b) { return Vec<T>::O::bit_and(a.r, b.r); }
VEC Vec<T> operator|(Vec<T> a, Vec<T> b) { return Vec<T>::O::bit_or(a.r, b.r); }
VEC Vec<T> operator^(Vec<T> a, Vec<T> b) { return Vec<T>::O::bit_xor(a.r, b.r); }
// On the lanes' bits as unsigned integers of the lane's size.
VEC Vec<T> integer_add(Vec<T> a, Vec<T> b) { return Vec<T>::O::integer_add(a.r, b.r); }
VEC Vec<T> integer_subtract(Vec<T> a, Vec<T> b) { return Vec<T>::O::integer_subtract(a.r, b.r); }
// The 64-bit product of the low 32 bits of each 64-bit lane.
INLINE Vec<double> multiply_low_halves(Vec<double> a, Vec<double> b) {
  return Vec<double>::O::multiply_low_halves(a.r, b.r);
}
template <int N, class T>
INLINE Vec<T> shift_left(Vec<T> a) {
  return Vec<T>::O::template shift_left<N>(a.r);
}
template <int N, class T>
INLINE Vec<T> shift_right(Vec<T> a) {
  return Vec<T>::O::template shift_right<N>(a.r);
}

VEC Vec<T> sign_bit() { return Vec<T>::of_bits(typename Vec<T>::Bits(1) << (sizeof(T) * 8 - 1)); }
VEC Vec<T> operator-(Vec<T> a) { return a ^ sign_bit<T>(); }
VEC Vec<T> abs(Vec<T> a) { return a & Vec<T>::of_bits(~typename Vec<T>::Bits(0) >> 1); }
VEC Vec<T> copy_sign(Vec<T> magnitude, Vec<T> sign) { return abs(magnitude) | (sign & sign_bit<T>()); }

// Comparisons are false where either side is NaN.
VEC Mask<T> operator<(Vec<T> a, Vec<T> b) { return {Vec<T>::O::less(a.r, b.r)}; }
VEC Mask<T> operator<=(Vec<T> a, Vec<T> b) { return {Vec<T>::O::less_equal(a.r, b.r)}; }
VEC Mask<T> operator>(Vec<T> a, Vec<T> b) { return {Vec<T>::O::less(b.r, a.r)}; }
VEC Mask<T> operator>=(Vec<T> a, Vec<T> b) { return {Vec<T>::O::less_equal(b.r, a.r)}; }
VEC Mask<T> operator==(Vec<T> a, Vec<T> b) { return {Vec<T>::O::equal(a.r, b.r)}; }
VEC Mask<T> operator&(Mask<T> a, Mask<T> b) { return {Vec<T>::O::mask_and(a.m, b.m)}; }
VEC Mask<T> operator|(Mask<T> a, Mask<T> b) { return {Vec<T>::O::mask_or(a.m, b.m)}; }
VEC Mask<T> operator!(Mask<T> a) { return {Vec<T>::O::mask_not(a.m)}; }
VEC bool any(Mask<T> a) { return Vec<T>::O::any(a.m); }
VEC Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) { return Vec<T>::O::select(m.m, a.r, b.r); }

// Over the lanes, in one fixed tree: lane i + lane i + lanes/2, and so on down.
VEC T sum(Vec<T> a) { return Vec<T>::O::sum(a.r); }
VEC T max_lane(Vec<T> a) { return Vec<T>::O::max_lane(a.r); }
#undef VEC

// What the lanes of one vector have to themselves, and between them.
#if defined(GRADUS_LANES)
#include "../cuda/simd/apart.h"
#else
#include "simd/whole.h"
#endif
