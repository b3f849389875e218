// Work off the main thread, and the way back into JavaScript.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "crew.h"
#include "errors.h"

namespace gradus::binding {

// Who makes calls: told, in the JavaScript thread, when one is done or must end.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual void finished() = 0;
  // The environment is closing, and waits for the call to end.
  virtual void stop() = 0;
};

// What another thread sends to the JavaScript thread.
struct Message {
  virtual ~Message() = default;
  virtual void deliver(Napi::Env env, class Calls& calls) = 0;
};

// One asynchronous call: `work` runs on a thread of the crew and touches native memory alone; `result` runs in the
// JavaScript thread afterwards. Both may throw.
struct Call final : Message {
  Caller* caller = nullptr;
  Napi::Promise::Deferred deferred;
  std::function<void()> work;
  std::function<Napi::Value(Napi::Env)> result;
  std::optional<Trouble> trouble;
  std::function<Napi::Value()> thrown;  // what JavaScript threw during the work; an empty value for nothing
  Napi::ObjectReference origin;         // an Error made where the call was, for its stack

  Call(Napi::Env env, Caller* caller);
  void deliver(Napi::Env env, Calls& calls) override;

 private:
  void settle(Napi::Env env) noexcept;
  void reject(const Napi::Error& error) const;
};

// The running calls of one environment. They keep the event loop alive; an environment that closes stops and joins
// them.
class Calls {
 public:
  void open(Napi::Env env);
  // Throws GRADUS_OUT_OF_THREADS.
  void start(Napi::Env env, std::unique_ptr<Call> call);
  void post(std::unique_ptr<Message> message);  // from any thread, while a call runs

 private:
  friend struct Call;
  static void receive(napi_env env, napi_value, void* calls, void* message);
  static void close(void* calls);
  napi_threadsafe_function messages_ = nullptr;
  std::set<Caller*> running_;
  Crew crew_;
  std::atomic<bool> closing_{false};
};

// The promise of a call that is done at once.
template <class Compute>
Napi::Value settled(Napi::Env env, const Compute& compute) {
  const Napi::Promise::Deferred deferred(env);
  try {
    deferred.Resolve(guarded(env, compute));
  } catch (const Napi::Error& error) {
    deferred.Reject(error.Value());
  }
  return deferred.Promise();
}

}  // namespace gradus::binding
