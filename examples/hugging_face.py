"""A model that is called with keyword arguments, as Hugging Face's are, on columns of tokens.

Run it:  wdgate run examples/hugging_face.py

Put `AutoModelForSequenceClassification.from_pretrained(...)` in the place of `Encoder`, and the columns that
its tokenizer gives in the place of `load`: nothing else changes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pipelines import Classification, Pipeline, Split, Splits, Training, at_least, no_worse
from wd_train import watch
from wd_train.attaching import Attached

TOKENS, LENGTH = 100, 16


def load() -> Splits:
    """Sequences of tokens; each token speaks for one class or the other, and the majority decides."""
    generator = np.random.default_rng(0)
    speaks = generator.choice([-1, 1], TOKENS)
    lengths = generator.integers(LENGTH // 2, LENGTH + 1, 3000)
    mask = (np.arange(LENGTH) < lengths[:, None]).astype(np.int64)
    # Token 0 fills the rest of a sequence.
    tokens = generator.integers(1, TOKENS, mask.shape) * mask
    votes = (speaks[tokens] * mask).sum(1)
    rows = Split({"input_ids": tokens, "attention_mask": mask}, (votes > 0).astype(np.int64))
    train, validation, test = np.split(np.arange(len(rows)), [2000, 2300])
    return Splits(rows.take(train), rows.take(validation), rows.take(test))


@dataclass
class Output:
    """What the model gives back: logits (N, 2)."""

    logits: Tensor


class Encoder(nn.Module):
    """One layer of attention over embedded tokens."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, width, padding_idx=0)
        self.attention = nn.Linear(width, 3 * width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(width, 2)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Output:
        """Logits (N, 2) for tokens (N, L), of which those with a mask of 0 are not looked at."""
        hidden = self.embedding(input_ids)
        queries, keys, values = self.attention(hidden)[:, None].chunk(3, dim=-1)  # (N, 1, L, width): one head
        seen = attention_mask[:, None, None].bool()
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        hidden = hidden + attended[:, 0]
        shown = attention_mask[:, :, None].float()
        pooled = (self.norm(hidden) * shown).sum(1) / shown.sum(1)
        return Output(self.classifier(self.dropout(pooled)))


class Logits(nn.Module):
    """The model as a function of the columns, for the exported file."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits (N, 2)."""
        logits: Tensor = self.model(**inputs).logits
        return logits


class Rows(Dataset[dict[str, Tensor]]):
    """Rows as dictionaries of columns, with their targets as `labels`."""

    def __init__(self, rows: Split) -> None:
        self.columns = {name: torch.as_tensor(column) for name, column in rows.inputs.items()}
        self.columns["labels"] = torch.as_tensor(rows.targets)

    def __len__(self) -> int:
        return len(self.columns["labels"])

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        return {name: column[row] for name, column in self.columns.items()}


def fit(train: Split, validation: Split, training: Training) -> nn.Module:
    """Train with the configured decay, in the form that `training.decay` says."""
    torch.manual_seed(training.seed)
    model = Encoder()
    loader = DataLoader(Rows(train), batch_size=64, shuffle=True)
    steps = training.epochs * len(loader)
    optimizer = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    Attached(optimizer, model, training.weight_decay, training.decay, steps=steps)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)

    watched = watch(model, optimizer, scheduler=scheduler)
    for _ in watched.epochs(training.epochs):
        model.train()
        for batch in watched.batches(loader):
            labels = batch.pop("labels")
            loss = nn.functional.cross_entropy(model(**batch).logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
    return Logits(model)


def pipeline(*, weight_decay: float = 0.1, epochs: int = 5, seed: int = 0) -> Pipeline:
    """Two classes of sequences, by a loop that is not wdgate's."""
    return Pipeline(
        name="hugging_face",
        splits=load,
        task=Classification(("against", "for")),
        train=fit,
        training=Training(weight_decay=weight_decay, learning_rate=2e-2, epochs=epochs, seed=seed),
        gates=[at_least("accuracy", 0.85), no_worse("accuracy", margin=0.03)],
    )
