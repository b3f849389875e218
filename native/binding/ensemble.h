// NativeEnsemble of lib/native.ts.
#pragma once
#include "engine/ensemble.h"
#include "program.h"

namespace gradus::binding {

class Ensemble : public Wrapped<Ensemble>, private Caller {
 public:
  static constexpr napi_type_tag tag{0x6772616475737072, 0x6f6772616d000004};
  static constexpr const char* type_name = "Ensemble";
  static Napi::Function define(Napi::Env env);

  explicit Ensemble(const Napi::CallbackInfo& info);
  ~Ensemble() override;

 private:
  using Members = gradus::Ensemble::Members;

  // The members' programs. Throws GRADUS_DISPOSED and GRADUS_BUSY for the ensemble and for each of them.
  Members idle() const;
  void check_present() const;

  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value metric_widths(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value predict_spread(const Napi::CallbackInfo& info);
  void predict_rows(const Napi::CallbackInfo& info);
  void request_stop(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void construct(const Napi::CallbackInfo& info);
  // An array for the result of a call on so many rows.
  Napi::TypedArray result_array(Napi::Env env, size_t rows) const;
  template <class Work, class Convert>
  Napi::Value start(Napi::Env env, EvaluateCall input, Work work, Convert convert);
  std::vector<Napi::Value> host_functions(Napi::Env env) const;
  void begin_use(const std::vector<Napi::Value>& functions, bool is_here);
  void end_use();
  void clear_stops(const Members& members);
  void account_memory();
  void release();
  void finished() override;
  void stop() override;

  std::shared_ptr<gradus::Ensemble> ensemble_;  // empty when disposed
  std::vector<Program*> programs_;              // which these references keep
  std::vector<Napi::ObjectReference> references_;
  RowsMemory rows_;
  size_t output_size_ = 0;
  bool is_double_ = false, busy_ = false, disposed_ = false;
};

}  // namespace gradus::binding
