"""The prompt and the small vocabulary that holds it: byte-level BPE with every word of the prompt a token of its own, so
that " normal" and " anomalous" are single tokens."""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from .recipe import PromptRecipe, RecipeError

BOS, EOS, PAD = "<|bos|>", "<|eos|>", "<|pad|>"


@dataclass(frozen=True)
class Prompt:
    words: PromptRecipe
    tokens: list[str]
    merges: list[tuple[str, str]]
    bos: int
    eos: int
    pad: int
    before: list[int]
    after: list[int]
    normal: int
    anomalous: int


def build_prompt(wanted: PromptRecipe) -> Prompt:
    """Raises RecipeError where a verdict is not one word, or both are the same."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words: list[str] = []
    for text in (wanted.before, wanted.after, wanted.normal, wanted.anomalous, f"{wanted.anomalous}."):
        for word, _ in splitter.pre_tokenize_str(text):
            if word not in words:
                words.append(word)
    tokens, merges = list(alphabet), []
    for word in words:
        # Left to right: every merge extends the word's beginning by one character.
        for end in range(2, len(word) + 1):
            pair = (word[: end - 1], word[end - 1])
            if word[:end] not in tokens:
                tokens.append(word[:end])
                merges.append(pair)
    tokens += [BOS, EOS, PAD]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.ByteLevel()

    def encode(text: str) -> list[int]:
        ids = tokenizer.encode(text).ids
        if tokenizer.decode(ids) != text:
            raise AssertionError(f"The vocabulary cannot spell {text!r}.")
        return ids

    normal, anomalous = encode(wanted.normal), encode(wanted.anomalous)
    if len(normal) != 1 or len(anomalous) != 1 or normal == anomalous:
        raise RecipeError(f"prompt.normal and prompt.anomalous must be two words, not {wanted.normal!r} and {wanted.anomalous!r}.")
    return Prompt(
        words=wanted,
        tokens=tokens,
        merges=merges,
        bos=vocabulary[BOS],
        eos=vocabulary[EOS],
        pad=vocabulary[PAD],
        before=[vocabulary[BOS], *encode(wanted.before)],
        after=encode(wanted.after),
        normal=normal[0],
        anomalous=anomalous[0],
    )
