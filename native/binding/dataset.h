// NativeDataset of lib/native.ts.
#pragma once
#include <memory>
#include <optional>

#include "engine/dataset.h"
#include "object_wrap.h"

namespace gradus::binding {

// Of the elements of such an array; none if no column holds them.
std::optional<DataType> column_type(napi_typedarray_type array);

class Dataset : public Wrapped<Dataset> {
 public:
  static constexpr napi_type_tag tag{0x6772616475736461, 0x7461736574000001};
  static constexpr const char* type_name = "Dataset";
  static Napi::Function define(Napi::Env env);

  explicit Dataset(const Napi::CallbackInfo& info);
  ~Dataset() override;

  // Throws GRADUS_DISPOSED. Whoever holds the pointer keeps the data, whatever happens to this object.
  const std::shared_ptr<gradus::Dataset>& data() const;

 private:
  static constexpr napi_type_tag view_tag{0x6772616475737669, 0x6577000000000001};

  void construct(const Napi::CallbackInfo& info);
  void adopt(Napi::Env env, std::shared_ptr<gradus::Dataset> data);
  void release(Napi::Env env);
  Napi::Value size(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value subset(const Napi::CallbackInfo& info);
  Napi::Value first_nonfinite(const Napi::CallbackInfo& info);
  Napi::Value range(const Napi::CallbackInfo& info);
  Napi::Value augmented(const Napi::CallbackInfo& info);
  Napi::Value fingerprint(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<gradus::Dataset> data_;  // empty when disposed
  std::shared_ptr<Crew> releases_;         // only for large data
  int64_t written_ = 0;                    // bytes
  bool temporary_ = false;
};

}  // namespace gradus::binding
