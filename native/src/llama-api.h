// llama.cpp's C API, resolved at run time from the library that node-llama-cpp has loaded into this process: it chose
// the build and the GPU, we only borrow it. Nothing is linked and no C++ class layout is relied upon.
#pragma once

#include <string>
#include <vector>

#include "ggml-backend.h"
#include "gguf.h"
#include "llama.h"

#define LLAMA_SYMBOLS(X)                                                                                           \
  X(llama_model_default_params) X(llama_context_default_params) X(llama_model_load_from_file) X(llama_model_free) \
  X(llama_init_from_model) X(llama_free) X(llama_decode) X(llama_synchronize) X(llama_get_logits_ith)             \
  X(llama_get_memory) X(llama_memory_clear) X(llama_memory_seq_cp) X(llama_memory_seq_rm) X(llama_model_get_vocab) \
  X(llama_vocab_n_tokens) X(llama_model_n_embd_inp) X(llama_n_ctx_seq) X(llama_n_batch) X(llama_n_seq_max)         \
  X(llama_log_set) X(llama_batch_init) X(llama_batch_free) X(llama_adapter_lora_init) X(llama_set_adapters_lora) \
  X(llama_model_quantize_default_params) X(llama_model_quantize)
#define GGML_SYMBOLS(X)                                                                                       \
  X(gguf_init_from_file) X(gguf_free) X(gguf_find_tensor) X(gguf_get_tensor_offset) X(gguf_get_tensor_type) \
  X(gguf_get_data_offset) X(ggml_get_type_traits) X(ggml_row_size)

struct LlamaApi {
#define DECLARE(name) decltype(&::name) name = nullptr;
  LLAMA_SYMBOLS(DECLARE)
  GGML_SYMBOLS(DECLARE)
#undef DECLARE
};

// Throws std::runtime_error when the library is not in the process or lacks a symbol.
void bindLlama();
// Throws std::runtime_error before bindLlama().
const LlamaApi& llama();
// How structs of the loaded library differ from the headers this was compiled with; empty when they agree.
std::vector<std::string> abiProblems();
