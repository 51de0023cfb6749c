"""Reading a page's key and raters' answers, neither of which is trusted."""

import json
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr  # of what strangers wrote: cut to a length that fits a line
from typing import Any

from jaxsr.errors import InputError
from jaxsr.mos.page import ANSWERS_FORMAT, KEY_FORMAT


@dataclass(frozen=True)
class Key:
    """What the ids of one page stand for.

    Attributes:
      page: the id of the page.
      methods: the method of each id.
    """

    page: str
    methods: dict[str, str]


@dataclass(frozen=True)
class Answers:
    """One rater's scores, 1 to 5, by id; some pictures may lack one."""

    rater: str
    scores: dict[str, int]


def read_key(path: Path) -> Key:
    """Reads the key that `make_page` wrote beside its page.

    Raises:
      InputError: for a file that is no key.
    """
    value = _read(path, KEY_FORMAT, "key of `jaxsr mos make`")
    page, stimuli = value.get("page"), value.get("stimuli")
    if not isinstance(page, str) or not isinstance(stimuli, dict) or not stimuli:
        raise InputError(f"{path}: a key without its page or its pictures; use the one made")
    methods: dict[str, str] = {}
    for name, stimulus in stimuli.items():
        method = stimulus.get("method") if isinstance(stimulus, dict) else None
        if not isinstance(method, str):
            raise InputError(
                f"{path}: does not say which method made {repr(name)}; use the one made"
            )
        methods[name] = method
    return Key(page, methods)


def read_answers(path: Path, key: Key) -> Answers:
    """Reads the file that one rater saved.

    Raises:
      InputError: for what is no answers file, answers to another page, an unknown picture, one
        rated twice, a score that is not a whole number from 1 to 5, no rater, no score at all.
    """
    value = _read(path, ANSWERS_FORMAT, "answers file of a rating page")
    rater, rows = value.get("rater"), value.get("answers")
    if value.get("page") != key.page:
        raise InputError(
            f"{path}: answers page {repr(value.get('page'))}, the key is of {key.page}"
        )
    if not isinstance(rater, str) or not rater.strip():
        raise InputError(f"{path}: does not say who rated; ask for the file as the page saved it")
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{path}: holds no scores; leave it out")
    scores: dict[str, int] = {}
    for i, row in enumerate(rows, 1):
        name, score = (row.get("id"), row.get("score")) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or name not in key.methods:
            raise InputError(f"{path}: answer {i} is to picture {repr(name)}, which the page lacks")
        if name in scores:
            raise InputError(f"{path}: answer {i} rates picture {repr(name)} a second time")
        if type(score) is not int or not 1 <= score <= 5:
            raise InputError(f"{path}: answer {i} is {repr(score)}, not a whole number from 1 to 5")
        scores[name] = score
    return Answers(rater.strip(), scores)


def _read(path: Path, kind: str, described: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except (ValueError, RecursionError):  # also bytes that are no UTF-8
        raise InputError(f"{path}: is no JSON; give the {described}") from None
    if not isinstance(value, dict) or value.get("format") != kind:
        raise InputError(f"{path}: is no {described} ('format' is not '{kind}')")
    return value
