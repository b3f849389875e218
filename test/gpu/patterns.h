// Kernels of known ways through memory, for what the emulator counts of them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus::test {

// to[i · stride] = from[i · stride + shift], `per_thread` of them by each thread of one block.
void copy_apart(unsigned threads, unsigned per_thread, unsigned stride, unsigned shift, const float* from, float* to);
// The same by fours that lie side by side.
void copy_fours(unsigned threads, const float* from, float* to);
// A square of 32, turned by way of shared memory, in rows of so many floats there.
void turn_square(unsigned row, const float* from, float* to);
// Each lane stores four at once, `apart` floats after the lane's before it.
void store_fours_apart(unsigned apart, float* to);

}  // namespace gradus::test
