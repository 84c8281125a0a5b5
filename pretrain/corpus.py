"""The training text: documents drawn from the generators, rendered as the chat template renders them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pretrain import documents_en, documents_ja
from pretrain.documents_ja import Document
from pretrain.lexicon import Words

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
PAD = "<|pad|>"
ENGLISH_SHARE = 0.24  # of documents; they are shorter in bytes, so about a fifth of the text
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def render(document: Document) -> str:
    """Return a document as training text; a conversation looks exactly as the chat template writes it."""
    if isinstance(document, str):
        return f"{document}{TURN_END}{END_OF_TEXT}"
    turns = "".join(f"{TURN_START}{role}\n{content}{TURN_END}\n" for role, content in document)
    return turns + END_OF_TEXT


def _draw(words: Words, generators: list[tuple[float, Callable[[Words], Document]]]) -> Document:
    weights = [weight for weight, _ in generators]
    return words.random.choices([make for _, make in generators], weights)[0](words)


def documents(seed: int) -> Iterator[Document]:
    """Yield documents without end, the same ones for the same seed."""
    words = Words(seed)
    while True:
        english = words.random.random() < ENGLISH_SHARE
        yield _draw(words, documents_en.GENERATORS if english else documents_ja.GENERATORS)


def texts(seed: int, size: int) -> Iterator[str]:
    """Yield rendered documents until `size` bytes of UTF-8 are reached."""
    done = 0
    for document in documents(seed):
        text = render(document)
        done += len(text.encode())
        yield text
        if done >= size:
            return
