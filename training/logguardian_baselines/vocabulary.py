"""A GGUF file's tokens as text: byte-level BPE (`gpt2`) and SentencePiece (`llama`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gguf import GGUFReader
from tokenizers import decoders

from .windows import BaselineError

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"


@dataclass(frozen=True)
class Vocabulary:
    tokens: list[str]
    kind: str
    #: Id of the token that ends an answer.
    end: int

    def text(self, ids: list[int]) -> str:
        tokens = [self.tokens[token] for token in ids]
        if self.kind == "gpt2":
            return decoders.ByteLevel().decode(tokens)
        return "".join(tokens).replace(SPACE, " ")


def read_vocabulary(path: Path) -> Vocabulary:
    fields = GGUFReader(path).fields
    try:
        return Vocabulary(
            fields["tokenizer.ggml.tokens"].contents(),
            fields["tokenizer.ggml.model"].contents(),
            fields["tokenizer.ggml.eos_token_id"].contents(),
        )
    except KeyError as missing:
        raise BaselineError(f"{path.name} has no {missing.args[0]}, so the reference cannot read its answers.") from None
