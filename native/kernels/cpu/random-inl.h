// Philox 4×32-10 (Salmon, Moraes, Dror, Shaw 2011): every value is a function of seed, stream, step and index alone.
//
// The key is the seed, low word first. The counter of a block is four words: the block's bits 0 to 31; the stream; the
// step's bits 0 to 31; and the step's bits 32 to 47 below the block's bits 32 to 47. So steps below 2^48 and indices
// below 2^49 are all distinct. A block gives four words w0 to w3.
//
// Eight blocks 8t to 8t+7 make a tile, which is laid out so that no word has to move between lanes:
//   float:  32 values of a word each;   value 32t + 2b + c is w[c] of block 8t + b, value 32t + 16 + 2b + c is w[2 + c]
//   double: 16 values of two words each; value 16t + b is (w0 low, w1 high) of block 8t + b, value 16t + 8 + b (w2, w3)
// Of each value's bits the uniform numbers take the highest: 24 for float, 53 for double.
#pragma once
#include "math-inl.h"

INLINE Vec<double> of_integer(uint64_t a) { return Vec<double>::of_bits(a); }
// Lane i holds i as an integer. The numbers are copied as bytes: an array of integers may not be read as doubles.
INLINE Vec<double> lane_integers() {
  static constexpr uint64_t integers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  Vec<double> lanes;
  static_assert(sizeof lanes == sizeof integers, "eight lanes of 64 bits");
  __builtin_memcpy(&lanes, integers, sizeof lanes);
  return lanes;
}

// The two vectors of values of tile t, as bits.
template <class T>
struct Draws {
  static constexpr size_t size = 2 * Vec<T>::lanes;
  Vec<T> bits[2];
};
template <class T>
INLINE Draws<T> philox_tile(const Counter& at, uint64_t t) {
  const uint64_t block = 8 * t;
  const Vec<double> low = of_integer(0xffffffff);
  Vec<double> c0 = lane_integers() | of_integer(block & 0xffffffff);
  Vec<double> c1 = of_integer(at.stream), c2 = of_integer(at.step & 0xffffffff);
  Vec<double> c3 = of_integer((at.step >> 32 & 0xffff) | (block >> 32 & 0xffff) << 16);
  uint32_t key0 = uint32_t(at.seed), key1 = uint32_t(at.seed >> 32);
  for (int round = 0; round < 10; ++round) {  // high halves of the lanes may hold anything until the end
    const Vec<double> p0 = multiply_low_halves(c0, of_integer(0xD2511F53));
    const Vec<double> p1 = multiply_low_halves(c2, of_integer(0xCD9E8D57));
    c0 = shift_right<32>(p1) ^ c1 ^ of_integer(key0);
    c2 = shift_right<32>(p0) ^ c3 ^ of_integer(key1);
    c1 = p1, c3 = p0;
    key0 += 0x9E3779B9, key1 += 0xBB67AE85;
  }
  const Vec<double> words[2] = {(c0 & low) | shift_left<32>(c1), (c2 & low) | shift_left<32>(c3)};
  Draws<T> tile;
  static_assert(sizeof tile == sizeof words, "a tile is eight blocks of four words");
  __builtin_memcpy(&tile, words, sizeof tile);
  return tile;
}

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

// body(bits, i, count) for the values first + i of [first, first + n), a vector or less at a time.
template <class T, class F>
INLINE void for_values(const Counter& at, size_t first, size_t n, F body) {
  constexpr size_t lanes = Vec<T>::lanes, size = Draws<T>::size;
  for (size_t i = 0; i < n;) {
    const size_t offset = (first + i) % size;
    const Draws<T> tile = philox_tile<T>(at, (first + i) / size);
    if (offset == 0 && n - i >= size) {
      body(tile.bits[0], i, int(lanes));
      body(tile.bits[1], i + lanes, int(lanes));
      i += size;
    } else {
      T values[size];
      store(values, tile.bits[0]), store(values + lanes, tile.bits[1]);
      const size_t end = size - offset < n - i ? size : offset + (n - i);
      for (size_t p = offset; p < end;) {
        const size_t count = end - p < lanes ? end - p : lanes;
        body(load_partial(values + p, int(count)), i, int(count));
        p += count, i += count;
      }
    }
  }
}

// y = x / (1 − rate) where the value's uniform is at least the rate, else 0. The same call on dy is the backward pass.
template <class T>
void dropout(const T* x, size_t n, T rate, const Counter& counter, size_t first, T* y) {
  const Vec<T> dropped(rate), scale(1 / (1 - rate));
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> kept = load_lanes(x + i, count) * scale;
    store_lanes(y + i, select(unit_uniform(bits) >= dropped, kept, Vec<T>(0)), count);
  });
}

// In [low, high): what rounding brings up to high becomes low.
template <class T>
void random_uniform(const Counter& counter, size_t first, size_t n, T low, T high, T* y) {
  const Vec<T> width(high - low), from(low), to(high);
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> value = fma(unit_uniform(bits), width, from);
    store_lanes(y + i, select(value < to, value, from), count);
  });
}

// The ratio of two polynomials, coefficients from the highest power down.
template <class T, size_t n>
INLINE Vec<T> ratio(const double (&above)[n], const double (&below)[n], Vec<T> r) {
  Vec<T> numerator{T(above[0])}, denominator{T(below[0])};
  for (size_t k = 1; k < n; ++k) {
    numerator = fma(numerator, r, Vec<T>{T(above[k])});
    denominator = fma(denominator, r, Vec<T>{T(below[k])});
  }
  return numerator / denominator;
}
// −Φ⁻¹(p) for p in (0, 1/2): Wichura 1988, algorithm AS 241, PPND16.
template <class T>
INLINE Vec<T> upper_normal(Vec<T> p) {
  static constexpr double a[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                                 4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                 1.3314166789178437745e+2, 3.3871328727963666080e+0};
  static constexpr double b[] = {
      5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
      5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
  static constexpr double c[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                 1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                 4.63033784615654529590e+0, 1.42343711074968357734e+0};
  static constexpr double d[] = {
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0};
  static constexpr double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                 2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                 5.46378491116411436990e+0, 6.65790464350110377720e+0};
  static constexpr double f[] = {
      2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
      1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0};
  const Vec<T> q = Vec<T>(T(0.5)) - p, middle = fnma(q, q, Vec<T>(T(0.180625)));
  const Vec<T> central = q * ratio(a, b, middle);
  const Vec<T> root = sqrt(-log(p)), near = root - Vec<T>(T(1.6));
  Vec<T> tail = ratio(c, d, near);
  if constexpr (sizeof(T) == sizeof(double)) {  // a float's p is at least 2^-25, its root below 5
    const Vec<T> far = root - Vec<T>(5);
    tail = select(root > Vec<T>(5), ratio(e, f, far), tail);
  }
  return select(q <= Vec<T>(T(0.425)), central, tail);
}

// By inversion: the highest bit is the sign, the next ones v give p = (v + 1/2) · 2^-24 (2^-53), exactly.
template <class T>
void random_normal(const Counter& counter, size_t first, size_t n, T mean, T deviation, T* y) {
  constexpr T half_step = T(0.25) / T(uint64_t(1) << Real<T>::mantissa);
  for_values<T>(counter, first, n, [=](Vec<T> bits, size_t i, int count) INLINE_LAMBDA {
    const Vec<T> p = fma(fraction(bits), Vec<T>(T(0.5)), Vec<T>(half_step));
    const Vec<T> normal = copy_sign(upper_normal(p), bits);
    store_lanes(y + i, fma(normal, Vec<T>(deviation), Vec<T>(mean)), count);
  });
}
