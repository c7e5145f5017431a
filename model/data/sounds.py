"""Sounds that are computed: a small data set of spectrograms, as microphones would give them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

RATE, LENGTH = 8000, 2048
"""Samples a second, samples of a sound: a quarter of a second."""
FRAMES, BANDS, WINDOW = 16, 16, 256
FLOOR = 1e-4
"""Power below which nothing is heard: 40 dB under full scale."""
CLASSES = ("tone", "rising", "falling", "warble", "clicks", "noise")


def spectrograms(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 (N, BANDS, FRAMES, 1), labels int64 (N,)) of `count` sounds a class, in turn.

    Low bands are at the bottom, time goes to the right: a mirrored one is of another class.
    """
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(len(CLASSES)), count)
    return _spectrograms(np.stack([_sound(int(n), rng) for n in labels]))[..., None], labels


def _sound(label: int, rng: np.random.Generator) -> np.ndarray:
    """Samples (LENGTH,) about −1 to 1, of random pitch, loudness and start, in some noise."""
    time = np.arange(LENGTH) / RATE
    pitch, loud = rng.uniform(300, 2400), rng.uniform(0.1, 0.8)
    noise = rng.standard_normal(LENGTH)
    change = {1: rng.uniform(2, 5), 2: -rng.uniform(2, 5)}.get(label, 0.0)  # octaves a second
    bend = 0.3 * np.sin(2 * np.pi * rng.uniform(12, 24) * time) if label == 3 else 0 * time
    cycles = np.cumsum(pitch * 2 ** (change * (time - time[-1] / 2)) * (1 + bend)) / RATE
    gaps = np.sin(2 * np.pi * (rng.uniform(16, 32) * time + rng.uniform())) > 0.9
    voice = {4: gaps * noise, 5: 0.5 * noise}.get(label, np.sin(2 * np.pi * cycles))
    start = int(rng.integers(0, LENGTH // 4))
    sound = np.where(np.arange(LENGTH) < start, 0, loud * voice)
    return sound + 0.02 * rng.standard_normal(LENGTH)


def _spectrograms(sounds: np.ndarray) -> np.ndarray:
    """uint8 (N, BANDS, FRAMES): logarithm of the power, in bands that widen with the pitch."""
    starts = np.linspace(0, LENGTH - WINDOW, FRAMES).astype(int)
    frames = np.stack([sounds[:, at : at + WINDOW] for at in starts], 1) * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames)) ** 2 / (WINDOW / 4) ** 2
    edges = np.round(np.geomspace(6, WINDOW // 2 + 1, BANDS + 1)).astype(int)
    bands = np.stack([power[..., a:b].max(-1) for a, b in pairwise(edges)], 1)
    scaled = np.log(np.maximum(bands[:, ::-1], FLOOR) / FLOOR) / np.log(1 / FLOOR)
    values: np.ndarray = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    return values
