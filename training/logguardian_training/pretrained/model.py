"""Encoder, projector and Llama together: windows of lines in, logits of the answer out."""

from __future__ import annotations

import contextlib

import torch
from torch import nn

from .encoder import LineEncoder, encode_lines
from .lora import lora_parameters
from .projector import Projector
from .prompt import Answer, Prompt


class LogLLM(nn.Module):
    """Positions of a window: prompt before | one per line | prompt after | answer; the verdict is read before the answer."""

    def __init__(self, encoder: LineEncoder, projector: Projector, llama, prompt: Prompt):
        super().__init__()
        self.encoder = encoder
        self.projector = projector
        self.llama = llama
        self.prompt = prompt
        #: The encoder is as exported: plain fp32.
        self.settled = False

    @property
    def device(self) -> torch.device:
        return self.llama.get_input_embeddings().weight.device

    def part_parameters(self, part: str) -> list[nn.Parameter]:
        """What a stage that trains `part` changes."""
        if part == "projector":
            return list(self.projector.parameters())
        return lora_parameters(self.llama if part == "llama" else self.encoder)

    def train_only(self, parts: list[str]) -> list[nn.Parameter]:
        """Frees these parts and freezes the rest, dropout and batch normalisation included."""
        free: list[nn.Parameter] = []
        for part, module in (("encoder", self.encoder), ("projector", self.projector), ("llama", self.llama)):
            module.train(part in parts)
            for parameter in self.part_parameters(part):
                parameter.requires_grad_(part in parts)
                free += [parameter] if part in parts else []
        return free

    def token_norm(self) -> float:
        return float(self.llama.get_input_embeddings().weight.detach().float().norm(dim=1).mean())

    def computing(self):
        """bf16 products on a GPU, fp32 on a CPU."""
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else contextlib.nullcontext()

    def encode(self, tokens: list[list[int]]) -> torch.Tensor:
        """Ids of each line -> the encoder's vectors [lines, width], fp32."""
        with contextlib.nullcontext() if self.settled else self.computing():
            return encode_lines(self.encoder, tokens).float()

    def logits(self, embedded: torch.Tensor, windows: list[list[int]], answers: list[list[int]]) -> list[torch.Tensor]:
        """Projected lines [lines, Llama width], indices into them, ids of what follows the prompt -> of each window the
        logits [1 + answer, vocabulary] fp32, from the verdict's position on."""
        table = self.llama.get_input_embeddings()

        def rows(ids: list[int]) -> torch.Tensor:
            return table(torch.tensor(ids, dtype=torch.long, device=self.device))

        before, after = rows(self.prompt.before), rows(self.prompt.after)
        pieces = [
            torch.cat([before, embedded[window].to(before.dtype), after, rows(answer)])
            for window, answer in zip(windows, answers, strict=True)
        ]
        # Right padding without a mask: attention is causal, so nothing that is read can see it.
        inputs = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
        with self.computing():
            states = self.llama.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
            kept = [
                states[row, len(piece) - len(answer) - 1 : len(piece)]
                for row, (piece, answer) in enumerate(zip(pieces, answers, strict=True))
            ]
            found = self.llama.lm_head(torch.cat(kept)).float()
        return list(found.split([len(rows) for rows in kept]))

    def answer(self, label: int) -> Answer:
        return self.prompt.anomalous if label else self.prompt.normal

    def margin(self, logits: torch.Tensor) -> torch.Tensor:
        """Of the verdict's position: [..., vocabulary] -> [...]."""
        return logits[..., self.prompt.anomalous.verdict] - logits[..., self.prompt.normal.verdict]


@torch.no_grad()
def margins(model: LogLLM, embedded: torch.Tensor, windows: list[tuple[int, ...]], batch: int = 16) -> torch.Tensor:
    """Margins [windows] on the CPU, in their order; `embedded` [lines, Llama width]. Computed in batches of similar length."""
    model.eval()
    result = torch.zeros(len(windows))
    order = sorted(range(len(windows)), key=lambda place: len(windows[place]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        found = model.logits(embedded, [list(windows[place]) for place in places], [[] for _ in places])
        result[places] = model.margin(torch.cat(found)).cpu()
    return result


@torch.no_grad()
def embed_lines(model: LogLLM, tokens: list[list[int]]) -> torch.Tensor:
    """Projected vectors [lines, Llama width] at inference."""
    model.eval()
    return model.projector(model.encode(tokens))
