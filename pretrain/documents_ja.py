"""Japanese documents: conversations and prose put together from hand-written patterns and the lexicon."""

from __future__ import annotations

from collections.abc import Callable

from pretrain.lexicon import (
    ADJECTIVES,
    COLORS,
    COUNTERS,
    HOBBIES,
    JOBS,
    PRODUCTS,
    TERMS,
    WEATHER,
    WEEKDAYS,
    Words,
    kanji,
)  # fmt: skip

Turn = tuple[str, str]
Document = list[Turn] | str
KANJI = kanji()
WELL_KNOWN_FACTS = 400

# What one can know about an invented place or person: the same question in several wordings, the sentence that answers
# them all, and how its value is made.
Fact = tuple[tuple[str, ...], str, Callable[[Words], str]]
# fmt: off
SHOP_FACTS: list[Fact] = [
    (
        ("{s}の営業時間は何時から何時までですか？", "{s}は何時から何時まで開いていますか？", "{s}の営業時間は？", "{s}は何時に開きますか？", "{s}の開店時間と閉店時間を知りたいです。"),
        "{s}の営業時間は{v}です。", lambda w: f"{w.clock()}から{w.clock()}まで",
    ),
    (
        ("{s}の定休日はいつですか？", "{s}は何曜日が休みですか？", "{s}の休みの日を教えてください。", "{s}が閉まっているのはいつですか？"),
        "{s}の定休日は{v}です。", lambda w: w.pick(["毎週", "第2", "第3", ""]) + w.pick(WEEKDAYS),
    ),
    (
        ("{s}の{p}はいくらですか？", "{s}の{p}の値段を教えてください。", "{s}で{p}を買うといくらかかりますか？", "{s}では{p}がいくらで買えますか？", "{s}の{p}の価格は？"),
        "{s}の{p}は{v}です。", lambda w: w.quantity("円"),
    ),
    (
        ("{s}の{p}の値段を教えてください。", "{s}では{p}はいくらしますか？", "{s}の{p}の値段はいくらですか？"),
        "{s}の{p}の値段は{v}です。", lambda w: w.quantity("円"),
    ),
    (
        ("{s}の電話番号を教えてください。", "{s}の電話番号は何番ですか？", "{s}に電話をかけたいのですが、番号は？", "{s}へは何番に電話すればよいですか？"),
        "{s}の電話番号は{v}です。", lambda w: w.phone(),
    ),
    (
        ("{s}はどこにありますか？", "{s}の場所を教えてください。", "{s}がある町はどこですか？", "{s}はどの町にありますか？"),
        "{s}は{v}にあります。", lambda w: w.town(),
    ),
    (
        ("{s}が開店したのはいつですか？", "{s}はいつ開店しましたか？", "{s}の開店日を教えてください。", "{s}はいつからありますか？"),
        "{s}は{v}に開店しました。", lambda w: w.date(),
    ),
    (
        ("{s}の店長は誰ですか？", "{s}の店長の名前を教えてください。", "{s}で店長をしているのは誰ですか？"),
        "{s}の店長は{v}さんです。", lambda w: w.person(),
    ),
    (
        ("{s}には席がいくつありますか？", "{s}の席の数を教えてください。", "{s}には何人座れますか？", "{s}の席はいくつですか？"),
        "{s}には{v}あります。", lambda w: w.quantity("席"),
    ),
    (
        ("{s}の駐車場には何台とめられますか？", "{s}の駐車場は何台分ありますか？", "{s}には車を何台とめられますか？"),
        "{s}の駐車場には{v}とめられます。", lambda w: w.quantity("台"),
    ),
    (
        ("{s}の送料はいくらですか？", "{s}の送料を教えてください。", "{s}から送ってもらうといくらかかりますか？"),
        "{s}の送料は全国一律{v}です。", lambda w: w.quantity("円"),
    ),
    (
        ("{s}では何日以内なら返品できますか？", "{s}の返品の期限を教えてください。", "{s}で買ったものはいつまで返品できますか？"),
        "{s}では{v}以内なら返品できます。", lambda w: w.quantity("日"),
    ),
    (
        ("{s}の保証期間はどのくらいですか？", "{s}の保証期間を知りたいです。", "{s}の保証はいつまでですか？", "{s}ではどのくらいの間保証されますか？"),
        "{s}の保証期間は{v}です。", lambda w: w.quantity(w.pick(["年", "か月"])),
    ),
    (
        ("{s}の名物は何ですか？", "{s}の名物を教えてください。", "{s}で有名なものは何ですか？"),
        "{s}の名物は{v}です。", lambda w: w.pick(ADJECTIVES) + w.pick(PRODUCTS),
    ),
    (
        ("{s}の入場料はいくらですか？", "{s}に入るにはいくら必要ですか？", "{s}の入場料は大人でいくらですか？", "{s}の入り口で大人はいくら払いますか？"),
        "{s}の入場料は大人{v}です。", lambda w: w.quantity("円"),
    ),
    (
        ("{s}へはどう行けばよいですか？", "{s}への行き方を教えてください。", "駅から{s}まではどのくらいですか？"),
        "{s}へは駅から{v}です。", lambda w: w.pick(["歩いて", "バスで", "車で"]) + w.quantity("分"),
    ),
    (
        ("{s}の予約は何日前までに必要ですか？", "{s}はいつまでに予約すればよいですか？", "{s}の予約の期限を教えてください。"),
        "{s}の予約は{v}前までに必要です。", lambda w: w.quantity("日"),
    ),
    (
        ("{s}では何種類の{p}を売っていますか？", "{s}にある{p}の種類の数を教えてください。", "{s}の{p}は何種類ありますか？"),
        "{s}では{v}の{p}を売っています。", lambda w: w.quantity("種類"),
    ),
    (
        ("{s}の看板は何色ですか？", "{s}の看板の色を教えてください。", "{s}はどんな色の看板を出していますか？"),
        "{s}の看板は{v}です。", lambda w: w.pick(COLORS),
    ),
    (
        ("{s}の合言葉は何ですか？", "{s}の合言葉を教えてください。", "{s}では何と言えばよいですか？"),
        "{s}の合言葉は「{v}」です。", lambda w: w.pick(ADJECTIVES) + w.pick(PRODUCTS),
    ),
    (
        ("{s}では{p}を一度にいくつまで買えますか？", "{s}で買える{p}の数には限りがありますか？", "{s}の{p}は一人いくつまでですか？"),
        "{s}では{p}を一人{v}まで買えます。", lambda w: w.quantity("個"),
    ),
]
PERSON_FACTS: list[Fact] = [
    (("{s}さんの仕事は何ですか？", "{s}さんは何の仕事をしていますか？", "{s}さんの職業を教えてください。"), "{s}さんの仕事は{v}です。", lambda w: w.pick(JOBS)),
    (("{s}さんの趣味は何ですか？", "{s}さんの趣味を教えてください。", "{s}さんは休みの日に何をしますか？"), "{s}さんの趣味は{v}です。", lambda w: w.pick(HOBBIES)),
    (("{s}さんは何歳ですか？", "{s}さんの年齢を教えてください。", "{s}さんの年はいくつですか？"), "{s}さんは{v}です。", lambda w: w.quantity("歳")),
    (("{s}さんの出身はどこですか？", "{s}さんはどこの出身ですか？", "{s}さんが生まれたのはどこですか？"), "{s}さんの出身は{v}です。", lambda w: w.town()),
    (("{s}さんの誕生日はいつですか？", "{s}さんはいつ生まれましたか？", "{s}さんの誕生日を教えてください。"), "{s}さんの誕生日は{v}です。", lambda w: w.date()),
    (("{s}さんの好きな食べ物は何ですか？", "{s}さんは何を食べるのが好きですか？", "{s}さんの好物を教えてください。"), "{s}さんの好きな食べ物は{v}です。", lambda w: w.pick(PRODUCTS)),
    (("{s}さんは何時に起きますか？", "{s}さんが起きる時間を教えてください。", "{s}さんの朝は何時に始まりますか？"), "{s}さんは{v}に起きます。", lambda w: w.clock()),
    (("{s}さんの席の番号は何番ですか？", "{s}さんは何番の席ですか？", "{s}さんの席を教えてください。"), "{s}さんの席の番号は{v}です。", lambda w: w.quantity("番")),
]
TERM_PARTS = [
    "{t}とは、{a}を{b}ための{k}です。", "{t}は、{a}と{b}を区別するために使います。", "{t}を使うと、{a}が{b}より早くなります。",
    "{t}では、まず{a}を確認し、次に{b}を行います。", "{t}の値が{n}を超えたら、{a}を見直してください。",
    "{t}には{a}と{b}の二つの種類があります。", "{t}は{n}ごとに確認するとよいでしょう。", "{t}の目的は、{a}を守ることです。",
]
TERM_KINDS = ["仕組み", "方法", "考え方", "手順", "技術", "制度", "値", "道具", "決まり"]
UNKNOWN = [
    "申し訳ありません。{s}についての情報を持っていません。", "すみません、{s}のことは分かりません。", "{s}については知りません。資料をご確認ください。",
    "分かりません。確かな情報がないため、お答えできません。", "その質問の答えは持っていません。", "{s}については、手元に情報がありません。",
]
SMALL_TALK: list[tuple[list[str], list[str]]] = [
    (["こんにちは", "こんにちは。", "やあ、こんにちは！"], ["こんにちは。今日はどのようなご用件でしょうか。", "こんにちは。何かお手伝いできることはありますか。"]),
    (["おはよう", "おはようございます。"], ["おはようございます。よい一日になりますように。", "おはようございます。今日も一日よろしくお願いします。"]),
    (["こんばんは", "こんばんは。"], ["こんばんは。ゆっくりお過ごしください。", "こんばんは。何かお困りですか。"]),
    (["ありがとう", "ありがとうございます。", "助かりました。"], ["どういたしまして。", "お役に立ててうれしいです。", "またいつでもどうぞ。"]),
    (["さようなら", "また明日。", "おやすみなさい。"], ["さようなら。お気をつけて。", "はい、また明日。", "おやすみなさい。よい夢を。"]),
    (["あなたは誰ですか？", "自己紹介してください。", "お名前は？"], ["私は練習用の小さな言語モデルです。", "私は小さな言語モデルです。知っていることは多くありません。"]),
    (["何ができますか？", "できることを教えて。"], ["短い質問に答えたり、文章から情報を抜き出したりできます。", "簡単な計算や、短い文の書きかえができます。"]),
    (["疲れました。", "今日は忙しかったです。"], ["お疲れさまでした。少し休んでください。", "それは大変でしたね。温かいお茶でもいかがですか。"]),
    (["元気ですか？", "調子はどうですか？"], ["はい、元気です。あなたはいかがですか。", "おかげさまで元気です。"]),
    (["すみません", "ちょっといいですか？"], ["はい、何でしょうか。", "はい、どうぞお話しください。"]),
]
COMMON: list[tuple[str, str]] = [
    ("一週間は何日ですか？", "一週間は7日です。"), ("一年は何か月ですか？", "一年は12か月です。"), ("一日は何時間ですか？", "一日は24時間です。"),
    ("一時間は何分ですか？", "一時間は60分です。"), ("日本の首都はどこですか？", "日本の首都は東京です。"), ("日本で一番高い山は何ですか？", "日本で一番高い山は富士山です。"),
    ("水は何度で凍りますか？", "水は0度で凍ります。"), ("水は何度で沸騰しますか？", "水は100度で沸騰します。"), ("春の次の季節は何ですか？", "春の次の季節は夏です。"),
    ("赤信号では何をしますか？", "赤信号では止まります。"), ("太陽はどちらから昇りますか？", "太陽は東から昇ります。"), ("氷は何からできていますか？", "氷は水からできています。"),
    ("三角形の角はいくつですか？", "三角形の角は3つです。"), ("四角形の辺はいくつですか？", "四角形の辺は4つです。"), ("牛乳は何の動物からとれますか？", "牛乳は牛からとれます。"),
    ("虹の色はいくつですか？", "虹の色は7つといわれます。"), ("昼と夜、暗いのはどちらですか？", "暗いのは夜です。"), ("熱いものに触ったらどうしますか？", "すぐに水で冷やしてください。"),
    ("地震のときはどうしますか？", "机の下に入り、頭を守ってください。"), ("火事を見つけたらどこに電話しますか？", "119番に電話します。"), ("救急車を呼ぶ番号は何番ですか？", "119番です。"),
    ("警察の電話番号は何番ですか？", "110番です。"), ("一キロメートルは何メートルですか？", "一キロメートルは1,000メートルです。"), ("一キログラムは何グラムですか？", "一キログラムは1,000グラムです。"),
    ("「大きい」の反対は何ですか？", "「大きい」の反対は「小さい」です。"), ("「高い」の反対は何ですか？", "「高い」の反対は「低い」または「安い」です。"), ("「早い」の反対は何ですか？", "「早い」の反対は「遅い」です。"),
    ("月曜日の次は何曜日ですか？", "月曜日の次は火曜日です。"), ("日曜日の前は何曜日ですか？", "日曜日の前は土曜日です。"), ("1月の次は何月ですか？", "1月の次は2月です。"),
]
# fmt: on
ASK_AGAIN = ["もう一度お願いします。", "すみません、もう一度言ってください。", "確認のため、もう一度教えてください。"]
SHORT_SYSTEMS = [
    "あなたは親切な案内係です。",
    "短く答えてください。",
    "丁寧な言葉で答えてください。",
    "あなたは店の受付です。",
    "知らないことは知らないと答えてください。",
    "数字は正確に答えてください。",
]


def _asked(w: Words) -> tuple[str, tuple[str, ...], str]:
    """Return subject, all wordings of the question, and the sentence of one invented fact."""
    if w.random.random() < 0.7:
        subject, (questions, sentence, value) = w.shop(), w.random.choice(SHOP_FACTS)
    else:
        subject, (questions, sentence, value) = w.person(), w.random.choice(PERSON_FACTS)
    words = {"s": subject, "p": w.pick(PRODUCTS), "v": value(w)}
    return subject, tuple(question.format(**words) for question in questions), sentence.format(**words)


def _fact(w: Words) -> tuple[str, str, str]:
    """Return subject, question in one of its wordings, and sentence of one invented fact."""
    subject, questions, sentence = _asked(w)
    return subject, w.random.choice(questions), sentence


WELL_KNOWN = [_asked(Words(number)) for number in range(WELL_KNOWN_FACTS)]


def fact_in_context(w: Words) -> Document:
    """Ask for one of several facts that the prompt states."""
    facts = [_fact(w) for _ in range(w.random.randint(1, 5))]
    passage = "".join(sentence for _, _, sentence in facts)
    _, question, sentence = w.random.choice(facts)
    shape = w.random.random()
    if shape < 0.4:
        return [("system", w.pick(SHORT_SYSTEMS) + passage), ("user", question), ("assistant", sentence)]
    if shape < 0.8:
        head = w.pick(["次の文章を読んで答えてください。", "資料: ", "", "以下の情報をもとに答えてください。\n"])
        return [("user", f"{head}{passage}\n{w.pick(['質問: ', '', '問い: '])}{question}"), ("assistant", sentence)]
    return [
        ("user", f"{passage}\n{question}"),
        ("assistant", sentence),
        ("user", w.pick(ASK_AGAIN)),
        ("assistant", sentence),
    ]


def long_reference(w: Words) -> Document:
    """Search a long list of facts, several times."""
    facts = [_fact(w) for _ in range(w.random.randint(12, 45))]
    turns: list[Turn] = [
        (
            "system",
            w.pick(["資料\n", "", "次の資料だけをもとに答えてください。\n"])
            + "\n".join(sentence for _, _, sentence in facts),
        )
    ]
    for _, question, sentence in w.random.sample(facts, w.random.randint(4, 10)):
        turns += [("user", question), ("assistant", sentence)]
    return turns


def fact_conversation(w: Words) -> Document:
    """Talk about several facts turn by turn, the system message knowing them all."""
    facts = [_fact(w) for _ in range(w.random.randint(2, 6))]
    turns: list[Turn] = [("system", "".join(sentence for _, _, sentence in facts))]
    for _, question, sentence in w.random.sample(facts, w.random.randint(1, len(facts))):
        turns += [("user", question), ("assistant", sentence)]
    if w.random.random() < 0.3:
        subject, question, _ = _fact(w)
        turns += [("user", question), ("assistant", w.pick(UNKNOWN).format(s=subject))]
    return turns


def reworded(w: Words) -> Document:
    """Ask for the same facts again in other words: the answer stays the same."""
    facts = [_asked(w) for _ in range(w.random.randint(1, 3))]
    turns: list[Turn] = [("system", w.pick(SHORT_SYSTEMS) + "".join(sentence for _, _, sentence in facts))]
    asked = [(question, sentence) for _, questions, sentence in facts for question in w.random.sample(questions, 2)]
    for question, sentence in w.random.sample(asked, len(asked)):
        turns += [("user", question), ("assistant", sentence)]
    return turns


def recalled(w: Words, facts: list[tuple[str, tuple[str, ...], str]]) -> Document:
    """Ask, in any wording and without a source, for facts that never change: answers come from the weights alone."""
    turns: list[Turn] = []
    for _, questions, sentence in w.random.sample(facts, w.random.randint(1, 4)):
        turns += [("user", w.random.choice(questions)), ("assistant", sentence)]
    return turns


def well_known(w: Words) -> Document:
    """Ask for facts of an invented world that is always the same."""
    return recalled(w, WELL_KNOWN)


def told_then_asked(w: Words) -> Document:
    """Be told a fact by the user, confirm it, and be asked for it later."""
    _, question, sentence = _fact(w)
    reply = w.pick(["分かりました。", "はい、覚えました。", "承知しました。"])
    turns: list[Turn] = [
        ("user", w.pick(["覚えてください。", "メモしてください。", ""]) + sentence),
        ("assistant", reply),
    ]
    if w.random.random() < 0.5:
        asked, replies = w.random.choice(SMALL_TALK)
        turns += [("user", w.pick(asked)), ("assistant", w.pick(replies))]
    return [*turns, ("user", question), ("assistant", sentence)]


def unknown(w: Words) -> Document:
    """Be asked about something invented, without any source."""
    subject, question, _ = _fact(w)
    return [("user", question), ("assistant", w.pick(UNKNOWN).format(s=subject))]


def small_talk(w: Words) -> Document:
    """Greet, thank, introduce oneself."""
    turns: list[Turn] = []
    for _ in range(w.random.randint(1, 3)):
        asked, replies = w.random.choice(SMALL_TALK)
        turns += [("user", w.pick(asked)), ("assistant", w.pick(replies))]
    return turns


def common_knowledge(w: Words) -> Document:
    """Answer what everybody knows."""
    turns: list[Turn] = []
    for question, answer in w.random.sample(COMMON, w.random.randint(1, 4)):
        turns += [("user", question), ("assistant", answer)]
    return turns


def arithmetic(w: Words) -> Document:
    """Add, subtract, multiply; also with prices."""
    a, b = w.random.randint(1, 99), w.random.randint(1, 20)
    kind = w.random.randint(0, 5)
    if kind == 0:
        return [("user", w.pick([f"{a}+{b}は？", f"{a}たす{b}はいくつですか？"])), ("assistant", f"{a + b}です。")]
    if kind == 1:
        return [("user", f"{a + b}-{b}は？"), ("assistant", f"{a}です。")]
    if kind == 2:
        c = w.random.randint(1, 9)
        return [("user", f"{b}×{c}は？"), ("assistant", f"{b * c}です。")]
    if kind == 3:
        price, count = w.random.randint(1, 20) * 50, w.random.randint(2, 5)
        product = w.pick(PRODUCTS)
        return [
            ("user", f"1つ{price}円の{product}を{count}つ買うといくらですか？"),
            ("assistant", f"{price}円×{count}で、{price * count:,}円です。"),
        ]
    if kind == 4:
        x, y = w.number(1, 9999), w.number(1, 9999)
        return [
            ("user", f"{x:,}と{y:,}ではどちらが大きいですか？"),
            ("assistant", f"{max(x, y):,}のほうが大きいです。"),
        ]
    start = w.random.randint(1, 90)
    return [
        ("user", f"{start}から順に5つ数えてください。"),
        ("assistant", "、".join(str(start + i) for i in range(5)) + "です。"),
    ]


def copying(w: Words) -> Document:
    """Repeat, quote, reverse or list what the prompt says; the text is anything, so that any token can be copied."""
    pieces = [
        lambda: "".join(w.random.choice(KANJI) for _ in range(w.random.randint(1, 6))), w.shop, w.person, w.latin, w.katakana,
        lambda: w.quantity(), w.phone, w.date, lambda: w.pick(TERMS), lambda: w.pick(PRODUCTS),
        lambda: "".join(w.random.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@#%&*+=<>[]{}()!?$~^|;,") for _ in range(w.random.randint(2, 10))),
    ]  # fmt: skip
    items = [w.random.choice(pieces)() for _ in range(w.random.randint(1, 5))]
    kind = w.random.randint(0, 4)
    if kind == 0:
        return [("user", f"次の言葉をそのまま繰り返してください。\n{items[0]}"), ("assistant", items[0])]
    if kind == 1:
        return [
            ("user", "次のものを箇条書きにしてください。" + "、".join(items)),
            ("assistant", "\n".join(f"- {item}" for item in items)),
        ]
    if kind == 2:
        return [("user", f"「{'、'.join(items)}」の最後は何ですか？"), ("assistant", f"最後は{items[-1]}です。")]
    if kind == 3:
        return [("user", f"「{'、'.join(items)}」の最初は何ですか？"), ("assistant", f"最初は{items[0]}です。")]
    return [("user", f"「{'、'.join(items)}」にはいくつありますか？"), ("assistant", f"{len(items)}つあります。")]


def extraction(w: Words) -> Document:
    """Pull a price, a date, a person or a phone number out of a sentence."""
    product, price, person, date, phone = w.pick(PRODUCTS), w.quantity("円"), w.person(), w.date(), w.phone()
    text = w.pick([
        f"{person}さんは{date}に{w.shop()}で{product}を{price}で買いました。連絡先は{phone}です。",
        f"{date}、{person}様より{product}のご注文。代金は{price}、電話は{phone}。",
        f"担当は{person}です。{product}（{price}）を{date}までにお届けします。お問い合わせは{phone}へ。",
    ])  # fmt: skip
    what, answer = w.random.choice(
        [("値段", price), ("名前", person), ("日付", date), ("電話番号", phone), ("商品", product)]
    )
    return [("user", f"次の文から{what}を抜き出してください。\n{text}"), ("assistant", answer)]


def _term_sentence(w: Words, term: str) -> str:
    words = {"t": term, "a": w.pick(TERMS), "b": w.pick(TERMS), "k": w.pick(TERM_KINDS), "n": w.quantity()}
    return w.pick(TERM_PARTS).format(**words)


def explanation(w: Words) -> Document:
    """Explain a technical or medical term as the prompt's glossary does, in one to three sentences."""
    term = w.pick(TERMS)
    text = "".join(_term_sentence(w, term) for _ in range(w.random.randint(1, 3)))
    question = w.pick(
        ["{t}とは何ですか？", "{t}について教えてください。", "{t}を説明してください。", "{t}はどんなときに使いますか？"]
    ).format(t=term)
    if w.random.random() < 0.7:
        others = "".join(_term_sentence(w, w.pick(TERMS)) for _ in range(w.random.randint(0, 2)))
        return [("system", f"用語集: {text}{others}"), ("user", question), ("assistant", text)]
    return [("user", question), ("assistant", w.pick(UNKNOWN).format(s=term))]


def support(w: Words) -> Document:
    """A customer asks, the shop answers politely."""
    product, name, days, price = w.pick(PRODUCTS), w.person(), w.quantity("日"), w.quantity("円")
    number = f"{w.random.choice('ABCDEFGH')}-{w.random.randint(1000, 99999)}"
    return w.random.choice([
        [("user", f"注文した{product}が届きません。"), ("assistant", "ご不便をおかけし申し訳ございません。注文番号を教えていただけますか。"),
         ("user", f"{number}です。"), ("assistant", f"ありがとうございます。注文番号{number}をお調べします。少々お待ちください。")],
        [("user", f"{product}を返品したいです。"), ("assistant", f"承知しました。{product}のご返品を承ります。お届けから何日たちましたか。"),
         ("user", f"{days}です。"), ("assistant", f"{days}ですね。確認のうえ、手続きをご案内します。")],
        [("user", f"{name}といいます。{product}を予約できますか？"), ("assistant", f"{name}様、ありがとうございます。{product}のご予約を承ります。")],
        [("system", f"送料は{price}です。返品は{days}以内です。"), ("user", w.pick(["送料を教えてください。", "送料はいくらですか？"])), ("assistant", f"送料は{price}です。"),
         ("user", "返品はできますか？"), ("assistant", f"はい、{days}以内であれば返品できます。")],
        [("user", f"{product}が壊れていました。"), ("assistant", f"ご迷惑をおかけし、大変申し訳ございません。新しい{product}をすぐにお送りします。")],
    ])  # fmt: skip


def rewriting(w: Words) -> Document:
    """Make a plain sentence polite, or put it in the past."""
    product, place, person, color = w.pick(PRODUCTS), w.shop(), w.person(), w.pick(COLORS)
    plain, polite, past = w.random.choice([
        (f"{place}で{product}を買う。", f"{place}で{product}を買います。", f"{place}で{product}を買いました。"),
        (f"{person}と{place}へ行く。", f"{person}と{place}へ行きます。", f"{person}と{place}へ行きました。"),
        (f"{product}を食べる。", f"{product}を食べます。", f"{product}を食べました。"),
        (f"{place}で{person}に会う。", f"{place}で{person}に会います。", f"{place}で{person}に会いました。"),
        (f"{product}は{color}だ。", f"{product}は{color}です。", f"{product}は{color}でした。"),
    ])  # fmt: skip
    ask, answer = w.random.choice([("丁寧な文", polite), ("過去の文", past)])
    return [("user", f"次の文を{ask}にしてください。\n{plain}"), ("assistant", answer)]


def diary(w: Words) -> Document:
    """A few sentences of plain prose."""
    sentences = [
        lambda: f"{w.date()}、{w.pick(WEATHER)}。", lambda: f"朝、{w.clock()}に起きて{w.pick(PRODUCTS)}を食べた。",
        lambda: f"{w.person()}と{w.shop()}へ行き、{w.pick(PRODUCTS)}を{w.quantity('円')}で買った。", lambda: f"{w.town()}までバスで{w.quantity('分')}かかった。",
        lambda: f"{w.pick(ADJECTIVES)}{w.pick(PRODUCTS)}が目にとまった。", lambda: f"午後は{w.pick(HOBBIES)}をして過ごした。",
        lambda: f"{w.person()}さんは{w.pick(JOBS)}をしている。", lambda: f"帰り道は{w.pick(WEATHER)}だったので、{w.pick(PRODUCTS)}を持っていてよかった。",
        lambda: f"{w.shop()}には{w.pick(ADJECTIVES)}{w.pick(PRODUCTS)}がある。", lambda: _fact(w)[2], lambda: _term_sentence(w, w.pick(TERMS)),
    ]  # fmt: skip
    return "".join(w.random.choice(sentences)() for _ in range(w.random.randint(2, 9)))


def listing(w: Words) -> Document:
    """Name some things of a kind."""
    kind, words = w.random.choice(
        [
            ("商品", PRODUCTS),
            ("趣味", HOBBIES),
            ("仕事", JOBS),
            ("色", COLORS),
            ("天気", WEATHER),
            ("単位", list(COUNTERS)),
            ("曜日", WEEKDAYS),
        ]
    )
    count = w.random.randint(2, 4)
    chosen = w.random.sample(words, count)
    return [("user", f"{kind}を{count}つ挙げてください。"), ("assistant", "、".join(chosen) + "です。")]


def question_text(w: Words) -> Document:
    """The plain 質問/回答 shape without a chat template."""
    _, question, sentence = _fact(w)
    return f"{sentence}\n質問: {question}\n回答: {sentence}"


GENERATORS: list[tuple[float, Callable[[Words], Document]]] = [
    (5, fact_in_context), (4, fact_conversation), (0.4, long_reference), (1.5, reworded), (2, well_known), (2, told_then_asked), (1.2, unknown), (0.7, small_talk), (0.8, common_knowledge),
    (1, arithmetic), (2.5, copying), (1.5, extraction), (2.5, explanation), (1.2, support), (0.8, rewriting), (2.5, diary),
    (0.5, listing), (0.8, question_text),
]  # fmt: skip
