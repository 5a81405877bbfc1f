"""Where each key of the configuration comes from: a line of the file, or a variable of the environment."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from storage.toml_lines import Keys, begun_at, lines_of


@dataclass(frozen=True, slots=True)
class Origins:
    """The file with its text, and the variables that were laid over it, by the keys that they set."""

    path: Path | str
    text: str = ""
    variables: dict[Keys, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.path)

    def fault(self, keys: Keys, text: str) -> str:
        """Return a complaint with its place: the file and the line, else the variable.

        The line is that of the key, of its table where the key is missing; none where both are.
        """
        within = [keys[:end] for end in range(len(keys), 0, -1)]
        if variable := next((self.variables[part] for part in within if part in self.variables), ""):
            return f"environment: {variable}: {text}"
        lines = lines_of(self.text)
        line = next((lines[part] for part in within if part in lines), None)
        return f"{self.path}: {text}" + (f" (at line {line})" if line else "")

    def first_given(self, *keys: Keys) -> Keys:
        """Return the first of these keys that is given, else the first: the others have their defaults."""
        lines = lines_of(self.text)
        return next((one for one in keys if one in self.variables or one in lines), keys[0])

    def fault_named(self, table: Keys, text: str) -> str:
        """Return a complaint about a table, with the place of the key that it names."""
        known = {str(keys[-1]) for keys in (*self.variables, *lines_of(self.text)) if keys[:-1] == table}
        named = next((word for word in re.findall(r"\w+", text) if word in known), None)
        return self.fault(table if named is None else (*table, named), text)

    def broken(self, error: tomllib.TOMLDecodeError) -> str:
        """Return what is wrong with a text that is no TOML, with key and line."""
        said = str(error)
        last = self.text.rstrip("\n").count("\n") + 1
        found = re.search(r"\(at line (\d+)", said)
        line, keys = begun_at(self.text, int(found[1]) if found else last)
        key = ".".join(map(str, keys))
        place = "" if found and int(found[1]) == line else f", begun at line {line}"
        return f"{self.path}: is not valid TOML: {key + ': ' if key else ''}{said}{place}"
