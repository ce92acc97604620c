// One model and one context. A program is a list of operations on the context, run in order on a worker thread.
#pragma once

#include <napi.h>

#include <mutex>
#include <string>
#include <vector>

#include "llama-api.h"

struct EngineOptions {
  std::string modelPath;
  std::string adapterPath;  // empty: none
  int gpuLayers = 0;
  int threads = 1;
  uint32_t maxSequences = 1;
  uint32_t maxPositions = 512;          // of one decode
  uint32_t positionsPerSequence = 256;  // KV cells
  bool repack = true;  // weights laid out for this processor's wider kernels
  bool flashAttention = false;
};

// One step of a program. `Embeddings` and `Tokens` decode one row per position; the others edit the KV cache.
struct Operation {
  enum Kind { Embeddings, Tokens, Copy, Remove, Clear } kind = Clear;
  const float* embeddings = nullptr;  // [positions, width], kept alive by the program's reference
  std::vector<llama_token> tokens;
  std::vector<llama_pos> positions;
  std::vector<llama_seq_id> sequences;
  static constexpr int8_t wanted = 1;
  std::vector<int8_t> outputs;  // wanted; 2: computed, not returned; 0: none
  llama_seq_id source = 0, target = 0;
  llama_pos from = 0, to = -1;
};

class Engine : public Napi::ObjectWrap<Engine> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit Engine(const Napi::CallbackInfo& info);
  ~Engine() override;

  // Runs on a worker thread. Appends the logits of `ids` for every wanted position, in order. Throws std::runtime_error.
  void execute(std::vector<Operation>& operations, const std::vector<int32_t>& ids, std::vector<float>& logits);

 private:
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value tokenRows(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  void release();
  void decode(Operation& operation, const std::vector<int32_t>& ids, std::vector<float>& logits);

  EngineOptions options_;
  llama_model* model_ = nullptr;
  llama_context* context_ = nullptr;
  int width_ = 0;
  std::mutex mutex_;  // a context belongs to one thread at a time
};
