"""The user's contract, tests/spec/api.md, as data: what each call takes and answers, with its examples."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "spec" / "api.md"
_PLACEHOLDER = re.compile(r"<(?:int:)?(\w+)>")
_CALL = re.compile(
    r"\*\*Endpoint:\*\* `(?P<method>[A-Z]+) (?P<path>[^`]+)`(?P<rest>.*?)(?=\n#{2,4} |\Z)", re.DOTALL
)
_EVENT = re.compile(r"\*\*Event:\*\* `(?P<name>\w+)`(?P<rest>.*?)(?=\n#{2,4} |\Z)", re.DOTALL)
_EXAMPLE = re.compile(r"\*\*(?P<kind>Параметры|Ответ|Данные):\*\*\s*```json\n(?P<json>.*?)```", re.DOTALL)
_QUERY = re.compile(r"^- `(\w+)` \(опционально\)", re.MULTILINE)
# The document writes types where it describes the log-in, which JSON does not know.
_TYPES = {"string": "text", "boolean": True}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `sent` and `answer` are the examples, None where the contract shows none."""

    method: str
    path: str
    query: tuple[str, ...]
    sent: dict[str, Any] | None
    answer: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Return what tests call it."""
        return f"{self.method} {self.path}"


@cache
def calls() -> dict[str, Call]:
    """Return every call of the contract by method and path, paths as OpenAPI writes them."""
    found = [_call(match) for match in _CALL.finditer(FILE.read_text())]
    return {call.name: call for call in found}


@cache
def events() -> dict[str, dict[str, Any]]:
    """Return the examples of the events of the live channel by name."""
    text = FILE.read_text()
    return {match["name"]: next(iter(_examples(match["rest"]).values())) for match in _EVENT.finditer(text)}


def differences(example: Any, answer: Any, where: str = "$") -> list[str]:
    """Say where an answer lacks a key of the example or has another type; more keys are allowed.

    An example's list stands for any number of such items; null is left to the caller to allow.
    """
    if isinstance(example, dict):
        if not isinstance(answer, dict):
            return [f"{where}: {answer!r} is no object"]
        lacking = [f"{where}.{key}: missing" for key in example if key not in answer]
        shared = [key for key in example if key in answer]
        return lacking + [
            d for key in shared for d in differences(example[key], answer[key], f"{where}.{key}")
        ]
    if isinstance(example, list):
        if not isinstance(answer, list):
            return [f"{where}: {answer!r} is no list"]
        return [d for at, item in enumerate(answer) for d in differences(example[0], item, f"{where}[{at}]")]
    if type(example) is not type(answer):
        return [f"{where}: {answer!r} is no {type(example).__name__}"]
    return _format_differences(example, answer, where)


_FORMATS = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "colour": re.compile(r"#[0-9a-f]{6}"),
}


def _format_differences(example: Any, answer: Any, where: str) -> list[str]:
    if not isinstance(example, str):
        return []
    wanted = [name for name, pattern in _FORMATS.items() if pattern.fullmatch(example)]
    return [f"{where}: {answer!r} is no {name}" for name in wanted if not _FORMATS[name].fullmatch(answer)]


def _call(match: re.Match[str]) -> Call:
    examples = _examples(match["rest"])
    return Call(
        method=match["method"],
        path=_PLACEHOLDER.sub(r"{\1}", match["path"]),
        query=tuple(_QUERY.findall(match["rest"])),
        sent=examples.get("Параметры"),
        answer=examples.get("Ответ"),
    )


def _examples(text: str) -> dict[str, dict[str, Any]]:
    found = {match["kind"]: json.loads(match["json"]) for match in _EXAMPLE.finditer(text)}
    if "username" in found.get("Параметры", {}):
        found["Параметры"] = {key: _TYPES[kind] for key, kind in found["Параметры"].items()}
    return found
