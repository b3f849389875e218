// One small kernel for each function of kernels/cuda/machine.h, launched on the queue that was entered.
#pragma once
#include <cstdint>

namespace gradus::test {

// out[i] of thread i of all: the four numbers that it knows of itself.
void tell_indices(unsigned grid, unsigned block, uint32_t* out);
// to[i] = from[the warp's lane `by` further in its mask, and xor by], a pair for each thread.
void shuffle_words(unsigned block, unsigned lanes, int by, const double* from, double* to);
// to[i] = whether any of the i-th thread's mask has a flag.
void vote(unsigned block, unsigned lanes, const uint32_t* flags, uint32_t* to);
// Turned round within the block by a barrier, and within each group of lanes.
void turn_block(unsigned block, const float* from, float* to);
void turn_lanes(unsigned block, unsigned lanes, const float* from, float* to);
// count += a thread's number for each of them; flag is raised by those whose number divides by 7.
void count(unsigned grid, unsigned block, uint32_t* count, bool* flag);
// The last block to arrive adds up what all have left.
void sum_by_last(unsigned grid, unsigned block, uint32_t* arrived, uint32_t* of_blocks, uint32_t* total);
// Some at a time, turned round among themselves: fours of float, pairs of double, fours and pairs of 16 bits. 16 bytes
// of `from` a thread, the results one after the other.
void turn_packs(unsigned threads, const uint8_t* from, uint8_t* to);
// Chunks of as many times `floats` as there are threads, copied through three stages and turned round; from `n` on, a
// multiple of `floats`, there is nothing to copy. floats: 1, 2 or 4.
void copy_through_stages(unsigned threads, unsigned chunks, unsigned floats, unsigned n, const float* from, float* to);
// Of each triple a·b+c, √a, a/b, a+b, a·b and a with the sign bit the other way.
template <class T>
void calculate(unsigned n, const T* a, const T* b, const T* c, T* to);

}  // namespace gradus::test
