"""The prompt of a recipe as token ids of the Llama's own tokenizer, and what of that tokenizer a GGUF file holds."""

from __future__ import annotations

import json
from dataclasses import dataclass

import gguf
from tokenizers import Tokenizer

from ..gguf_file import Vocabulary
from .recipe import PromptRecipe
from .sources import Source, SourceError, read_tokenizer

#: Part of the regular expression by which Llama 3 splits text before BPE.
LLAMA_3_SPLIT = r"\p{N}{1,3}"


@dataclass(frozen=True)
class Answer:
    """What is learned: the ids after the prompt, of which the first is the verdict."""

    verdict: int
    text: str
    ids: list[int]


@dataclass(frozen=True)
class Prompt:
    before_text: str
    before: list[int]
    after_parts: list[str]
    after: list[int]
    normal: Answer
    anomalous: Answer


@dataclass(frozen=True)
class LlamaTokenizer:
    tokenizer: Tokenizer
    vocabulary: Vocabulary

    def encode(self, text: str) -> list[int]:
        """Ids without BOS or EOS."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids


def build_prompt(recipe: PromptRecipe, tokenizer: LlamaTokenizer) -> Prompt:
    """Raises SourceError where the tokenizer cannot tell the verdicts apart by one token."""
    vocabulary = tokenizer.vocabulary
    if recipe.bos and vocabulary.bos is None:
        raise SourceError("The recipe wants a beginning-of-sequence token, and the tokenizer has none. Set prompt.bos: false, or use the model's own tokenizer.")

    def answer(word: str) -> Answer:
        ids = tokenizer.encode(word + recipe.ending)
        text = tokenizer.tokenizer.decode(ids[:1], skip_special_tokens=False)
        if tokenizer.encode(text) != ids[:1] or not word.startswith(text):
            raise SourceError(f"The tokenizer gives the answer {word!r} the tokens {ids}, whose first is no text of its own: this is a wrong tokenizer for this prompt.")
        return Answer(ids[0], text, [*ids, *([] if vocabulary.eos is None else [vocabulary.eos])])

    normal, anomalous = answer(recipe.normal), answer(recipe.anomalous)
    if normal.verdict == anomalous.verdict:
        raise SourceError(f"{recipe.normal!r} and {recipe.anomalous!r} begin with the same token ({normal.text!r}), so one position cannot tell them apart. Choose other words.")
    before = tokenizer.encode(recipe.before)
    return Prompt(
        before_text=recipe.before,
        before=[vocabulary.bos, *before] if recipe.bos else before,
        after_parts=recipe.after,
        after=[token for part in recipe.after for token in tokenizer.encode(part)],
        normal=normal,
        anomalous=anomalous,
    )


def load_tokenizer(source: Source, rows: int) -> LlamaTokenizer:
    """`rows`: of the model's embedding table. Raises SourceError for a tokenizer that is missing or not the model's."""
    loaded = _from_gguf(source) if source.gguf_file else _from_folder(source)
    count = len(loaded.vocabulary.tokens)
    if count > rows:
        raise SourceError(f"The tokenizer of {source.name} has {count} tokens and the model {rows}: this is a wrong tokenizer. Put the model's own tokenizer.json beside it.")
    loaded.vocabulary.fill_up(rows)
    return loaded


def _from_gguf(source: Source) -> LlamaTokenizer:
    from transformers import AutoTokenizer

    fields = gguf.GGUFReader(source.path).fields

    def value(key: str, default=None):
        return fields[f"tokenizer.ggml.{key}"].contents() if f"tokenizer.ggml.{key}" in fields else default

    if value("model") != "gpt2":
        raise SourceError(f"The tokenizer in {source.path} is of kind {value('model')}; only byte-level BPE (gpt2) is known here.")
    vocabulary = Vocabulary(
        pre=value("pre"),
        tokens=value("tokens"),
        types=value("token_type"),
        merges=value("merges"),
        bos=value("bos_token_id"),
        eos=value("eos_token_id"),
        pad=value("padding_token_id"),
        add_bos=bool(value("add_bos_token", False)),
    )
    return LlamaTokenizer(AutoTokenizer.from_pretrained(source.folder, gguf_file=source.gguf_file).backend_tokenizer, vocabulary)


def _from_folder(source: Source) -> LlamaTokenizer:
    path = source.folder / "tokenizer.json"
    if not path.is_file():
        raise SourceError(f"The model {source.name} has no tokenizer.json in {source.folder}. Put its tokenizer there.")
    tokenizer = read_tokenizer(path)
    content = json.loads(path.read_text())
    model = content["model"]
    if model.get("type") != "BPE":
        raise SourceError(f"{path} is a {model.get('type')} tokenizer; a Llama that can be exported has byte-level BPE: this is a wrong tokenizer.")
    tokens: dict[int, str] = {number: token for token, number in model["vocab"].items()}
    types = dict.fromkeys(tokens, int(gguf.TokenType.NORMAL))
    for added in content.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        types[added["id"]] = int(gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED)
    if sorted(tokens) != list(range(len(tokens))):
        raise SourceError(f"The token ids in {path} have gaps: this is a wrong tokenizer.")
    named = _special_ids(source, {token: number for number, token in tokens.items()})
    vocabulary = Vocabulary(
        pre=_pre_tokenizer(content, path),
        tokens=[tokens[number] for number in range(len(tokens))],
        types=[types[number] for number in range(len(tokens))],
        merges=[merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]],
        bos=named.get("bos_token"),
        eos=named.get("eos_token"),
        pad=named.get("pad_token"),
        add_bos="bos_token" in named,
    )
    return LlamaTokenizer(tokenizer, vocabulary)


def _special_ids(source: Source, ids: dict[str, int]) -> dict[str, int]:
    """By tokenizer_config.json where there is one, else by the model's config.json."""
    settings = source.folder / "tokenizer_config.json"
    found: dict[str, int] = {}
    if settings.is_file():
        for kind, token in json.loads(settings.read_text()).items():
            text = token.get("content") if isinstance(token, dict) else token
            if kind in ("bos_token", "eos_token", "pad_token") and text in ids:
                found[kind] = ids[text]
    config = json.loads((source.folder / "config.json").read_text())
    for kind in ("bos_token", "eos_token"):
        number = config.get(f"{kind}_id")
        if kind not in found and number is not None:
            found[kind] = number[0] if isinstance(number, list) else number
    return found


def _pre_tokenizer(content: dict, path) -> str:
    """llama.cpp's name of how text is split before BPE."""
    text = json.dumps(content.get("pre_tokenizer"))
    # json.dumps doubles the backslashes of a regular expression.
    if LLAMA_3_SPLIT in text.replace("\\\\", "\\"):
        return "llama-bpe"
    if '"Digits"' in text and '"ByteLevel"' in text:
        return "smollm"
    if '"ByteLevel"' in text:
        return "gpt-2"
    raise SourceError(f"How {path} splits text is not known here (Llama 3's, SmolLM's or GPT-2's way): this is a wrong tokenizer.")
