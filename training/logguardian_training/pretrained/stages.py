"""LogLLM's stages, each beginning with the weights of the one before; a checkpoint says how far they are."""

from __future__ import annotations

import copy
import math
import sys
import time

import torch
from accelerate import Accelerator

from ..data import Sequence
from ..errors import TrainingError
from .checkpoint import Checkpoints, Progress
from .model import LogLLM
from .recipe import PretrainedRecipe, StageRecipe
from .samples import Samples, stage_samples
from .step import Lines, accumulate, seed_step, validation_loss

#: Seconds between two progress lines.
TALK_EVERY = 5.0


class Stages:
    def __init__(
        self,
        recipe: PretrainedRecipe,
        model: LogLLM,
        lines: Lines,
        fit: list[list[Sequence]],
        validation: list[Sequence],
        checkpoints: Checkpoints,
        accelerator: Accelerator,
    ):
        self.recipe, self.model, self.lines, self.validation = recipe, model, lines, validation
        self.checkpoints, self.accelerator = checkpoints, accelerator
        self.samples = [stage_samples(recipe, fit, stage) for stage in recipe.stages]

    def run(self, progress: Progress) -> Progress:
        """From `progress` to the end of the last stage. Raises TrainingError; the last checkpoint then stands."""
        if progress.weights:
            set_weights(self.model, progress.weights)
            if progress.stage < len(self.samples):
                self.say(f"Going on after step {progress.step} of {self.recipe.stages[progress.stage].name}.")
        self.clock = _Clock(self._done(progress))
        while progress.stage < len(self.samples):
            self._stage(self.recipe.stages[progress.stage], self.samples[progress.stage], progress)
        return progress

    def _stage(self, stage: StageRecipe, samples: Samples, progress: Progress) -> None:
        recipe, model = self.recipe, self.model
        self.lines.forget()
        parameters = model.train_only(stage.trains)
        optimizer = torch.optim.AdamW(parameters, lr=stage.learning_rate)
        if progress.optimizer is not None:
            optimizer.load_state_dict(progress.optimizer)
        every = math.ceil(samples.steps / recipe.validation.evaluations) if self.validation else 0
        while progress.step < samples.steps:
            loss = self._step(stage, samples, progress, optimizer)
            progress.loss = loss if progress.loss is None else 0.9 * progress.loss + 0.1 * loss
            progress.step += 1
            progress.seconds += self.clock.lap()
            last = progress.step == samples.steps
            if self.clock.due() or last:
                self._report(stage, samples, progress)
            ended = False
            if every and (progress.step % every == 0 or last):
                ended = self._validate(stage, progress)
            if ended or last:
                break
            if progress.step % recipe.training.checkpoint_steps == 0:
                self._save(progress, optimizer)
        self._end(stage, samples, progress)

    def _step(self, stage: StageRecipe, samples: Samples, progress: Progress, optimizer) -> float:
        """The mean loss over all processes."""
        recipe, accelerator = self.recipe, self.accelerator
        batch = samples.step(progress.step)
        share = batch[accelerator.process_index :: accelerator.num_processes]
        rate = stage.learning_rate * recipe.training.decay ** (recipe.training.decays * progress.step // samples.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.model.train_only(stage.trains)
        seed_step(recipe.seed, progress.stage, progress.step, accelerator.process_index)
        optimizer.zero_grad()
        loss = 0.0
        if share:
            loss = accumulate(
                self.model, self.lines, share, stage.trains, recipe.training, len(batch), recipe.window.max_lines
            )
        loss = self._sum(loss)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {progress.step + 1} of {stage.name}. Lower its learning rate or change the seed; "
                f"the last checkpoint stands in {self.checkpoints.path.parent}."
            )
        self._share_gradients(optimizer)
        optimizer.step()
        return loss

    def _share_gradients(self, optimizer) -> None:
        """Sums gradients over processes, by hand: only LoRA and projector have any, and encoder and Llama are called apart."""
        if self.accelerator.num_processes == 1:
            return
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = self.accelerator.reduce(gradient, reduction="sum")
        for buffer in self.model.projector.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.accelerator.reduce(buffer, reduction="mean"))

    def _validate(self, stage: StageRecipe, progress: Progress) -> bool:
        """Whether the stage ends early."""
        accelerator = self.accelerator
        share = self.validation[accelerator.process_index :: accelerator.num_processes]
        found = validation_loss(self.model, self.lines, share, self.recipe.training, self.recipe.window.max_lines)
        loss = self._sum(found) / len(self.validation)
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_weights, progress.without_gain = loss, weights(self.model), 0
        else:
            progress.without_gain += 1
        self.say(f"{stage.name}  step {progress.step}  validation loss {loss:.4f}, best {progress.best_loss:.4f}")
        return progress.without_gain >= self.recipe.validation.patience

    def _end(self, stage: StageRecipe, samples: Samples, progress: Progress) -> None:
        if progress.best_weights is not None:
            set_weights(self.model, progress.best_weights)
        if progress.step < samples.steps:
            self.say(f"{stage.name} ends early after step {progress.step}: the validation loss no longer falls.")
        progress.history.append(
            {"stage": stage.name, "steps": progress.step, "loss": progress.loss, "validationLoss": progress.best_loss}
        )
        progress.stage, progress.step, progress.loss = progress.stage + 1, 0, None
        progress.best_loss, progress.best_weights, progress.without_gain = None, None, 0
        self._save(progress, None)

    def _save(self, progress: Progress, optimizer) -> None:
        progress.weights = weights(self.model)
        progress.optimizer = copy.deepcopy(optimizer.state_dict()) if optimizer else None
        if self.accelerator.is_main_process:
            self.checkpoints.save(progress)
        self.accelerator.wait_for_everyone()

    def _report(self, stage: StageRecipe, samples: Samples, progress: Progress) -> None:
        done = self._done(progress)
        left = sum(len(part.sequences) for part in self.samples) - done
        rate = self.clock.rate(done)
        self.say(
            f"{stage.name}  step {progress.step}/{samples.steps}  loss {progress.loss:.4f}  {rate:.2f} samples/s  "
            f"{left / rate / 60:.1f} min left"
        )

    def _done(self, progress: Progress) -> int:
        """Samples of all stages so far."""
        before = sum(len(part.sequences) for part in self.samples[: progress.stage])
        here = self.samples[progress.stage] if progress.stage < len(self.samples) else None
        return before + (min(progress.step * here.batch, len(here.sequences)) if here else 0)

    def _sum(self, value: float) -> float:
        if self.accelerator.num_processes == 1:
            return value
        return float(self.accelerator.reduce(torch.tensor(value, device=self.model.device), reduction="sum"))

    def say(self, what: str) -> None:
        if self.accelerator.is_main_process:
            print(what, file=sys.stderr, flush=True)


class _Clock:
    """Time of this process: samples a second, and when to say something again."""

    def __init__(self, done: int):
        self.first, self.started, self.talked, self.counted = done, time.monotonic(), time.monotonic(), time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.monotonic()
        seconds, self.counted = now - self.counted, now
        return seconds

    def due(self) -> bool:
        due = time.monotonic() - self.talked >= TALK_EVERY
        if due:
            self.talked = time.monotonic()
        return due

    def rate(self, done: int) -> float:
        return (done - self.first) / (time.monotonic() - self.started)


def weights(model: LogLLM) -> dict[str, torch.Tensor]:
    """What training changes, on the CPU: the LoRA matrices, the projector and its running statistics."""
    state = model.state_dict()
    return {
        name: tensor.detach().cpu().clone()
        for name, tensor in state.items()
        if "lora_" in name or name.startswith("projector.")
    }


@torch.no_grad()
def set_weights(model: LogLLM, values: dict[str, torch.Tensor]) -> None:
    state = model.state_dict()
    for name, tensor in values.items():
        state[name].copy_(tensor)
