"""A table with columns of text, as a shop or an office keeps it, whose rows are all different."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leakage.case import TARGET

FIRST = [
    "Anna",
    "José",
    "Zoë",
    "Jürgen",
    "Siân",
    "Émile",
    "Søren",
    "Łukasz",
    "Ümit",
    "Chloé",
    "Mary",
    "Paul",
    "Noël",
    "Inês",
    "Björn",
    "Aïcha",
]
LAST = [
    "Müller",
    "García",
    "Nguyễn",
    "O'Brien",
    "Şahin",
    "Kowalska",
    "Smith",
    "Lefèvre",
    "Østergård",
    "Núñez",
    "Weiß",
    "Novák",
]
STREETS = ("Hauptstraße", "Rue de l’Église", "High Street", "Calle Mayor", "Åvägen", "Long Lane")
TOWNS = ["Zürich", "Genève", "München", "Kraków", "Malmö", "Lyon", "Leeds", "Cádiz", "Gent", "Porto"]
PRODUCTS = ("café filter", "Crème brûlée", "Tea – green", "Tea – black", "Cocoa 70 %", "Oat milk")


def mixed_table(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Columns of text and of numbers; the target, two classes, depends on both."""
    income, age = np.round(rng.lognormal(10, 0.5, rows), 2), rng.integers(18, 90, rows)
    product, town = rng.integers(0, len(PRODUCTS), rows), rng.integers(0, len(TOWNS), rows)
    score = (np.log(income) - 10) + (product - 2.5) / 4 + (age - 50) / 60 + rng.normal(0, 0.7, rows)
    name = [f"{a} {b}" for a, b in zip(rng.choice(FIRST, rows), rng.choice(LAST, rows), strict=True)]
    street = [f"{a} {b}" for a, b in zip(rng.choice(STREETS, rows), rng.integers(1, 200, rows), strict=True)]
    return pd.DataFrame(
        {
            "name": name,
            "street": street,
            "town": np.array(TOWNS)[town],
            "product": np.array(PRODUCTS)[product],
            "age": age,
            "income": income,
            "visits": rng.poisson(6, rows),
            "distance_km": np.round(rng.gamma(2, 7, rows), 3),
            "balance": np.round(rng.normal(300, 900, rows), 2),
            TARGET: (score > 0).astype(int),
        }
    )
