#include "quantize.h"

#include <map>
#include <string>

#include "llama-api.h"

namespace {

const std::map<std::string, llama_ftype> fileTypes = {
    {"f16", LLAMA_FTYPE_MOSTLY_F16},       {"bf16", LLAMA_FTYPE_MOSTLY_BF16},     {"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
    {"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K},     {"q5_k_m", LLAMA_FTYPE_MOSTLY_Q5_K_M}, {"q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
    {"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M}, {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},     {"q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},
};

// llama_model_quantize answers with a number and logs the reason from the thread that called it.
thread_local std::string* reason = nullptr;

void keepErrors(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR && reason != nullptr) *reason += text;
}

class Quantization : public Napi::AsyncWorker {
 public:
  Quantization(Napi::Env env, std::string source, std::string target, llama_ftype type, int threads, bool requantize)
      : AsyncWorker(env),
        source_(std::move(source)),
        target_(std::move(target)),
        type_(type),
        threads_(threads),
        requantize_(requantize),
        deferred_(env) {}

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override {
    const LlamaApi& api = llama();
    llama_model_quantize_params params = api.llama_model_quantize_default_params();
    params.ftype = type_;
    params.nthread = threads_;
    params.allow_requantize = requantize_;
    std::string errors;
    reason = &errors;
    api.llama_log_set(keepErrors, nullptr);
    uint32_t status = api.llama_model_quantize(source_.c_str(), target_.c_str(), &params);
    reason = nullptr;
    if (status != 0) SetError(errors.empty() ? "status " + std::to_string(status) : errors);
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  std::string source_, target_;
  llama_ftype type_;
  int threads_;
  bool requantize_;
  Napi::Promise::Deferred deferred_;
};

}  // namespace

Napi::Value quantize(const Napi::CallbackInfo& info) {
  std::string type = info[2].As<Napi::String>();
  auto found = fileTypes.find(type);
  if (found == fileTypes.end()) throw Napi::Error::New(info.Env(), "unknown type " + type);
  auto* work = new Quantization(info.Env(), info[0].As<Napi::String>(), info[1].As<Napi::String>(), found->second,
                                info[3].As<Napi::Number>(), info[4].As<Napi::Boolean>());
  auto promise = work->promise();
  work->Queue();  // an AsyncWorker deletes itself
  return promise;
}
