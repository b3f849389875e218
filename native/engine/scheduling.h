// How threads that compute share cores with those that answer.
#pragma once

namespace gradus {

// For the calling thread: longer turns than others have. In return whoever wakes and has shorter ones, the event loop
// among them, gets the core at once, where else it waits for a turn's end. Its share of the core stays the same.
// Linux knows of this from 6.12 on; elsewhere nothing changes.
void ask_for_long_turns();

}  // namespace gradus
