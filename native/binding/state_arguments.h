// A program's state on its way out to JavaScript and in from there.
#pragma once
#include "arguments.h"
#include "engine/program.h"

namespace gradus::binding {

// `memory` is that of the snapshot's arenas where they come from JavaScript.
struct StateCall {
  Snapshot snapshot;
  std::vector<std::vector<uint8_t>> memory;
};
// Of what is given here any getter may run, and do what it likes: whoever asks owns the program meanwhile.
StateCall state_call(Napi::Value value, const gradus::Program& program);
// Arenas of a program by name: those that an array names; undefined: all but the gradients.
std::vector<std::string> chosen_arenas(Napi::Value names, const gradus::Program& program);
// The memory of an earlier state's arrays by these names, as it is now; undefined where there is none.
std::vector<Napi::Value> earlier_buffers(Napi::Value into, const std::vector<std::string>& names,
                                         const gradus::Program& program);
// An array for a copy of an arena, in an earlier buffer's memory where that can be taken away. No JavaScript sees it
// before it is handed out: another thread may write into it.
Napi::TypedArray arena_array(Napi::Env env, Napi::Value earlier, const gradus::Program& program);

}  // namespace gradus::binding
