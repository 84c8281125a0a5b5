"""Q4_K and Q6_K in numpy, for machines where llama.cpp's library cannot be used.

Blocks of 256 values as `gguf.quants` dequantises them. The search for scales is ours; it costs about as much accuracy
as llama.cpp's (relative RMSE 0.072 and 0.018 on Gaussian weights) and is some ten times slower.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BLOCK = 256
_BLOCKS_AT_ONCE = 2048
_MAX_SCALE = 63
_Q4_MAX = 15
_Q4_STEPS = np.linspace(-1.0, 1.0, 21)
_Q6_STEPS = np.linspace(-0.9, 0.9, 19)


def quantize_q4_k(values: np.ndarray) -> np.ndarray:
    """Return the bytes of a float32 array whose size is a multiple of 256, shape (blocks, 144)."""
    return _in_pieces(values, _q4_k)


def quantize_q6_k(values: np.ndarray) -> np.ndarray:
    """Return the bytes of a float32 array whose size is a multiple of 256, shape (blocks, 210)."""
    return _in_pieces(values, _q6_k)


def _in_pieces(values: np.ndarray, quantize: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    blocks = np.ascontiguousarray(values, dtype=np.float32).reshape(-1, BLOCK)
    pieces = [quantize(blocks[start : start + _BLOCKS_AT_ONCE]) for start in range(0, len(blocks), _BLOCKS_AT_ONCE)]
    return np.concatenate(pieces)


def _safe_inverse(values: np.ndarray) -> np.ndarray:
    return np.where(values != 0, 1 / np.where(values != 0, values, 1), 0).astype(np.float32)


def _q4_k(blocks: np.ndarray) -> np.ndarray:
    """x = d * scale * q - dmin * min, with eight scales and minima of 6 bits and q of 4 bits."""
    x = blocks.reshape(-1, 8, 32)
    scale, minimum = _fit_range(x)
    d = (scale.max(axis=1) / _MAX_SCALE).astype(np.float16)
    dmin = (minimum.max(axis=1) / _MAX_SCALE).astype(np.float16)
    d32, dmin32 = d.astype(np.float32)[:, None], dmin.astype(np.float32)[:, None]
    scales = np.clip(np.rint(scale * _safe_inverse(d32)), 0, _MAX_SCALE).astype(np.uint8)
    minima = np.clip(np.rint(minimum * _safe_inverse(dmin32)), 0, _MAX_SCALE).astype(np.uint8)
    step, offset = d32 * scales, dmin32 * minima
    q = np.rint((x + offset[..., None]) * _safe_inverse(step)[..., None])
    q = np.clip(q, 0, _Q4_MAX).astype(np.uint8).reshape(-1, 4, 2, 32)
    nibbles = (q[:, :, 0] | (q[:, :, 1] << 4)).reshape(-1, 128)
    head = np.concatenate([d[:, None].view(np.uint8), dmin[:, None].view(np.uint8)], axis=1)
    return np.concatenate([head, _packed_scales(scales, minima), nibbles], axis=1)


def _fit_range(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and minimum (both >= 0) of each group such that scale * q - minimum is near x.

    Several candidate grids are tried; for each, scale and minimum follow by weighted least squares, large values
    weighing more.
    """
    weight = np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True)) + np.abs(x)
    low = np.minimum(x.min(axis=-1, keepdims=True), 0)
    width = x.max(axis=-1, keepdims=True) - low
    sum_w, sum_x = weight.sum(axis=-1), (weight * x).sum(axis=-1)
    nothing = np.zeros(x.shape[:2], np.float32)
    best = [np.full(x.shape[:2], np.inf), nothing, nothing]
    for shift in _Q4_STEPS:
        q = np.clip(np.rint((x - low) * (_Q4_MAX + shift) * _safe_inverse(width)), 0, _Q4_MAX)
        sum_q, sum_qq, sum_xq = (weight * q).sum(-1), (weight * q * q).sum(-1), (weight * x * q).sum(-1)
        scale = (sum_w * sum_xq - sum_x * sum_q) * _safe_inverse(sum_w * sum_qq - sum_q * sum_q)
        base = (sum_x - scale * sum_q) * _safe_inverse(sum_w)
        is_above = base > 0
        scale = np.where(is_above, sum_xq * _safe_inverse(sum_qq), scale)
        base = np.where(is_above, 0, base)
        error = (weight * np.square(scale[..., None] * q + base[..., None] - x)).sum(-1)
        is_better = (error < best[0]) & (scale >= 0)
        best = [np.where(is_better, new, old) for new, old in zip((error, scale, -base), best, strict=True)]
    return best[1], best[2]


def _packed_scales(scales: np.ndarray, minima: np.ndarray) -> np.ndarray:
    """Pack eight scales and eight minima of 6 bits into 12 bytes."""
    first = scales[:, :4] | ((scales[:, 4:] >> 4) << 6)
    second = minima[:, :4] | ((minima[:, 4:] >> 4) << 6)
    third = (scales[:, 4:] & 15) | ((minima[:, 4:] & 15) << 4)
    return np.concatenate([first, second, third], axis=1)


def _q6_k(blocks: np.ndarray) -> np.ndarray:
    """x = d * scale * q, with sixteen scales of 8 bits and q from -32 to 31."""
    x = blocks.reshape(-1, 16, 16)
    scale = _fit_symmetric(x)
    place = np.abs(scale).argmax(axis=1)
    largest = np.take_along_axis(scale, place[:, None], axis=1)
    d = (largest / -128).astype(np.float16)
    d32 = d.astype(np.float32)
    scales = np.clip(np.rint(scale * _safe_inverse(d32)), -128, 127).astype(np.int8)
    step = d32 * scales
    q = np.clip(np.rint(x * _safe_inverse(step)[..., None]), -32, 31).astype(np.int8) + 32
    q = q.astype(np.uint8).reshape(-1, 2, 4, 32)
    low = np.stack([(q[:, :, 0] & 15) | (q[:, :, 2] << 4), (q[:, :, 1] & 15) | (q[:, :, 3] << 4)], axis=2)
    high = (q[:, :, 0] >> 4) | ((q[:, :, 1] >> 4) << 2) | ((q[:, :, 2] >> 4) << 4) | ((q[:, :, 3] >> 4) << 6)
    parts = [low.reshape(-1, 128), high.reshape(-1, 64), scales.view(np.uint8), d.view(np.uint8)]
    return np.concatenate(parts, axis=1)


def _fit_symmetric(x: np.ndarray) -> np.ndarray:
    """Return the scale of each group with the least squared error weighted by x squared; its sign may be either."""
    weight = np.square(x)
    place = np.abs(x).argmax(axis=-1, keepdims=True)
    inverse = -_safe_inverse(np.take_along_axis(x, place, axis=-1))
    best_gain = np.zeros(x.shape[:2], np.float32)
    best = np.zeros(x.shape[:2], np.float32)
    for shift in _Q6_STEPS:
        q = np.clip(np.rint(x * (32 + shift) * inverse), -32, 31)
        sum_xq, sum_qq = (weight * x * q).sum(-1), (weight * q * q).sum(-1)
        scale = sum_xq * _safe_inverse(sum_qq)
        is_better = scale * sum_xq > best_gain
        best_gain = np.where(is_better, scale * sum_xq, best_gain)
        best = np.where(is_better, scale, best)
    return best
