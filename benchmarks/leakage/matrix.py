"""Rows as the matrix that tools for embeddings take, made as their users would make it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leakage.case import Case, inputs_of


def as_matrix(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Train (N, D) and test (M, D) as single precision.

    Columns are brought into train's order by name, numbers that are stored as text are read, and all are
    standardized by train's mean and deviation; texts become one column a value. Pixels are left as shares.
    """
    if not isinstance(case.train, pd.DataFrame):
        return tuple(np.float32(rows).reshape(len(rows), -1) / 255 for rows in (case.train, case.test))
    train = inputs_of(case.train)
    both = pd.concat([train, inputs_of(case.test)[train.columns]])
    parts = [_encode(both[name], len(train), _is_number(train[name])) for name in train]
    matrix = np.hstack(parts).astype(np.float32)
    return matrix[: len(train)], matrix[len(train) :]


def as_topics(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Texts as embeddings (N, 128) that need no network: tf-idf, then latent semantic analysis."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*inputs_of(case.train).iloc[:, 0], *inputs_of(case.test).iloc[:, 0]]
    words = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    topics = TruncatedSVD(128, random_state=0).fit_transform(words)
    return topics[: len(case.train)], topics[len(case.train) :]


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def _encode(column: pd.Series, train_rows: int, number: bool) -> np.ndarray:
    if not number:
        return pd.get_dummies(column).to_numpy(float)
    values = pd.to_numeric(column).to_numpy(float)
    spread = values[:train_rows].std() or 1.0
    return ((values - values[:train_rows].mean()) / spread)[:, None]
