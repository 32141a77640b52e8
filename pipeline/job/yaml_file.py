"""Reads a YAML file as plain data that JSON can hold, with the line of every key and everything that is wrong."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from maskmill.pipeline.errors import UsageError

Path = tuple[str | int, ...]
MAX_NODES = 100_000
MAX_LEVELS = 100
MAX_SHOWN = 20  # problems in a message
_TOO_DEEP = f"lists and mappings stand in each other more than {MAX_LEVELS} levels deep; use fewer levels"

# Stands for a value that has a problem already: later checks skip it.
UNREADABLE = object()

_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = {
    ScalarNode: {"str", "int", "float", "bool", "null", "timestamp", "binary", "value", "merge"},
    SequenceNode: {"seq", "omap", "pairs"},
    MappingNode: {"map", "set"},
}
# JSON has no form for these: they are kept as the text in the file. (A value `=` or `<<` is text in any case.)
_TEXT_TAGS = {_TAG + name for name in ("timestamp", "binary", "value", "merge", "set")}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the file.

    Attributes:
        line: line in the file, from 1; 0 if the parameters are in no file.
        path: keys that lead to the place; empty for the file as a whole.
        text: what is wrong; what to do.
    """

    line: int
    path: Path
    text: str

    def __str__(self) -> str:
        keys = [f"[{key}]" if isinstance(key, int) else f".{_printable(key)}" for key in self.path]
        place = "".join(keys).removeprefix(".")
        return ": ".join(filter(None, [str(self.line or ""), place, self.text]))


@dataclass(frozen=True)
class YamlTree:
    """A YAML file after reading.

    Attributes:
        document: the file as dicts, lists, strings, numbers, booleans and None; merge keys and aliases are resolved.
        keys: where each key and list item is written, by its path; a merged key has the mark of what it is merged from.
        values: where the value of each is written; one that an alias repeats has the mark of the anchor.
        problems: what is wrong with the file so far; if there are any, the document may hold `UNREADABLE`.
    """

    document: dict[str, Any]
    keys: dict[Path, yaml.Mark]
    values: dict[Path, yaml.Mark]
    problems: list[Problem]

    def line(self, path: Path) -> int:
        """Returns the line, from 1, of a key, or of the nearest section around it; 0 if there is no file."""
        mark = next(self.keys[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.keys)
        return int(mark.line) + 1

    def beside(self, path: Path) -> set[int]:
        """Returns where the keys of a section are written, given one of them, which may be missing."""
        return {mark.index for key, mark in self.keys.items() if key and key[:-1] == path[:-1]}


def load_yaml(text: str, source: str) -> YamlTree:
    """Reads YAML text with the safe loader.

    Args:
        text: content of the file.
        source: name of the file, for messages.

    Returns:
        the tree; its `problems` leave the rest of the file readable.

    Raises:
        UsageError: the text is not YAML, is empty or not a mapping, or its aliases are recursive or expand too far.
    """
    loader, root = _compose(text, source)
    _weigh(root, source, {}, set())
    walk = _Walk(loader, text, keys={(): root.start_mark})
    walk.check(root, ())
    document = walk.build(root, ())
    if not isinstance(document, dict):
        what = f"{shown(document)} is not a mapping; write sections with keys in them"
        raise usage_error(source, walk.problems or [Problem(root.start_mark.line + 1, (), what)])
    return YamlTree(document, walk.keys, walk.places, walk.problems)


def usage_error(source: str, problems: Iterable[Problem]) -> UsageError:
    """Makes one error of all problems: a line each, in the order of the file; above `MAX_SHOWN` only their number."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    lines = [f"{source}:{'' if problem.line else ' '}{problem}" for problem in ordered]
    more = [f"… and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    return UsageError("\n".join(lines[:MAX_SHOWN] + more))


def shown(value: object) -> str:
    """Writes a value for a message: on one line, in ASCII, shortened if it is long."""
    text = json.dumps(value, default=lambda _: "?")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _printable(key: str) -> str:
    return key if key.isprintable() and len(key) <= 60 else shown(key)


def _refused(source: str, line: int, what: str) -> UsageError:
    """Makes the error of a file of which nothing can be used."""
    return usage_error(source, [Problem(line, (), what)])


def _compose(text: str, source: str) -> tuple[yaml.SafeLoader, Node]:
    """Parses the text into nodes, which know their lines."""
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        what = f"the character U+{ord(text[error.position]):04X} cannot stand in YAML; remove it"
        raise _refused(source, text.count("\n", 0, error.position) + 1, what) from error
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise usage_error(source, [_not_yaml(error)]) from error
    except (ValueError, OverflowError) as error:  # from chr(), for an escape such as "\UFFFFFFFF"
        what = "not YAML: an escape in quotes names no character; correct it"
        raise _refused(source, loader.line + 1, what) from error
    except RecursionError as error:
        raise _refused(source, loader.line + 1, _TOO_DEEP) from error
    if root is None:
        raise _refused(source, 1, "the file is empty; write sections with keys in them")
    return loader, root


def _not_yaml(error: yaml.MarkedYAMLError, path: Path = ()) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = f"{error.context}, {error.problem}" if str(error.problem)[:4] == "but " else str(error.problem)
    advice = "indent with spaces, not tabs" if r"'\t'" in what else "correct this line or the one above it"
    return Problem(line, path, f"not YAML at column {column}: {' '.join(what.split())}; {advice}")


def _weigh(node: Node, source: str, known: dict[int, tuple[int, int]], parents: set[int]) -> tuple[int, int]:
    """Counts the nodes and levels below a node as if each alias were written out, without writing it out."""
    if id(node) in parents:
        raise _refused(source, node.start_mark.line + 1, "the value holds itself through an alias; remove the alias")
    if id(node) not in known:
        parents.add(id(node))
        pairs = node.value if isinstance(node, MappingNode) else [node.value]
        children = [] if isinstance(node, ScalarNode) else [child for pair in pairs for child in pair]
        below = [_weigh(child, source, known, parents) for child in children]
        parents.remove(id(node))
        nodes = 1 + sum(count for count, _ in below)
        levels = 1 + max((level for _, level in below), default=0)
        if nodes > MAX_NODES or levels > MAX_LEVELS:
            too_many = f"aliases written out, there are more than {MAX_NODES:,} values; use fewer aliases"
            raise _refused(source, node.start_mark.line + 1, too_many if nodes > MAX_NODES else _TOO_DEEP)
        known[id(node)] = nodes, levels
    return known[id(node)]


@dataclass
class _Walk:
    """Walks over the nodes twice: `check` visits each node once, `build` once for each place where an alias puts it."""

    loader: yaml.SafeLoader
    text: str
    keys: dict[Path, yaml.Mark]
    places: dict[Path, yaml.Mark] = field(default_factory=dict)  # of the values
    problems: list[Problem] = field(default_factory=list)
    values: dict[int, Any] = field(default_factory=dict)  # of the nodes that are single values, by the node's id
    seen: set[int] = field(default_factory=set)

    def check(self, node: Node, path: Path) -> None:
        """Notes what is wrong with a node and those below it, and reads the single values."""
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        if node.tag.removeprefix(_TAG) not in _KNOWN_TAGS[type(node)]:
            tag = _printable(node.tag.replace(_TAG, "!!", 1))
            self.values[id(node)] = self._refuse(node, path, f"the tag {tag} is not allowed; remove it")
        elif node.tag in _TEXT_TAGS:
            whole = self.text[node.start_mark.index : node.end_mark.index].strip()
            self.values[id(node)] = node.value if isinstance(node, ScalarNode) else whole
        elif isinstance(node, ScalarNode):
            self.values[id(node)] = self._single_value(node, path)
        elif isinstance(node, SequenceNode):
            for index, child in enumerate(node.value):
                self.check(child, (*path, index))
        else:
            self._check_mapping(node, path)

    def _check_mapping(self, node: Node, path: Path) -> None:
        first: dict[tuple[str, str], tuple[Node, Node]] = {}
        for pair in node.value:
            key, value = pair
            name = key.value if isinstance(key, ScalarNode) else f"({key.id})"
            earlier = first.setdefault((key.tag, name), pair)
            if key.tag not in (_TAG + "str", _TAG + "merge"):
                advice = f"put it in quotes: {shown(name)}" if isinstance(key, ScalarNode) else "write a string"
                self._refuse(key, (*path, name), f"the key is not a string; {advice}")
            elif earlier is not pair:
                line = earlier[0].start_mark.line + 1
                self._refuse(key, (*path, name), f"given twice, first on line {line}; keep one of the two")
            else:
                self.check(key, (*path, name))
            self.check(value, path if key.tag == _TAG + "merge" else (*path, name))

    def _single_value(self, node: ScalarNode, path: Path) -> Any:
        try:
            value = self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError):  # what the loader raises for `!!int x`, `!!bool x`, `0b_`
            kind = node.tag.removeprefix(_TAG)
            return self._refuse(node, path, f"{shown(node.value)} cannot be read as {kind}; put it in quotes")
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return self._refuse(node, path, f"{shown(value)} holds half a character; write the character itself")
        if isinstance(value, int) and abs(value) >= 2**63:
            return self._refuse(node, path, "the number does not fit in 64 bits; give a smaller one")
        return node.value if isinstance(value, float) and not math.isfinite(value) else value

    def _refuse(self, node: Node, path: Path, what: str) -> object:
        self.problems.append(Problem(node.start_mark.line + 1, path, what))
        return UNREADABLE

    def build(self, node: Node, path: Path) -> Any:
        """Makes plain data of a checked node, and notes the line of each key."""
        self.places[path] = node.start_mark
        self.check(node, path)  # done already, except below a refused tag or a set, where a merge key can reach
        if id(node) in self.values:
            return self.values[id(node)]
        if isinstance(node, SequenceNode):
            self.keys.update({(*path, index): child.start_mark for index, child in enumerate(node.value)})
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        try:
            self.loader.flatten_mapping(node)  # puts merged pairs, which keep their marks, before the node's own
        except yaml.MarkedYAMLError as error:
            self.problems.append(_not_yaml(error, path))
            return UNREADABLE
        pairs = {key.value: (key, value) for key, value in node.value if key.tag == _TAG + "str"}
        self.keys.update({(*path, name): key.start_mark for name, (key, _) in pairs.items()})
        return {name: self.build(value, (*path, name)) for name, (_, value) in pairs.items()}
