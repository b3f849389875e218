// Random numbers and dropout, made of the bits that for_values gives: those of cpu/philox-inl.h.
#pragma once
#include "math-inl.h"

// How the bits of a value become a number: `mantissa` bits and one more.
template <class T>
struct Real;
template <>
struct Real<float> {
  static constexpr int bits = 32, mantissa = 23;
  static constexpr uint32_t one = 0x3f800000, half = 0x3f000000;
};
template <>
struct Real<double> {
  static constexpr int bits = 64, mantissa = 52;
  static constexpr uint64_t one = 0x3ff0000000000000, half = 0x3fe0000000000000;
};
// The bits below the highest, `mantissa` of them, as a multiple of 2^-mantissa in [0, 1).
template <class T>
INLINE Vec<T> fraction(Vec<T> bits) {
  using R = Real<T>;
  constexpr typename Vec<T>::Bits mask = (typename Vec<T>::Bits(1) << R::mantissa) - 1;
  const Vec<T> kept = shift_right<R::bits - 1 - R::mantissa>(bits) & Vec<T>::of_bits(mask);
  return (kept | Vec<T>::of_bits(R::one)) - Vec<T>(1);
}
// A multiple of 2^-24 (2^-53) in [0, 1): the highest bit counts one half.
template <class T>
INLINE Vec<T> unit_uniform(Vec<T> bits) {
  const Vec<T> is_set = integer_subtract(Vec<T>(0), shift_right<Real<T>::bits - 1>(bits));  // all ones or none
  return fma(fraction(bits), Vec<T>(T(0.5)), is_set & Vec<T>::of_bits(Real<T>::half));
}

// y = x / (1 − rate) where the value's uniform is at least the rate, else 0. The same call on dy is the backward pass.
template <class T>
FUNCTION void dropout(const T* x, size_t n, T rate, const Counter& counter, size_t first, T* y) {
  const Vec<T> dropped(rate), scale(1 / (1 - rate));
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> kept = load_lanes(x + i, count) * scale;
    store_lanes(y + i, select(unit_uniform(bits) >= dropped, kept, Vec<T>(0)), count);
  });
}

// In [low, high): what rounding brings up to high becomes low.
template <class T>
FUNCTION void random_uniform(const Counter& counter, size_t first, size_t n, T low, T high, T* y) {
  const Vec<T> width(high - low), from(low), to(high);
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> value = fma(unit_uniform(bits), width, from);
    store_lanes(y + i, select(value < to, value, from), count);
  });
}

// Wichura 1988, algorithm AS 241, PPND16: pairs of polynomials above and below, near the middle, in the tail, far out.
struct Inversion {
  POLYNOMIAL(a, double, 2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
             4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2,
             3.3871328727963666080e+0);
  POLYNOMIAL(b, double, 5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
             2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1,
             1.0);
  POLYNOMIAL(c, double, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
             1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0,
             1.42343711074968357734e+0);
  POLYNOMIAL(d, double, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
             1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0,
             1.0);
  POLYNOMIAL(e, double, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
             2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0,
             6.65790464350110377720e+0);
  POLYNOMIAL(f, double, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
             7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1,
             1.0);
};
template <class P, class T, int I = 1>
INLINE Vec<T> rounded_horner(Vec<T> x, Vec<T> y) {
  if constexpr (I == P::size()) {
    return y;
  } else {
    constexpr T coefficient = T(P::at(I));
    return rounded_horner<P, T, I + 1>(x, fma(y, x, Vec<T>(coefficient)));
  }
}
template <class Above, class Below, class T>
INLINE Vec<T> ratio(Vec<T> r) {
  constexpr T above = T(Above::at(0)), below = T(Below::at(0));
  return rounded_horner<Above>(r, Vec<T>(above)) / rounded_horner<Below>(r, Vec<T>(below));
}
// −Φ⁻¹(p) for p in (0, 1/2).
template <class T>
INLINE Vec<T> upper_normal(Vec<T> p) {
  using I = Inversion;
  const Vec<T> q = Vec<T>(T(0.5)) - p, middle = fnma(q, q, Vec<T>(T(0.180625)));
  const Vec<T> central = q * ratio<I::a, I::b>(middle);
  const Vec<T> root = sqrt(-log(p)), near = root - Vec<T>(T(1.6));
  Vec<T> tail = ratio<I::c, I::d>(near);
  if constexpr (sizeof(T) == sizeof(double)) {  // a float's p is at least 2^-25, its root below 5
    const Vec<T> far = root - Vec<T>(5);
    tail = select(root > Vec<T>(5), ratio<I::e, I::f>(far), tail);
  }
  return select(q <= Vec<T>(T(0.425)), central, tail);
}

// By inversion: the highest bit is the sign, the next ones v give p = (v + 1/2) · 2^-24 (2^-53), exactly.
template <class T>
FUNCTION void random_normal(const Counter& counter, size_t first, size_t n, T mean, T deviation, T* y) {
  constexpr T half_step = T(0.25) / T(uint64_t(1) << Real<T>::mantissa);
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> p = fma(fraction(bits), Vec<T>(T(0.5)), Vec<T>(half_step));
    const Vec<T> normal = copy_sign(upper_normal(p), bits);
    store_lanes(y + i, fma(normal, Vec<T>(deviation), Vec<T>(mean)), count);
  });
}
