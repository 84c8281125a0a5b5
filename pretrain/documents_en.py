"""English documents, by the same idea as the Japanese ones: patterns, a lexicon, invented names and numbers."""

from __future__ import annotations

from collections.abc import Callable

from pretrain.documents_ja import WELL_KNOWN_FACTS, Document, Fact, Turn, recalled
from pretrain.lexicon import EN_ADJ, EN_DAYS, EN_GOODS, EN_MONTHS, EN_NAMES, EN_PLACES, Words


def _price(w: Words) -> str:
    value = w.number(1, 900)
    return w.pick([f"{value} dollars", f"${value}.{w.random.randint(10, 99)}", f"{value * 10:,} yen", f"{value} yen"])


def _date(w: Words) -> str:
    return f"{w.pick(EN_MONTHS)} {w.random.randint(1, 28)}" + w.pick(["", f", {w.random.randint(1950, 2030)}"])


def _hours(w: Words) -> str:
    return f"{w.random.randint(5, 11)} a.m. to {w.random.randint(1, 11)} p.m."


def _place(w: Words) -> str:
    return f"{w.latin()} {w.pick(EN_PLACES).capitalize()}"


# fmt: off
PLACE_FACTS: list[Fact] = [
    (("When is {s} open?", "What are the opening hours of {s}?", "From when to when can one visit {s}?"), "{s} is open from {v}", lambda w: _hours(w)),
    (("How much are the {p} at {s}?", "What do the {p} at {s} cost?", "What is the price of the {p} at {s}?"), "The {p} at {s} cost {v}.", lambda w: _price(w)),
    (("When did {s} open?", "What is the opening date of {s}?", "Since when has {s} been there?"), "{s} opened on {v}.", lambda w: _date(w)),
    (("Who runs {s}?", "What is the name of the person who runs {s}?", "Who is in charge of {s}?"), "{s} is run by {v}.", lambda w: f"{w.pick(EN_NAMES)} {w.latin()}"),
    (("On which day is {s} closed?", "When is {s} not open?", "What is the day off of {s}?"), "{s} is closed on {v}s.", lambda w: w.pick(EN_DAYS)),
    (("How many seats does {s} have?", "How many people can sit in {s}?", "What is the number of seats in {s}?"), "{s} has {v} seats.", lambda w: str(w.number(2, 400))),
    (("Where is {s}?", "In which town is {s}?", "What is the town of {s}?"), "{s} is in {v}.", lambda w: w.latin()),
    (("How far is {s} from the station?", "How many minutes is it from the station to {s}?", "How long does it take to get to {s}?"), "{s} is {v} minutes from the station.", lambda w: str(w.number(2, 60))),
    (("What is the phone number of {s}?", "How can I call {s}?", "Which number does {s} have?"), "The phone number of {s} is {v}.", lambda w: w.phone()),
    (("How long is the warranty at {s}?", "For how many months is the warranty of {s} good?", "Until when does the warranty at {s} last?"), "The warranty at {s} is {v} months.", lambda w: str(w.number(2, 60))),
    (("What is {s} famous for?", "What do people know {s} for?", "What should one buy at {s}?"), "{s} is famous for its {v}.", lambda w: f"{w.pick(EN_ADJ)} {w.pick(EN_GOODS)}"),
    (("How old is {n}?", "What is the age of {n}?"), "{n} is {v} years old.", lambda w: str(w.random.randint(2, 99))),
    (("What does {n} like?", "What makes {n} happy?"), "{n} likes {v}.", lambda w: f"{w.pick(EN_ADJ)} {w.pick(EN_GOODS)}"),
    (("Where does {n} live?", "In which town does {n} live?", "What is the home town of {n}?"), "{n} lives in {v}.", lambda w: w.latin()),
    (("When is the birthday of {n}?", "On which day was {n} born?"), "The birthday of {n} is {v}.", lambda w: f"{w.pick(EN_MONTHS)} {w.random.randint(1, 28)}"),
]
# fmt: on
UNKNOWN = [
    "I am sorry, I do not know anything about {s}.",
    "I do not know.",
    "I have no information about {s}.",
    "I cannot answer that, because I have no reliable information.",
]
SMALL_TALK: list[tuple[list[str], list[str]]] = [
    (["Hello", "Hi there!", "Good morning."], ["Hello. How can I help you today?", "Hello! What can I do for you?"]),
    (["Thank you.", "Thanks!", "That helped."], ["You are welcome.", "I am glad that I could help."]),
    (["Goodbye.", "See you tomorrow."], ["Goodbye. Have a nice day.", "See you soon."]),
    (
        ["Who are you?", "What are you?"],
        ["I am a small language model for practice.", "I am a small language model. I do not know much."],
    ),
    (
        ["What can you do?"],
        [
            "I can answer short questions and find information in a text.",
            "I can count, copy and rewrite short sentences.",
        ],
    ),
    (["How are you?"], ["I am fine, thank you. And you?"]),
    (["I am tired."], ["Please take a short rest.", "That sounds hard. How about a cup of tea?"]),
]
COMMON: list[tuple[str, str]] = [
    ("How many days are in a week?", "A week has 7 days."),
    ("How many months are in a year?", "A year has 12 months."),
    ("How many minutes are in an hour?", "An hour has 60 minutes."),
    ("What is the capital of Japan?", "The capital of Japan is Tokyo."),
    ("At what temperature does water boil?", "Water boils at 100 degrees Celsius."),
    ("What is the opposite of big?", "The opposite of big is small."),
    ("What comes after Monday?", "Tuesday comes after Monday."),
    ("How many legs does a cat have?", "A cat has four legs."),
    ("What color is snow?", "Snow is white."),
    ("Where does the sun rise?", "The sun rises in the east."),
    ("Which month comes after January?", "February comes after January."),
    ("What do bees make?", "Bees make honey."),
    ("What do you do at a red light?", "You stop at a red light."),
    ("What is ice made of?", "Ice is made of water."),
]


def _asked(w: Words) -> tuple[str, tuple[str, ...], str]:
    questions, sentence, value = w.random.choice(PLACE_FACTS)
    name = w.pick(EN_NAMES) + w.pick(["", f" {w.latin()}"])
    subject = _place(w)
    words = {"s": subject, "p": w.pick(EN_GOODS), "n": name, "v": value(w)}
    asked = tuple(question.format(**words) for question in questions)
    return (subject if "{s}" in sentence else name), asked, sentence.format(**words)


def _fact(w: Words) -> tuple[str, str, str]:
    subject, questions, sentence = _asked(w)
    return subject, w.random.choice(questions), sentence


WELL_KNOWN = [_asked(Words(number)) for number in range(WELL_KNOWN_FACTS)]


def fact_in_context(w: Words) -> Document:
    """Ask for one of several facts that the prompt states."""
    facts = [_fact(w) for _ in range(w.random.randint(1, 5))]
    passage = " ".join(sentence for _, _, sentence in facts)
    turns: list[Turn] = [("system", w.pick(["You are a helpful guide. ", "Answer briefly. ", ""]) + passage)]
    if w.random.random() < 0.4:
        _, question, sentence = w.random.choice(facts)
        head = w.pick(["Read the text and answer.\n", "", "Text: "])
        return [("user", f"{head}{passage}\n{question}"), ("assistant", sentence)]
    for _, question, sentence in w.random.sample(facts, w.random.randint(1, len(facts))):
        turns += [("user", question), ("assistant", sentence)]
    if w.random.random() < 0.2:
        subject, question, _ = _fact(w)
        turns += [("user", question), ("assistant", w.pick(UNKNOWN).format(s=subject))]
    return turns


def reworded(w: Words) -> Document:
    """Ask for the same fact again in other words: the answer stays the same."""
    _, questions, sentence = _asked(w)
    turns: list[Turn] = [("system", sentence)]
    for question in w.random.sample(questions, 2):
        turns += [("user", question), ("assistant", sentence)]
    return turns


def well_known(w: Words) -> Document:
    """Ask for facts of an invented world that is always the same."""
    return recalled(w, WELL_KNOWN)


def unknown(w: Words) -> Document:
    """Be asked about something invented, without any source."""
    subject, question, _ = _fact(w)
    return [("user", question), ("assistant", w.pick(UNKNOWN).format(s=subject))]


def talk(w: Words) -> Document:
    """Greet or answer what everybody knows."""
    turns: list[Turn] = []
    for _ in range(w.random.randint(1, 3)):
        if w.random.random() < 0.5:
            asked, replies = w.random.choice(SMALL_TALK)
            turns += [("user", w.pick(asked)), ("assistant", w.pick(replies))]
        else:
            question, answer = w.random.choice(COMMON)
            turns += [("user", question), ("assistant", answer)]
    return turns


def task(w: Words) -> Document:
    """Count, copy, list, extract, calculate."""
    a, b = w.random.randint(1, 60), w.random.randint(1, 40)
    goods = w.random.sample(EN_GOODS, w.random.randint(2, 4))
    name, place, price, date = w.pick(EN_NAMES), _place(w), _price(w), _date(w)
    text = f"{name} bought {goods[0]} for {price} at {place} on {date}."
    what, answer = w.random.choice([("price", price), ("name", name), ("date", date), ("place", place)])
    return w.random.choice([
        [("user", f"What is {a} plus {b}?"), ("assistant", f"{a} plus {b} is {a + b}.")],
        [("user", f"What is {a + b} minus {b}?"), ("assistant", f"{a + b} minus {b} is {a}.")],
        [("user", f"Repeat: {place} {price}"), ("assistant", f"{place} {price}")],
        [("user", f"List these things: {', '.join(goods)}"), ("assistant", "\n".join(f"- {item}" for item in goods))],
        [("user", f"Find the {what} in this text.\n{text}"), ("assistant", answer)],
        [("user", f"Name {len(goods)} things that a shop sells."), ("assistant", ", ".join(goods))],
    ])  # fmt: skip


def prose(w: Words) -> Document:
    """A few plain sentences."""
    sentences = [
        lambda: f"On {_date(w)}, {w.pick(EN_NAMES)} went to {_place(w)}.", lambda: f"The {w.pick(EN_GOODS)} were {w.pick(EN_ADJ)} and {w.pick(EN_ADJ)}.",
        lambda: f"{w.pick(EN_NAMES)} paid {_price(w)} for the {w.pick(EN_GOODS)}.", lambda: f"There is a {w.pick(EN_ADJ)} {w.pick(EN_PLACES)} in {w.latin()}.",
        lambda: f"{w.pick(EN_NAMES)} and {w.pick(EN_NAMES)} talked about the {w.pick(EN_ADJ)} {w.pick(EN_GOODS)}.", lambda: _fact(w)[2],
        lambda: f"It was a {w.pick(EN_ADJ)} day, and the {w.pick(EN_PLACES)} was {w.pick(EN_ADJ)}.",
    ]  # fmt: skip
    return " ".join(w.random.choice(sentences)() for _ in range(w.random.randint(2, 8)))


def support(w: Words) -> Document:
    """A customer asks, the shop answers politely."""
    goods, number, days, price = (
        w.pick(EN_GOODS),
        f"{w.pick(list('ABCDEFGH'))}-{w.random.randint(1000, 99999)}",
        w.number(3, 60),
        _price(w),
    )
    return w.random.choice([
        [("user", f"My {goods} have not arrived."), ("assistant", "I am sorry for the trouble. Could you tell me your order number?"),
         ("user", f"It is {number}."), ("assistant", f"Thank you. I will look up order {number} for you.")],
        [("system", f"Shipping costs {price}. Returns are accepted within {days} days."), ("user", "How much is shipping?"), ("assistant", f"Shipping costs {price}."),
         ("user", "Can I return something?"), ("assistant", f"Yes, returns are accepted within {days} days.")],
        [("user", f"The {goods} were broken."), ("assistant", f"I am very sorry. We will send you new {goods} at once.")],
    ])  # fmt: skip


GENERATORS: list[tuple[float, Callable[[Words], Document]]] = [
    (6, fact_in_context), (1, reworded), (1, well_known), (1, unknown), (1.2, talk), (3, task), (2, prose), (1, support),
]  # fmt: skip
