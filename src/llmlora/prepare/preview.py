"""What the loss will see, row by row: the same prepared arrays, with each token's text and state."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedTokenizerBase

from llmlora.prepare.dataset import IGNORED, PreparedDataset
from llmlora.prepare.tokenizer import TextEncoder

TRAINED, MASKED, TRUNCATED = "trained", "masked", "truncated"


def preview_rows(
    prepared: PreparedDataset, tokenizer: PreTrainedTokenizerBase, n: int, start: int = 0
) -> list[dict[str, Any]]:
    """Return `n` training rows from `start` (0-based) on as JSON objects.

    Each has `row` (1-based example), `num_tokens`, `num_label_tokens`, `num_cut`, `share_trained` (0 to 1),
    `end_token_trained`, and `tokens`: {text, id, state: trained|masked|truncated, special, unknown}. A character made
    of several tokens stands at the last of them. Of cut tokens the first few hundred are shown.
    """
    encoder = TextEncoder(tokenizer)
    return [_row(prepared, encoder, index) for index in range(start, min(start + n, len(prepared)))]


def _row(prepared: PreparedDataset, encoder: TextEncoder, index: int) -> dict[str, Any]:
    ids, labels = (values.tolist() for values in prepared.row(index))
    shown, num_cut = prepared.cut(index)
    cut = shown.tolist()
    states = [MASKED if label == IGNORED else TRAINED for label in labels] + [TRUNCATED] * len(cut)
    texts = encoder.pieces(ids) + encoder.pieces(cut)
    trained = states.count(TRAINED)
    return {
        "row": int(prepared.rows[index]),
        "num_tokens": len(ids),
        "num_label_tokens": trained,
        "num_cut": num_cut,
        "share_trained": round(trained / len(ids), 4),
        "end_token_trained": states[len(ids) - 1] == TRAINED and ids[-1] in encoder.end_ids,
        "tokens": [
            {
                "text": text,
                "id": token,
                "state": state,
                "special": token in encoder.special_ids,
                "unknown": token == encoder.unknown_id,
            }
            for text, token, state in zip(texts, ids + cut, states, strict=True)
        ],
    }
