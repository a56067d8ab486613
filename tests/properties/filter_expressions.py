"""Expressions to try on the filter: of its grammar, damaged ones, and what an attacker would type. Seeded."""

from pathlib import Path
from random import Random

from billing_pipeline.charges.columns import COLUMNS, Column

TEXTS = ["Acme", "it''s", "", "%", "_", "Ünïcödé ☃", "\u2019 OR 1=1", "a\\b", "\u202eevil", "0", "NULL", "x" * 300]
DAYS = ["2026-10-05", "0001-01-01", "9999-12-31"]
NUMBERS = ["0", "1", "-1", "10.5", ".5", "5.", "99999999999999", "0.000000000000000001"]
COMPARISONS = ["=", "<>", "!=", "<", "<=", ">", ">="]

# One a line. None may read a file, a setting, another table or the catalog, run a statement, or call anything.
HOSTILE = [
    *Path(__file__).with_name("hostile_expressions.txt").read_text(encoding="utf-8").splitlines(),
    "\x00", "customer = '\x00'", "customer\u00a0= 'a'", "\ufeffcustomer = 'a'",
]  # fmt: skip
FRAGMENTS = [
    *(column.name for column in COLUMNS),
    *(f'"{column.header}"' for column in COLUMNS),
    *COMPARISONS,
    *"and or not in ( ) , like ilike escape between is null 'a' '2026-10-05' 5 -1.5 1e9 ; -- /* */ select from".split(),  # noqa: SIM905
    *"secrets union :: int cast read_csv exists case when then end ? $1 true || + [ ] { } -> . : ' \" \\ ä".split(),  # noqa: SIM905
    *"lambda over filter interval * % @ # ~ ! & | ^".split(),  # noqa: SIM905
    "\n", "\t", "\x00", "\u200b", "\U0001d518",
]  # fmt: skip


def any_expression(random: Random) -> str:
    """One expression: a fifth is well formed, the rest is damaged, hostile, or noise."""
    makers = (valid, damaged, damaged, hostile, noise)
    return random.choice(makers)(random)


def valid(random: Random, depth: int = 0) -> str:
    if depth > 4 or random.random() < 0.45:
        return _condition(random)
    inner = valid(random, depth + 1)
    other = valid(random, depth + 1)
    return random.choice(
        [
            f"not {inner}",
            f"({inner})",
            f"{inner} and {other}",
            f"{inner} or {other}",
            f"({inner} or {other})",
            f"NOT ({inner})",
        ]
    )


def damaged(random: Random) -> str:
    text = list(valid(random))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        change = random.randrange(4)
        if change == 0:
            text[place:place] = random.choice(FRAGMENTS)
        elif change == 1:
            del text[place : place + random.randint(1, 6)]
        elif change == 2:
            text[place : place + 1] = random.choice(FRAGMENTS)
        else:
            text[place:place] = f" {random.choice(FRAGMENTS)} "
    return "".join(text)


def hostile(random: Random) -> str:
    text = random.choice(HOSTILE)
    around = random.randrange(6)
    if around == 0:
        return f"{valid(random)} {random.choice(['and', 'or'])} {text}"
    if around == 1:
        return f"({text})"
    if around == 2:
        return f"not ({text}) or {valid(random)}"
    if around == 3:
        return text.replace(" ", random.choice(["\n", "\t", "/**/", "  ", "\u00a0"]))
    if around == 4:
        opening, closing = random.choice(
            [("(", ")"), ("not (", ")"), ("cast(", " as int)"), ("[", "]"), ("f(", ")"), ("case ", "")]
        )
        times = random.choice([2, 12, 30, 300])
        return opening * times + text + closing * times
    return text


def noise(random: Random) -> str:
    if random.random() < 0.2:
        return "".join(
            chr(random.choice([random.randrange(32, 127), random.randrange(0x2FFF)]))
            for _ in range(random.randint(0, 40))
        )
    words = [random.choice(FRAGMENTS) for _ in range(random.randint(1, 14))]
    return random.choice([" ", "", " "]).join(words)


def _condition(random: Random) -> str:
    column = random.choice(COLUMNS)
    name = random.choice([column.name, f'"{column.header}"', column.name.upper()])
    value, other = _value(random, column), _value(random, column)
    comparison = random.choice(COMPARISONS)
    forms = [
        f"{name} {comparison} {value}",
        f"{value} {comparison} {name}",
        f"{name} is null",
        f"{name} is not null",
        f"{name} in ({value}, {other})",
        f"{name} not in ({value})",
        f"{name} between {value} and {other}",
    ]
    if column.kind == "text":
        forms += [
            f"{name} like {value}",
            f"{name} not ilike {value}",
            f"{name} like {value} escape '!'",
            f"{name} = customer",
        ]
    return random.choice(forms)


def _value(random: Random, column: Column) -> str:
    if column.kind == "text":
        return f"'{random.choice(TEXTS)}'"
    return f"'{random.choice(DAYS)}'" if column.kind == "date" else random.choice(NUMBERS)


def any_column_filter(random: Random) -> str:
    """One filter of one column: half of them well formed."""
    column = random.choice(COLUMNS)
    name = random.choice([column.header, column.name, f" {column.header.upper()} "])
    operator = random.choice(["=", "!=", "~", "!~"] if column.kind == "text" else ["=", "!="])
    values = {"text": TEXTS, "date": [*DAYS, "2026-10", "2026-13"]}.get(column.kind, NUMBERS)
    pieces = []
    for _ in range(random.randint(1, 3)):
        low, high = random.choice(values), random.choice(values)
        pieces.append(random.choice([low, f"{low}..{high}", f"..{high}", ""]))
    text = f"{name}{operator}{'|'.join(pieces)}"
    if random.random() < 0.5:
        return text
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice([*FRAGMENTS, *HOSTILE]) + text[place + random.randrange(3) :]
