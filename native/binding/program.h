// NativeProgram of lib/native.ts.
#pragma once
#include <chrono>
#include <memory>

#include "calls.h"
#include "engine/program.h"
#include "host.h"
#include "object_wrap.h"
#include "rows_memory.h"

namespace gradus::binding {

class Program : public Wrapped<Program>, private Caller {
 public:
  static constexpr napi_type_tag tag{0x6772616475737072, 0x6f6772616d000001};
  static constexpr const char* type_name = "Program";
  static Napi::Function define(Napi::Env env);

  explicit Program(const Napi::CallbackInfo& info);
  ~Program() override;

  // The engine's program. Throws GRADUS_DISPOSED; idle() throws GRADUS_BUSY as well.
  gradus::Program& present() const;
  gradus::Program& idle() const;

  // For calls of an ensemble, which use its members as calls of their own would: from begin_use() to end_use() they are
  // busy. `function` is host_function(), which may throw; `is_here`: the call runs on the JavaScript thread.
  const std::shared_ptr<gradus::Program>& shared() const { return program_; }
  const std::shared_ptr<JavaScriptHost>& host() const { return host_; }  // may be none
  Napi::Value host_function(Napi::Env env) const;
  void begin_use(Napi::Value function, bool is_here = false);
  void end_use();
  void stop() override;

 private:
  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value parameters(const Napi::CallbackInfo& info);
  Napi::Value arenas(const Napi::CallbackInfo& info);
  Napi::Value output_shape(const Napi::CallbackInfo& info);
  Napi::Value op_names(const Napi::CallbackInfo& info);
  Napi::Value metric_widths(const Napi::CallbackInfo& info);
  Napi::Value inspection(const Napi::CallbackInfo& info);
  Napi::Value is_busy(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  void set_step(const Napi::CallbackInfo& info);
  Napi::Value momentum_product(const Napi::CallbackInfo& info);
  void set_momentum_product(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);
  Napi::Value export_state(const Napi::CallbackInfo& info);
  Napi::Value import_state(const Napi::CallbackInfo& info);
  Napi::Value train(const Napi::CallbackInfo& info);
  Napi::Value move_average(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  void predict_rows(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);
  Napi::Value gradient(const Napi::CallbackInfo& info);
  Napi::Value hessian_vector(const Napi::CallbackInfo& info);
  Napi::Value input_gradient(const Napi::CallbackInfo& info);
  Napi::Value inspect(const Napi::CallbackInfo& info);
  Napi::Value probe(const Napi::CallbackInfo& info);
  void request_stop(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void construct(const Napi::CallbackInfo& info);
  struct Trained {
    TrainResult result;
    std::chrono::steady_clock::time_point finished;
  };
  struct Slice {
    std::string arena;
    size_t parameter, size;
  };
  Slice slice(const Napi::CallbackInfo& info);
  bool is_double() const;

  // Runs work(program, call) on another thread, or at once where that is quicker; the promise takes what
  // convert(env, result) makes of its result. Until then nobody may write to call.data.
  template <class Input, class Work, class Convert>
  Napi::Value start(Napi::Env env, Input input, Work work, Convert convert);
  void account_memory();
  void release(Napi::Env env);

  void end_call();
  void finished() override;

  std::shared_ptr<gradus::Program> program_;  // empty when disposed
  std::shared_ptr<JavaScriptHost> host_;      // of custom layers; none without them
  // Of the last calls: their memory is used again.
  std::shared_ptr<Trained> trained_;
  RowsMemory rows_;
  bool busy_ = false;
  bool disposed_ = false;  // maybe while busy: then released when the call is done
};

}  // namespace gradus::binding
