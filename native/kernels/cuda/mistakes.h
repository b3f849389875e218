// Mistakes that the emulator's test plants in these kernels, one at a time: it must find each. On a GPU there are none.
#pragma once
#include "machine.h"

namespace gradus::cuda {

enum class Mistake {
  none,
  tail_too_long,             // of a product's k, one element more is read
  no_barrier_after_loading,  // tiles are used that not all threads have filled
  no_barrier_before_ending,  // totals are read that others have not added to
  no_barrier_before_adding,  // what is added, chunks' sums or rows, is not there yet
  no_barrier_after_adding,   // it is overwritten too early
  no_barrier_after_chains,   // elements of a chunk overwritten that are not added up yet
  another_order,             // of the chunks
  no_wait_for_copies,        // that fill what is read next
  stage_freed_early,         // copied into while others read it
  lanes_of_other_teams,      // in the mask of a sum
  no_settling,               // before what another lane has stored is stored anew
  pieces_overlap,            // two teams take one
  piece_too_long,            // the last one, by an element
  piece_left_out,            // the first one
  result_read_by_host,       // before it is there
  flag_stored_plainly,       // by many threads
  shared_too_small,          // for the struct that is in it
  told_nothing_anew,         // of a step that is replayed
  branches_not_joined,       // but for the first of them
  last,
  moved_one_by_one  // what lies side by side: only counts tell
};

#if !defined(GRADUS_EMULATED)
GPU_INLINE constexpr bool planted(Mistake) { return false; }
inline constexpr bool planted_in_host(Mistake) { return false; }
#else
inline bool planted(Mistake mistake) { return emulator::is_planted(int(mistake)); }
inline bool planted_in_host(Mistake mistake) { return planted(mistake); }
#endif

}  // namespace gradus::cuda
