"""`train` for a recipe of the pretrained path: data, models, stages, figures, bundle."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from ..bundle import put_in_place, refuse_other, write_novelty
from ..calibration import Calibration, calibrate, shown
from ..checkpoints import fingerprint
from ..data import Sequence, merged
from ..errors import TrainingError, is_out_of_memory
from ..metrics import Labelled
from ..parity import TRACED, Expected, check
from . import data as labelled_data
from .checkpoint import Checkpoints, Progress
from .encoder import LineEncoder, LineTokenizer
from .export import refuse_base, write_parts
from .figures import figures
from .lora import add_lora
from .manifest import write_golden, write_manifest
from .model import LogLLM, embed_lines, margins
from .projector import Projector
from .prompt import build_prompt, load_tokenizer
from .recipe import PretrainedRecipe
from .sources import fingerprint as model_fingerprint
from .sources import find, four_bit_here, load_encoder, load_llama
from .stages import Stages
from .step import Lines


def train(recipe: PretrainedRecipe, arguments) -> None:
    """Raises TrainingError or DataError; whatever happens, the last checkpoint stands and the same command goes on from it."""
    torch.set_num_threads(arguments.jobs)
    refuse_other(arguments.out)
    run = Run(recipe, arguments)
    try:
        run.train()
        if run.accelerator.is_main_process:
            run.export()
        run.accelerator.wait_for_everyone()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise run.out_of_memory() from error


def what_is_learned(recipe: PretrainedRecipe) -> PretrainedRecipe:
    """The recipe without what may change between a kill and going on: export, figures, how a batch is split to fit memory."""
    training = replace(
        recipe.training, micro_batch=1, accumulation=recipe.training.micro_batch * recipe.training.accumulation, checkpoint_steps=1
    )
    return replace(
        recipe,
        training=training,
        export=None,
        objective=None,
        data=replace(recipe.data, calibration_windows=0, dev_windows=0),
        llama=replace(recipe.llama, gradient_checkpointing=False),
    )


class Run:
    def __init__(self, recipe: PretrainedRecipe, arguments):
        self.recipe, self.arguments = recipe, arguments
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.work = arguments.out.with_name(arguments.out.name + ".work")

    def train(self) -> None:
        recipe, arguments = self.recipe, self.arguments
        self.encoder_source = find(recipe.encoder.source, "--encoder")
        self.llama_source = find(recipe.llama.source, "--llama")
        refuse_base(recipe, self.llama_source)
        self.say("Reading the data.")
        self.texts, self.sets = labelled_data.load(arguments.data, arguments.labels, recipe.text_template)
        self._choose()
        self._build()
        learnt = [
            ([self.texts.rows[line] for line in sequence.lines], sequence.label, sequence.count)
            for part in (*self.fit, self.validation)
            for sequence in part
        ]
        same = fingerprint(what_is_learned(recipe), *map(model_fingerprint, (self.encoder_source, self.llama_source)), learnt)
        checkpoints = Checkpoints(self.work)
        progress = checkpoints.load(same)
        stages = Stages(recipe, self.model, self.lines, self.fit, self.validation, checkpoints, self.accelerator)
        self.say(f"Training {recipe.name} on {sum(map(len, self.fit))} distinct windows, device {self.model.device}.")
        self.progress: Progress = stages.run(progress)

    def _choose(self) -> None:
        """The windows to learn from, to stop by, to calibrate on, and to compare the product on."""
        recipe = self.recipe
        random = np.random.default_rng([recipe.seed, 100])
        share = -(-recipe.data.windows // len(self.sets))
        self.fit = [labelled_data.choose(part.early, share, random) for part in self.sets]
        count = recipe.validation.windows
        stopping, self.calibration = zip(*(labelled_data.halves(part.validation) for part in self.sets), strict=True)
        self.validation = [sequence for half in stopping if count for sequence in labelled_data.choose(half, count, random)]
        random = np.random.default_rng([recipe.seed, 300])
        # All there are, where there are fewer.
        self.compared = {
            part.name: labelled_data.choose(merged(part.early, part.validation), recipe.export.parity_windows, random) for part in self.sets
        }

    def _build(self) -> None:
        recipe = self.recipe
        self.say(f"Loading {self.encoder_source.name} and {self.llama_source.name}.")
        bert = load_encoder(self.encoder_source, four_bit_here(recipe.encoder.four_bit))
        llama = load_llama(self.llama_source, four_bit_here(recipe.llama.four_bit))
        self.line_tokenizer = LineTokenizer(self.encoder_source, recipe.window.max_tokens, bert.config.vocab_size)
        self.llama_tokenizer = load_tokenizer(self.llama_source, llama.config.vocab_size)
        prompt = build_prompt(recipe.prompt, self.llama_tokenizer)
        add_lora(bert, recipe.lora.encoder, recipe.seed)
        add_lora(llama, recipe.lora.llama, recipe.seed + 1)
        if recipe.llama.gradient_checkpointing:
            llama.activation_checkpointing_enable({"use_reentrant": False})
        torch.manual_seed(recipe.seed)
        encoder = LineEncoder(bert, recipe.encoder)
        projector = Projector(encoder.width, llama.config.hidden_size, recipe.projector)
        self.model = LogLLM(encoder, projector, llama, prompt)
        self.model.to(self.accelerator.device)
        self.lines = Lines([self.line_tokenizer.encode(text) for text in self.texts.rows])
        if recipe.projector.start == "whitened" or recipe.projector.batch_norm:
            self.model.eval()
            with torch.no_grad():
                vectors = self.model.encode([self.lines.tokens[line] for line in self.learnt_lines()])
            projector.cpu().begin(vectors.cpu(), self.model.token_norm(), recipe.projector.start == "whitened")
            projector.to(self.accelerator.device)

    def learnt_lines(self) -> list[int]:
        """Of the windows to learn from, as far as the model sees them."""
        limit = self.recipe.window.max_lines
        return sorted({line for part in self.fit for sequence in part for line in sequence.lines[:limit]})

    def export(self) -> None:
        recipe, arguments = self.recipe, self.arguments
        folder = self.work / "bundle"
        shutil.rmtree(folder, ignore_errors=True)
        self.say("Writing the bundle.")
        trained = self._compared_margins(embed_lines(self.model, self.lines.tokens))
        write_parts(folder, recipe, self.model, self.line_tokenizer, self.llama_tokenizer, self.llama_source)
        write_golden(folder, recipe, self.model, self.line_tokenizer)
        self.embedded = embed_lines(self.model, self.lines.tokens)
        write_novelty(folder / "novelty.bin", self.embedded[self.learnt_lines()].cpu().numpy())
        written = self._compared_margins(self.embedded)
        random = np.random.default_rng([recipe.seed, 200])
        calibration, metrics = self._calibrate(random)
        metrics["training"] = {
            "data": "without the dev and validation parts; one half of validation ends stages, the other calibrates",
            "seed": recipe.seed,
            "windows": sum(map(len, self.fit)),
            "minutes": round(self.progress.seconds / 60, 1),
            "stages": self.progress.history,
        }
        # What the matrices' type costs: margins of the weights as trained against those as written.
        metrics["rounding"] = {name: _differences(trained[name], written[name]) for name in written}
        for name, row in metrics["rounding"].items():
            self.say(f"{name}: as {recipe.export.type} margins differ by {row['mean']:.4f}, by {row['worst']:.4f} at most.")
        given = (folder, recipe, self.model, self.encoder_source, self.llama_source, arguments.data, calibration, metrics)
        write_manifest(*given)
        metrics["parity"] = self._check_parity(folder, written)
        write_manifest(*given)
        put_in_place(folder, arguments.out)
        self.say(f"Wrote {arguments.out}.")

    def _calibrate(self, random: np.random.Generator) -> tuple[Calibration, dict]:
        self.say("Calibrating on the validation parts and scoring the dev parts.")
        count = self.recipe.data.calibration_windows
        parts = [self.judged(labelled_data.choose(half, count, random)).damped() for half in self.calibration]
        calibration = calibrate(parts, self.recipe.objective)
        found = figures(self.sets, self.judged, calibration, self.recipe.data.dev_windows, random)
        for name, row in found.items():
            self.say(f"{name}: " + "  ".join(f"{key} {shown(value, '.3f')}" for key, value in row.items()))
        return calibration, {"heldOut": found}

    def judged(self, sequences: list[Sequence]) -> Labelled:
        limit = self.recipe.window.max_lines
        return Labelled(
            margins(self.model, self.embedded, [sequence.lines[:limit] for sequence in sequences]).double().numpy(),
            np.array([sequence.label for sequence in sequences]),
            np.array([sequence.count for sequence in sequences], float),
        )

    def _compared_margins(self, embedded: torch.Tensor) -> dict[str, np.ndarray]:
        limit = self.recipe.window.max_lines
        return {
            name: margins(self.model, embedded, [sequence.lines[:limit] for sequence in windows]).double().numpy()
            for name, windows in self.compared.items()
        }

    def _check_parity(self, folder: Path, written: dict[str, np.ndarray]) -> dict:
        """Raises ParityError with the part that differs; the figures stand in the manifest."""
        self.say("Comparing with the product, window by window.")
        found = check(folder, {name: self._expected(windows, written[name]) for name, windows in self.compared.items()}, self.recipe.export.tolerance)
        return {name: part.row() for name, part in found.items()}

    def _expected(self, chosen: list[Sequence], found: np.ndarray) -> Expected:
        limit = self.recipe.window.max_lines
        used = {line for sequence in chosen for line in sequence.lines[:limit]}
        return Expected(
            [[self.texts.rows[line] for line in sequence.lines[:limit]] for sequence in chosen],
            found,
            {self.texts.rows[line]: self.lines.tokens[line] for line in used},
            {self.texts.rows[line]: self.embedded[line, :TRACED].cpu().numpy() for line in used},
        )

    def out_of_memory(self) -> TrainingError:
        return TrainingError(
            f"There is not enough memory for {self.recipe.name}. Lower training.micro_batch (and raise training.accumulation), "
            f"or set llama.gradient_checkpointing; the last checkpoint stands in {self.work}."
        )

    def say(self, what: str) -> None:
        if self.accelerator.is_main_process:
            print(what, file=sys.stderr, flush=True)


def _differences(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    found = np.abs(first - second)
    return {"mean": round(float(found.mean()), 5), "worst": round(float(found.max()), 5)}
