// The engine's host is one JavaScript function: the worker asks, the JavaScript thread computes, the worker waits.
#pragma once
#include <condition_variable>
#include <mutex>
#include <vector>

#include "calls.h"
#include "engine/host.h"
#include "engine/program.h"

namespace gradus::binding {

class JavaScriptHost final : public gradus::Host, public std::enable_shared_from_this<JavaScriptHost> {
 public:
  explicit JavaScriptHost(Calls& calls) : calls_(calls) {}
  void use(Precision precision) { is_double_ = precision == Precision::float64; }
  // The function that answers, held from begin() to end(): from here it would keep all that its closure reaches alive,
  // the program itself as well.
  void begin(Napi::Function function) { function_ = Napi::Persistent(function); }
  // The same for a call on the JavaScript thread itself, which asks without a message.
  void begin_here(Napi::Function function) {
    begin(function);
    here_ = function.Env();
  }
  void end() {
    function_.Reset();
    here_ = nullptr;
  }

  void run(HostCall& call) override;
  // Of the JavaScript thread: nothing is asked any more, and whoever waits fails. For an environment that closes.
  void close();
  // Takes what the function threw, if it threw.
  Napi::Value take_thrown();

 private:
  struct Request;
  struct Outputs;
  void run_here(HostCall& call) const;
  void answer(Napi::Env env, Request& request);
  Outputs ask(Napi::Env env, const HostCall& call) const;
  void copy(const Outputs& outputs, HostCall& call) const;
  void keep(Napi::Env env, const Napi::Error& error) noexcept;

  Napi::FunctionReference function_;
  napi_env here_ = nullptr;
  bool is_double_ = false;
  Calls& calls_;
  Napi::ObjectReference thrown_;  // { value }: anything can be thrown
  std::mutex mutex_;
  std::condition_variable answered_;
  bool closed_ = false;
};

}  // namespace gradus::binding
