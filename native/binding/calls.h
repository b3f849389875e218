// Work off the main thread: a thread for each program that asks for one, and the way back into JavaScript.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "errors.h"

namespace gradus::binding {

// One native thread that does its jobs one after the other. Its destructor waits until they are done.
class Worker {
 public:
  Worker();
  ~Worker();
  void run(std::function<void()> job);

 private:
  void loop();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::thread thread_;
};

// Who makes calls: told, in the JavaScript thread, when one is done or must end.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual void finished() = 0;
  // The environment is closing: stop() all that run, then wait() for the threads to be gone.
  virtual void stop() = 0;
  virtual void wait() = 0;
};

// What a worker sends to the JavaScript thread.
struct Message {
  virtual ~Message() = default;
  virtual void deliver(Napi::Env env, class Calls& calls) = 0;
};

// One asynchronous call: `work` runs on the worker and touches native memory alone; `result` runs in the JavaScript
// thread afterwards. Both may throw.
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
};

// The running calls of one environment. They keep the event loop alive; an environment that closes stops and joins
// them.
class Calls {
 public:
  void open(Napi::Env env);
  void start(Napi::Env env, Worker& worker, std::unique_ptr<Call> call);
  void post(std::unique_ptr<Message> message);  // from any thread, while a call runs

 private:
  friend struct Call;
  static void receive(napi_env env, napi_value, void* calls, void* message);
  static void close(void* calls);
  napi_threadsafe_function messages_ = nullptr;
  std::set<Caller*> running_;
};

}  // namespace gradus::binding
