// Structs are passed by value, so a library built from other headers would corrupt memory silently. Two cheap proofs:
// how many bytes the `*_default_params` functions write into a painted buffer, and defaults that only the right
// layout can show. Struct sizes are checked on x86-64, where large structs are returned through a hidden pointer.
#include <cstring>

#include "llama-api.h"

namespace {

constexpr unsigned char paint = 0xA5;

template <typename Struct, typename Call>
void checkSize(const char* name, Call call, std::vector<std::string>& problems) {
#if defined(__x86_64__)
  alignas(16) unsigned char buffer[4096];
  memset(buffer, paint, sizeof buffer);
  call(buffer);
  size_t written = sizeof buffer;
  while (written > 0 && buffer[written - 1] == paint) written--;
  // Padding at the end may stay unwritten.
  if (written > sizeof(Struct) || written + alignof(Struct) <= sizeof(Struct)) problems.push_back(std::string(name) + " has another size");
#else
  (void)name, (void)call, (void)problems;
#endif
}

}  // namespace

std::vector<std::string> abiProblems() {
  std::vector<std::string> problems;
  const LlamaApi& api = llama();
  using Fill = void* (*)(void*);
  using FillBatch = void* (*)(void*, int32_t, int32_t, int32_t);

  checkSize<llama_context_params>(
      "llama_context_params", [&](void* to) { reinterpret_cast<Fill>(api.llama_context_default_params)(to); }, problems);
  checkSize<llama_model_params>(
      "llama_model_params", [&](void* to) { reinterpret_cast<Fill>(api.llama_model_default_params)(to); }, problems);
  // Passed by pointer, so only its layout matters; it is returned by value like the others.
  checkSize<llama_model_quantize_params>(
      "llama_model_quantize_params", [&](void* to) { reinterpret_cast<Fill>(api.llama_model_quantize_default_params)(to); },
      problems);
  checkSize<llama_batch>(
      "llama_batch",
      [&](void* to) {
        reinterpret_cast<FillBatch>(api.llama_batch_init)(to, 3, 4, 1);
        api.llama_batch_free(*static_cast<llama_batch*>(to));
      },
      problems);
  if (!problems.empty()) return problems;

  llama_context_params context = api.llama_context_default_params();
  if (context.n_ctx != 512 || context.n_batch != 2048 || context.n_ubatch != 512 || context.n_seq_max != 1 ||
      context.type_k != GGML_TYPE_F16 || context.type_v != GGML_TYPE_F16 || context.yarn_ext_factor != -1.0f ||
      !context.offload_kqv || context.kv_unified)
    problems.push_back("llama_context_params has other defaults");
  llama_model_params model = api.llama_model_default_params();
  if (model.main_gpu != 0 || model.vocab_only || model.kv_overrides != nullptr || model.no_alloc)
    problems.push_back("llama_model_params has other defaults");
  llama_model_quantize_params quantize = api.llama_model_quantize_default_params();
  if (quantize.nthread != 0 || quantize.ftype != LLAMA_FTYPE_MOSTLY_Q8_0 || quantize.output_tensor_type != GGML_TYPE_COUNT ||
      quantize.allow_requantize || !quantize.quantize_output_tensor || quantize.dry_run || quantize.imatrix != nullptr ||
      quantize.prune_layers != nullptr || quantize.max_buf_size == 0)
    problems.push_back("llama_model_quantize_params has other defaults");
  return problems;
}
