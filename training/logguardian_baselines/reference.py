"""LogLLM's own way to judge, in PyTorch, with a bundle's weights (arXiv 2411.08561, IV-B and its public code's loop).

Every line goes through BERT, padded to the longest of its batch; windows are padded on the left; the answer is generated
greedily in up to 6 tokens, and is anomalous where its text says so. Nothing is computed once for two lines or windows.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM
from transformers.utils import logging

from .bert import LineEncoder, read_encoder, tokenize
from .vocabulary import Vocabulary, read_vocabulary
from .windows import BaselineError, Score, say

BATCH = 32
ANSWER_TOKENS = 6


@dataclass
class Reference:
    encoder: LineEncoder
    tokenizer: Tokenizer
    pad: int
    llama: LlamaForCausalLM
    vocabulary: Vocabulary
    manifest: dict

    @torch.no_grad()
    def score(self, windows: list[tuple[str, ...]]) -> list[Score]:
        """`score` is the margin of the answer's first token."""
        scores: list[Score] = []
        start = time.perf_counter()
        for place in range(0, len(windows), BATCH):
            scores += self._batch(windows[place : place + BATCH])
            say(f"{len(scores)} of {len(windows)} windows, {len(scores) / (time.perf_counter() - start):.1f} a second")
        return scores

    def _batch(self, windows: list[tuple[str, ...]]) -> list[Score]:
        most = self.manifest["window"]["maxLines"]
        cut = [list(lines[:most]) for lines in windows]
        vectors = self.encoder(*tokenize(self.tokenizer, [line for lines in cut for line in lines], self.pad))
        inputs, mask = self._left_padded(vectors.split([len(lines) for lines in cut]))
        first, answers = self._generate(inputs, mask)
        verdict = self.manifest["verdict"]
        margins = first[:, verdict["anomalous"]["id"]] - first[:, verdict["normal"]["id"]]
        texts = [self.vocabulary.text(ids) for ids in answers]
        # LogLLM's rule: what does not say so is normal.
        found = [re.search("normal|anomalous", text, re.IGNORECASE) for text in texts]
        return [
            Score(float(margin), match is not None and match.group().lower() == "anomalous", text)
            for margin, match, text in zip(margins, found, texts, strict=True)
        ]

    def _left_padded(self, windows: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
        """[windows, positions, width], zeros on the left, and the mask [windows, positions]."""
        embed, prompt = self.llama.get_input_embeddings(), self.manifest["prompt"]
        before, after = (embed(torch.tensor(prompt[part]["ids"])) for part in ("before", "after"))
        joined = [torch.cat([before, vectors, after]) for vectors in windows]
        longest = max(map(len, joined))
        inputs = torch.zeros(len(joined), longest, before.shape[1])
        mask = torch.zeros(len(joined), longest, dtype=torch.long)
        for row, positions in enumerate(joined):
            inputs[row, longest - len(positions) :] = positions
            mask[row, longest - len(positions) :] = 1
        return inputs, mask

    def _generate(self, inputs: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, list[list[int]]]:
        """The first token's logits [windows, vocabulary], and up to six ids each, the end left out."""
        answers: list[list[int]] = [[] for _ in inputs]
        ended = torch.zeros(len(inputs), dtype=torch.bool)
        first, cache = None, None
        for _ in range(ANSWER_TOKENS):
            output = self.llama(inputs_embeds=inputs, attention_mask=mask, past_key_values=cache, use_cache=True)
            logits, cache = output.logits[:, -1], output.past_key_values
            first = logits if first is None else first
            chosen = logits.argmax(-1)
            ended |= chosen == self.vocabulary.end
            if ended.all():
                break
            for row in (~ended).nonzero().flatten().tolist():
                answers[row].append(int(chosen[row]))
            inputs = self.llama.get_input_embeddings()(chosen)[:, None]
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        return first, answers


def open_reference(bundle: Path, threads: int) -> Reference:
    torch.set_num_threads(threads)
    logging.disable_progress_bar()
    try:
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise BaselineError(f"{bundle} holds no bundle that can be read: {error}.") from error
    if "adapter" in manifest["llama"]:
        raise BaselineError(f"{bundle} holds a LoRA adapter over its base, which the reference does not read.")
    files = manifest["embedder"]
    tokenizer = Tokenizer.from_file(str(bundle / files["tokenizer"]))
    tokenizer.enable_truncation(manifest["text"]["maxTokens"])
    tokenizer.no_padding()
    pad = files["padId"]
    gguf = manifest["llama"]["file"]
    say("reading the weights")
    return Reference(
        encoder=read_encoder(bundle / files["file"], tokenizer, pad),
        tokenizer=tokenizer,
        pad=pad,
        llama=LlamaForCausalLM.from_pretrained(bundle, gguf_file=gguf, dtype=torch.float32).eval(),
        vocabulary=read_vocabulary(bundle / gguf),
        manifest=manifest,
    )
