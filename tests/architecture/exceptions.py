"""The listed exceptions from the budgets of the house, each by name and with its reason; an unused one fails."""

from __future__ import annotations

# "<file>" -> why it may be longer than 600 lines
LONG_FILES: dict[str, str] = {}

# "<file>:<function>" -> (lines it may have, why)
LONG_FUNCTIONS: dict[str, tuple[int, str]] = {}

# "<file>:<function>" -> why it may have more than 8 parameters
MANY_PARAMETERS: dict[str, str] = {
    "services/evaluate.py:evaluate": "the public function of a verb: every option of `llmlora evaluate`",
    "services/evaluate.py:plan_evaluation": "the same options, checked before anything is written",
    "services/export.py:export_model": "the public function of a verb: every option of `llmlora export`",
    "services/export.py:plan_export": "the same options, checked before anything is written",
    "services/train.py:train": "the public function of a verb has what the verb has: every option of `llmlora train`",
}

# "<file>:<function>" -> why it may nest deeper than 3
DEEP_NESTING: dict[str, str] = {}

# "<file>" -> why it may load modules by name or inside functions
LATE_IMPORTS: dict[str, str] = {
    "__init__.py": "the lazy public API (PEP 562)",
    "__main__.py": "a stop while the command line is loading must be quiet",
    "cli/main.py": "the table of verbs: one call loads one verb",
    "engine/nf4_matrix.py": "bitsandbytes is optional: only a GPU needs it, and its import takes a second",
    "store/opening.py": "Alembic is loaded only where a schema is old, not at every start",
    "worker/frame.py": "the table of worker kinds: one process loads one kind",
}

# "<file>" -> why it may catch any exception although it is no edge
BROAD_EXCEPT: dict[str, str] = {
    "services/queue_supervisor.py": "whatever goes wrong with one job, the others are looked after; it is logged",
    "services/supervisor.py": "what a caller's on_event raises must not stop the work; it is raised again at its end",
    "engine/small_model.py": "a model's code raises whatever it likes under a layout it does not know",
    "engine/trackers.py": "trackers raise whatever they like, and must not end a training run",
}

# "<file>" -> why it holds Japanese text that is not in the locales
JAPANESE_DATA: dict[str, str] = {
    "cli/help_page.py": "signs that may not begin a line",
    "data/fields.py": "column names that files use",
    "data/header.py": "column names that files use",
    "data/preference.py": "column names that files use",
    "data/japanese.py": "endings that tell polite from plain style",
    "evaluation/facts/amounts.py": "words that make a number an amount",
    "data/asked.py": "labels of text rows",
    "data/raw_text.py": "how questions, answers and headings are marked in texts",
    "evaluation/measuring/control_questions.py": "names that nothing has, and how a model says that it does not know",
    "evaluation/facts/extract.py": "digits and letters that may not touch a fact",
    "evaluation/facts/moments.py": "how dates, times and durations are written",
    "evaluation/facts/names.py": "endings of names",
    "evaluation/facts/numerals.py": "kanji numerals",
    "evaluation/measuring/ladder.py": "what a prompt says in front of Japanese questions",
    "evaluation/measuring/safety.py": "how an answer declines, and whom it sends the asker to",
    "evaluation/measuring/questions.py": "rule-made rewrites of a question",
    "evaluation/facts/units.py": "units",
}

# "<key>" or "<prefix>.*" -> how a text is used where the check cannot see it
TEXTS_USED_ELSEWHERE: dict[str, str] = {
    "api.route.*": "the page of the API that docs/generate.py writes",
    "api.sample.*": "the end of the key is the name of a bundled file",
    "api.value.*": "the end of the key is pydantic's name for what is wrong with a value",
    "config.*": "the page of settings that docs/generate.py writes",
    "cli.limit.*": "the end of the key is pydantic's name for what is wrong with a value",
}
