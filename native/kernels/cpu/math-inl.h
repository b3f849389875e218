// The elementary functions on the virtual vector, within 4 ulp for float32 and float64 alike, subnormal arguments and
// results included. The polynomials interpolate at Chebyshev nodes, computed with 60 digits; each comment gives the
// largest relative error that the fit adds to the function.
#pragma once
#include "vectors-inl.h"

// The coefficients of a polynomial, highest power first. Behind functions: code of a GPU sees no arrays of the host.
#define POLYNOMIAL(name, T, ...)                                \
  struct name {                                                 \
    static constexpr int size() {                               \
      const T coefficients[] = {__VA_ARGS__};                   \
      return int(sizeof coefficients / sizeof coefficients[0]); \
    }                                                           \
    static constexpr T at(int i) {                              \
      const T coefficients[] = {__VA_ARGS__};                   \
      return coefficients[i];                                   \
    }                                                           \
  }

template <class T>
struct Constants;

template <>
struct Constants<float> {
  static constexpr int fraction_bits = 23;
  static constexpr uint32_t bias = 127;
  static constexpr uint32_t infinity_bits = 0x7f800000, nan_bits = 0x7fc00000, fraction_mask = 0x007fffff;
  static constexpr uint32_t sqrt_half_bits = 0x3f3504f3;
  static constexpr float magic = 0x1.8p23f, integer_magic = 0x1p23f;  // adding it rounds to an integer in the low bits
  static constexpr float smallest_normal = 0x1p-126f, subnormal_scale = 0x1p24f, subnormal_exponent = 24;
  // ln 2 in two parts; the first has so few bits that n · ln2_high is exact.
  static constexpr float log2_e = 0x1.715476p0f, ln2_high = 0x1.62e3p-1f, ln2_low = 0x1.2fefa2p-17f;
  static constexpr float exp_low = -104, exp_high = 89;     // beyond these exp is 0 or infinite
  static constexpr float expm1_low = -20, tanh_limit = 20;  // and expm1 −1, tanh(x / 2) ±1
  static constexpr float tiny = 0x1p-26f;                   // below it expm1(x) and log1p(x) round to x
  // (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2: 2^-26.5
  POLYNOMIAL(exp, float, 0.00139262508f, 0.00836323288f, 0.0416665542f, 0.166665767f, 0.5f);
  // (ln((1 + s) / (1 − s)) − 2s) / s³ in s², for s ≤ (√2 − 1) / (√2 + 1): 2^-35.8
  POLYNOMIAL(log, float, 0.233316145f, 0.285507786f, 0.400001222f, 0.666666666f);
  // Φ(−x) · e^(x²/2) / t in t − tail_middle, where t = tail_pole / (tail_pole + x), for 0 ≤ x ≤ 14.5: 2^-28.5
  static constexpr float tail_pole = 4, tail_middle = 0.625f;
  POLYNOMIAL(tail, float, -0.0134772863f, 0.0131849775f, 0.035148066f, -0.0281086824f, -0.09292745f, 0.0032248003f,
             0.262923876f, 0.500665957f, 0.550619792f, 0.420168577f, 0.233653031f);
};

template <>
struct Constants<double> {
  static constexpr int fraction_bits = 52;
  static constexpr uint64_t bias = 1023;
  static constexpr uint64_t infinity_bits = 0x7ff0000000000000, nan_bits = 0x7ff8000000000000;
  static constexpr uint64_t fraction_mask = 0x000fffffffffffff, sqrt_half_bits = 0x3fe6a09e667f3bcd;
  static constexpr double magic = 0x1.8p52, integer_magic = 0x1p52;
  static constexpr double smallest_normal = 0x1p-1022, subnormal_scale = 0x1p54, subnormal_exponent = 54;
  static constexpr double log2_e = 0x1.71547652b82fep0;
  static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  static constexpr double exp_low = -746, exp_high = 710;
  static constexpr double expm1_low = -40, tanh_limit = 44;
  static constexpr double tiny = 0x1p-55;
  // 2^-61.9
  POLYNOMIAL(exp, double, 2.09147553258932e-09, 2.5105312729622103e-08, 2.755727347871858e-07, 2.755725517000089e-06,
             2.480158732567746e-05, 0.0001984126987500228, 0.0013888888888883711, 0.008333333333326084,
             0.04166666666666667, 0.1666666666666667, 0.5);
  // 2^-64.8
  POLYNOMIAL(log, double, 0.13088034850927555, 0.13268638369266825, 0.15386244737621665, 0.18181795547521137,
             0.22222222392581045, 0.28571428570799784, 0.40000000000000885, 0.6666666666666666);
  // 0 ≤ x ≤ 40: 2^-56.5
  static constexpr double tail_pole = 6, tail_middle = 0.5625;
  POLYNOMIAL(tail, double, 0.0006007322922624508, -0.0009712482698615371, -0.0018472064181738557, 0.0025714053586205674,
             0.0044640848490987055, -0.003915678880555492, -0.010807878002057661, 0.0018197713594889278,
             0.02450520636373661, 0.017922969900809937, -0.037877656951840914, -0.09367531478584613,
             -0.048139424647421464, 0.16975121553624, 0.5284163197332149, 0.9003881836858513, 1.1415544546145162,
             1.1754064942198952, 1.0221747889350397, 0.7666213184672395, 0.5017224073480943, 0.288315846783531,
             0.14579113832422222);
};

INLINE bool is_finite(double a) { return a - a == 0; }

template <class T>
INLINE Vec<T> infinity() {
  return Vec<T>::of_bits(Constants<T>::infinity_bits);
}
template <class T>
INLINE Vec<T> not_a_number() {
  return Vec<T>::of_bits(Constants<T>::nan_bits);
}
// A NaN in x stays, here as wherever a constant is put first into min and max.
template <class T>
INLINE Vec<T> clamp(T low, T high, Vec<T> x) {
  return max(Vec<T>(low), min(Vec<T>(high), x));
}

// Horner's rule, highest power first.
template <class P, int I = 1, class T>
INLINE Vec<T> horner(Vec<T> x, Vec<T> y) {
  if constexpr (I == P::size()) {
    return y;
  } else {
    constexpr T coefficient = P::at(I);
    return horner<P, I + 1>(x, fma(y, x, Vec<T>(coefficient)));
  }
}
template <class P, class T>
INLINE Vec<T> polynomial(Vec<T> x) {
  constexpr T highest = P::at(0);
  return horner<P>(x, Vec<T>(highest));
}

// 2^n for an integer n that gives a normal number: n + bias lands in the low bits and is shifted to the exponent.
template <class T>
INLINE Vec<T> power_of_two(Vec<T> n) {
  using C = Constants<T>;
  return shift_left<C::fraction_bits>(n + Vec<T>(C::magic + T(C::bias)));
}
// p · 2^n in two steps, the first exact: a subnormal result is rounded once and a large one overflows.
template <class T>
INLINE Vec<T> scale(Vec<T> p, Vec<T> n) {
  const Vec<T> magic(Constants<T>::magic), half = fma(n, Vec<T>(0.5), magic) - magic;
  return p * power_of_two(half) * power_of_two(n - half);
}

// e^x = 2^n · (1 + q), where q is accurate near zero too (Cody and Waite).
template <class T>
struct Reduced {
  Vec<T> n, q;
};
template <class T>
INLINE Reduced<T> reduce(Vec<T> x) {
  using C = Constants<T>;
  const Vec<T> magic(C::magic), n = fma(x, Vec<T>(C::log2_e), magic) - magic;
  const Vec<T> r = fnma(n, Vec<T>(C::ln2_low), fnma(n, Vec<T>(C::ln2_high), x));
  return {n, fma(r * r, polynomial<typename C::exp>(r), r)};
}

template <class T>
INLINE Vec<T> exp(Vec<T> x) {
  const Reduced<T> e = reduce(clamp(Constants<T>::exp_low, Constants<T>::exp_high, x));
  return scale(Vec<T>(1) + e.q, e.n);
}

// 2^n · q + (2^n − 1), halved on the way because 2^n may overflow where the result does not.
template <class T>
INLINE Vec<T> expm1(Vec<T> x) {
  using C = Constants<T>;
  const Reduced<T> e = reduce(clamp(C::expm1_low, C::exp_high, x));
  const Vec<T> power = power_of_two(e.n - Vec<T>(1)), half = fma(power, e.q, power - Vec<T>(0.5));
  return select(abs(x) < Vec<T>(C::tiny), x, half + half);
}

// ln x for a positive normal x = 2^k · (1 + f), √½ ≤ 1 + f < √2, in the arrangement of fdlibm.
template <class T>
INLINE Vec<T> log_normal(Vec<T> x, Vec<T> exponent_offset) {
  using C = Constants<T>;
  const Vec<T> bits = integer_add(x, Vec<T>::of_bits((C::bias << C::fraction_bits) - C::sqrt_half_bits));
  const Vec<T> exponent = integer_add(shift_right<C::fraction_bits>(bits), Vec<T>(C::integer_magic));
  const Vec<T> k = exponent - Vec<T>(C::integer_magic + T(C::bias)) - exponent_offset;
  const Vec<T> f =
      integer_add(bits & Vec<T>::of_bits(C::fraction_mask), Vec<T>::of_bits(C::sqrt_half_bits)) - Vec<T>(1);
  const Vec<T> s = f / (Vec<T>(2) + f), z = s * s, half_square = Vec<T>(0.5) * f * f;
  const Vec<T> low = fma(s, fma(z, polynomial<typename C::log>(z), half_square), k * Vec<T>(C::ln2_low));
  return fma(k, Vec<T>(C::ln2_high), f - (half_square - low));
}

template <class T>
INLINE Vec<T> log(Vec<T> x) {
  using C = Constants<T>;
  const Vec<T> zero(0);
  const Mask<T> small = x < Vec<T>(C::smallest_normal);
  const Vec<T> y =
      log_normal(select(small, x * Vec<T>(C::subnormal_scale), x), select(small, Vec<T>(C::subnormal_exponent), zero));
  const Vec<T> special = select(x == zero, -infinity<T>(), select(x < zero, not_a_number<T>(), x));
  return select((x > zero) & (x < infinity<T>()), y, special);
}

// ln(1 + x) = ln u + (1 + x − u) / u, where u is 1 + x as rounded.
template <class T>
INLINE Vec<T> log1p(Vec<T> x) {
  const Vec<T> one(1), u = one + x, lost = x - (u - one);
  const Vec<T> correction = select(abs(lost) > Vec<T>(0), lost / u, Vec<T>(0));  // none where lost is NaN: at infinity
  return select(abs(x) < Vec<T>(Constants<T>::tiny), x, log(u) + correction);
}

// e / (e + 2) with e = e^2|x| − 1 keeps the relative accuracy near zero.
template <class T>
INLINE Vec<T> tanh(Vec<T> x) {
  const Vec<T> magnitude = abs(x), e = expm1(min(Vec<T>(Constants<T>::tanh_limit), magnitude + magnitude));
  return copy_sign(e / (e + Vec<T>(2)), x);
}

// 1 / (1 + e^-x), or e^x / (1 + e^x) for a negative x: accurate down to the subnormals.
template <class T>
INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> one(1), e = exp(-abs(x));
  return select(x < Vec<T>(0), e, one) / (one + e);
}

// ln(1 + e^x)
template <class T>
INLINE Vec<T> softplus(Vec<T> x) {
  return max(x, Vec<T>(0)) + log1p(exp(-abs(x)));
}

// The normal distribution: its density φ and its cumulative Φ, whose tail keeps the relative accuracy that
// (1 + erf) / 2 loses: within 8 ulp. x² is split into its rounded value and the rest, for exp would magnify the
// rounding.
template <class T>
struct Normal {
  Vec<T> density, cumulative;
};
template <class T>
INLINE Normal<T> normal(Vec<T> x) {
  using C = Constants<T>;
  const Vec<T> half(0.5), a = min(Vec<T>(40), abs(x)), square = a * a;
  const Vec<T> rounded = exp(-half * square), e = fnma(rounded, half * fma(a, a, -square), rounded);
  const Vec<T> pole(C::tail_pole), t = pole / (pole + a);
  const Vec<T> tail = e * (t * polynomial<typename C::tail>(t - Vec<T>(C::tail_middle)));
  return {e * Vec<T>(T(0.39894228040143267794)), select(x > Vec<T>(0), Vec<T>(1) - tail, tail)};
}

template <class T>
FUNCTION void exp(const T* x, size_t n, T* y) {
  map(x, n, y, [](Vec<T> a) INLINE_LAMBDA { return exp(a); });
}
template <class T>
FUNCTION void log(const T* x, size_t n, T* y) {
  map(x, n, y, [](Vec<T> a) INLINE_LAMBDA { return log(a); });
}
