// When a program is busy: in calls of its own, here and on other threads, and in those of ensembles.
#include "program.h"

namespace gradus::binding {

// Whoever stops what a signal belongs to need not know that it is gone already.
void Program::request_stop(const Napi::CallbackInfo&) {
  if (program_) program_->stop_requested = true;
}

void Program::dispose(const Napi::CallbackInfo& info) {
  if (disposed_) return;
  disposed_ = true;
  if (host_) Environment::of(info.Env()).host_function.remove(Value());
  if (busy_) {
    stop();
  } else {
    release(info.Env());
  }
}

Napi::Value Program::host_function(Napi::Env env) const {
  return host_ ? Environment::of(env).host_function.get(Value()) : Napi::Value();
}

void Program::begin_use(Napi::Value function, bool is_here) {
  busy_ = true;
  if (!host_) return;
  const Napi::Function answers = function.As<Napi::Function>();
  is_here ? host_->begin_here(answers) : host_->begin(answers);
}

void Program::end_use() {
  busy_ = false;
  if (host_) host_->end();
  if (disposed_) release(Env());
}

void Program::end_call() {
  end_use();
  if (!disposed_) account_memory();
}

// A custom layer's JavaScript may do anything: it finds the program busy, and what it disposes of is let go of at the
// end.
void Program::predict_rows(const Napi::CallbackInfo& info) {
  gradus::Program& program = idle();
  rows_.answer(info, program.output_size(), is_double(), host_ != nullptr, [&] {
    program.stop_requested = false;
    begin_use(host_function(info.Env()), true);
    struct End {
      Program& self;
      ~End() { self.end_call(); }
    } const end{*this};
    program.predict_rows(rows_.call, rows_.result.data());
    present();
  });
}

void Program::finished() {
  end_call();
  Unref();
}

void Program::stop() {
  program_->stop_requested = true;
  if (host_) host_->close();
}

}  // namespace gradus::binding
