#include "engine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace {

// llama.cpp logs through one callback per process; only its errors are worth a word.
void logErrors(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

EngineOptions readOptions(const Napi::Object& from) {
  auto number = [&](const char* name) { return from.Get(name).As<Napi::Number>(); };
  EngineOptions options;
  options.modelPath = from.Get("modelPath").As<Napi::String>();
  if (from.Get("adapterPath").IsString()) options.adapterPath = from.Get("adapterPath").As<Napi::String>();
  options.gpuLayers = number("gpuLayers");
  options.threads = number("threads");
  options.maxSequences = number("maxSequences");
  options.maxPositions = number("maxPositions");
  options.positionsPerSequence = number("positionsPerSequence");
  options.repack = from.Get("repack").As<Napi::Boolean>();
  options.flashAttention = from.Get("flashAttention").As<Napi::Boolean>();
  return options;
}

// Rows of the token embedding table, dequantised by ggml itself: the very values its CPU kernel looks up.
void readTokenRows(const std::string& path, int width, const int32_t* ids, size_t count, float* out) {
  const LlamaApi& api = llama();
  gguf_context* file = api.gguf_init_from_file(path.c_str(), gguf_init_params{true, nullptr});
  if (file == nullptr) throw std::runtime_error("the GGUF file cannot be read");
  int64_t tensor = api.gguf_find_tensor(file, "token_embd.weight");
  if (tensor < 0) {
    api.gguf_free(file);
    throw std::runtime_error("the GGUF file has no token_embd.weight");
  }
  ggml_type type = api.gguf_get_tensor_type(file, tensor);
  size_t offset = api.gguf_get_data_offset(file) + api.gguf_get_tensor_offset(file, tensor);
  size_t rowSize = api.ggml_row_size(type, width);
  api.gguf_free(file);

  FILE* stream = fopen(path.c_str(), "rb");
  if (stream == nullptr) throw std::runtime_error("the GGUF file cannot be opened");
  std::vector<unsigned char> row(rowSize);
  bool complete = true;
  for (size_t i = 0; i < count && complete; i++) {
    complete = fseeko(stream, static_cast<off_t>(offset + rowSize * ids[i]), SEEK_SET) == 0 &&
               fread(row.data(), 1, rowSize, stream) == rowSize;
    if (!complete) break;
    if (type == GGML_TYPE_F32)
      memcpy(out + i * width, row.data(), rowSize);
    else
      api.ggml_get_type_traits(type)->to_float(row.data(), out + i * width, width);
  }
  fclose(stream);
  if (!complete) throw std::runtime_error("the GGUF file is shorter than its header says");
}

class Program : public Napi::AsyncWorker {
 public:
  Program(Napi::Env env, Engine* engine) : AsyncWorker(env), engine_(engine), deferred_(env) {}

  std::vector<Operation> operations;
  std::vector<int32_t> ids;
  std::vector<Napi::ObjectReference> kept;  // the engine and the embedding buffers, until the program has run

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override {
    try {
      engine_->execute(operations, ids, logits_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override {
    auto result = Napi::Float32Array::New(Env(), logits_.size());
    std::copy(logits_.begin(), logits_.end(), result.Data());
    deferred_.Resolve(result);
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Engine* engine_;
  Napi::Promise::Deferred deferred_;
  std::vector<float> logits_;
};

template <typename Array, typename Value>
std::vector<Value> copyOf(const Napi::Object& from, const char* name) {
  auto array = from.Get(name).As<Array>();
  return std::vector<Value>(array.Data(), array.Data() + array.ElementLength());
}

}  // namespace

Napi::Function Engine::define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {InstanceMethod("info", &Engine::info), InstanceMethod("tokenRows", &Engine::tokenRows),
                      InstanceMethod("run", &Engine::run), InstanceMethod("dispose", &Engine::dispose)});
}

Engine::Engine(const Napi::CallbackInfo& info) : ObjectWrap<Engine>(info), options_(readOptions(info[0].As<Napi::Object>())) {
  const LlamaApi& api = llama();
  api.llama_log_set(logErrors, nullptr);
  auto modelParams = api.llama_model_default_params();
  modelParams.n_gpu_layers = options_.gpuLayers;
  modelParams.use_extra_bufts = options_.repack;
  model_ = api.llama_model_load_from_file(options_.modelPath.c_str(), modelParams);
  if (model_ == nullptr) throw Napi::Error::New(info.Env(), "llama.cpp cannot load the model");
  width_ = api.llama_model_n_embd_inp(model_);

  auto params = api.llama_context_default_params();
  params.n_ctx = options_.positionsPerSequence * options_.maxSequences;
  params.n_batch = options_.maxPositions;
  params.n_ubatch = options_.maxPositions;
  params.n_seq_max = options_.maxSequences;
  params.n_outputs_max = 2 * options_.maxSequences;  // a window's logit row and its companion, not one a position
  params.n_threads = params.n_threads_batch = options_.threads;
  params.kv_unified = false;  // a shared cache is slower and lets windows move each other's margins
  params.flash_attn_type = options_.flashAttention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.no_perf = true;
  context_ = api.llama_init_from_model(model_, params);
  if (context_ == nullptr) {
    release();
    throw Napi::Error::New(info.Env(), "llama.cpp cannot make a context (not enough memory?)");
  }
  if (!options_.adapterPath.empty()) {
    auto* adapter = api.llama_adapter_lora_init(model_, options_.adapterPath.c_str());
    float scale = 1.0f;
    if (adapter == nullptr || api.llama_set_adapters_lora(context_, &adapter, 1, &scale) != 0) {
      release();
      throw Napi::Error::New(info.Env(), "the adapter does not fit the model");
    }
  }
}

Engine::~Engine() { release(); }

void Engine::release() {
  if (context_ != nullptr) llama().llama_free(context_);
  if (model_ != nullptr) llama().llama_model_free(model_);
  context_ = nullptr;
  model_ = nullptr;
}

Napi::Value Engine::dispose(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> lock(mutex_);
  release();
  return info.Env().Undefined();
}

Napi::Value Engine::info(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (context_ == nullptr) throw Napi::Error::New(info.Env(), "the engine is closed");
  auto result = Napi::Object::New(info.Env());
  result.Set("width", width_);
  result.Set("vocabulary", llama().llama_vocab_n_tokens(llama().llama_model_get_vocab(model_)));
  result.Set("positionsPerSequence", llama().llama_n_ctx_seq(context_));
  return result;
}

Napi::Value Engine::tokenRows(const Napi::CallbackInfo& info) {
  auto ids = info[0].As<Napi::Int32Array>();
  auto rows = Napi::Float32Array::New(info.Env(), ids.ElementLength() * width_);
  try {
    readTokenRows(options_.modelPath, width_, ids.Data(), ids.ElementLength(), rows.Data());
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
  return rows;
}

Napi::Value Engine::run(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  auto steps = info[0].As<Napi::Array>();
  auto program = std::make_unique<Program>(env, this);
  auto ids = info[1].As<Napi::Int32Array>();
  program->ids.assign(ids.Data(), ids.Data() + ids.ElementLength());
  program->kept.push_back(Napi::Persistent(info.This().As<Napi::Object>()));
  for (uint32_t i = 0; i < steps.Length(); i++) {
    auto step = steps.Get(i).As<Napi::Object>();
    std::string kind = step.Get("kind").As<Napi::String>();
    auto number = [&](const char* name) { return step.Get(name).As<Napi::Number>().Int32Value(); };
    Operation operation;
    if (kind == "copy") {
      operation.kind = Operation::Copy;
      operation.source = number("source");
      operation.target = number("target");
    } else if (kind == "remove") {
      operation.kind = Operation::Remove;
      operation.source = number("sequence");
      operation.from = number("from");
      if (step.Has("to")) operation.to = number("to");
    } else if (kind == "clear") {
      operation.kind = Operation::Clear;
    } else {
      operation.positions = copyOf<Napi::Int32Array, llama_pos>(step, "positions");
      operation.sequences = copyOf<Napi::Int32Array, llama_seq_id>(step, "sequences");
      operation.outputs = copyOf<Napi::Int8Array, int8_t>(step, "outputs");
      size_t count = operation.positions.size();
      if (kind == "embeddings") {
        operation.kind = Operation::Embeddings;
        auto values = step.Get("values").As<Napi::Float32Array>();
        if (values.ElementLength() != count * width_) throw Napi::Error::New(env, "embeddings and positions differ in number");
        operation.embeddings = values.Data();
        program->kept.push_back(Napi::Persistent(values.As<Napi::Object>()));
      } else {
        operation.kind = Operation::Tokens;
        operation.tokens = copyOf<Napi::Int32Array, llama_token>(step, "values");
        if (operation.tokens.size() != count) throw Napi::Error::New(env, "tokens and positions differ in number");
      }
      if (operation.sequences.size() != count || operation.outputs.size() != count)
        throw Napi::Error::New(env, "sequences, outputs and positions differ in number");
    }
    program->operations.push_back(std::move(operation));
  }
  auto promise = program->promise();
  program.release()->Queue();  // an AsyncWorker deletes itself
  return promise;
}

void Engine::execute(std::vector<Operation>& operations, const std::vector<int32_t>& ids, std::vector<float>& logits) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (context_ == nullptr) throw std::runtime_error("the engine is closed");
  const LlamaApi& api = llama();
  llama_memory_t memory = api.llama_get_memory(context_);
  for (auto& operation : operations) {
    switch (operation.kind) {
      case Operation::Copy:
        // Only whole sequences: a partial copy between streams aborts the process.
        api.llama_memory_seq_cp(memory, operation.source, operation.target, -1, -1);
        break;
      case Operation::Remove:
        api.llama_memory_seq_rm(memory, operation.source, operation.from, operation.to);
        break;
      case Operation::Clear:
        // With its numbers: one that is not finite would reach whoever is given its cell, although it is masked.
        api.llama_memory_clear(memory, true);
        break;
      default:
        decode(operation, ids, logits);
    }
  }
}

void Engine::decode(Operation& operation, const std::vector<int32_t>& ids, std::vector<float>& logits) {
  const LlamaApi& api = llama();
  size_t count = operation.positions.size();
  std::vector<int32_t> sequenceCounts(count, 1);
  std::vector<llama_seq_id*> sequences(count + 1, nullptr);
  for (size_t i = 0; i < count; i++) sequences[i] = &operation.sequences[i];
  llama_batch batch{};
  batch.n_tokens = static_cast<int32_t>(count);
  if (operation.kind == Operation::Embeddings)
    batch.embd = const_cast<float*>(operation.embeddings);
  else
    batch.token = operation.tokens.data();
  batch.pos = operation.positions.data();
  batch.n_seq_id = sequenceCounts.data();
  batch.seq_id = sequences.data();
  batch.logits = operation.outputs.data();
  int status = api.llama_decode(context_, batch);
  if (status != 0) throw std::runtime_error("llama_decode failed with status " + std::to_string(status));
  api.llama_synchronize(context_);
  for (size_t i = 0; i < count; i++) {
    if (operation.outputs[i] != Operation::wanted) continue;
    const float* row = api.llama_get_logits_ith(context_, static_cast<int32_t>(i));
    if (row == nullptr) throw std::runtime_error("llama.cpp gave no logits");
    for (int32_t id : ids) logits.push_back(row[id]);
  }
}
