"""Reads pickles without running what they say.

A pickle is a program: `pickle.load` imports whatever it names and calls it. Here nothing is
imported. A name stays a `Name`; calling one gives an inert `Object`, unless the caller's table has
a function of its own for that very name. So a file cannot do more than build lists, tuples, dicts,
numbers and text.

Why not `pickle.Unpickler` with a strict `find_class`: it still lets a pickle set attributes of the
classes that `find_class` returns, allocate for a memo index of 2**32, and hash tuples nested so
that it takes for ever. This interpreter runs the opcodes that `pickletools` decodes, which
executes nothing and allocates no more than the file holds. Cycles are harmless: nothing is walked.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

# A few hundred bytes of memory at most each; a checkpoint of 1,000 tensors takes 50,000.
_MAX_STEPS = 2_000_000
_PLAIN_KEYS = (str, bytes, int, float, type(None))
_LONGEST_NAME = 1000
_LONGEST_INTEGER = 1024  # bits


class Name:
    """What a pickle names, such as `torch.nn.modules.conv.Conv2d`: the text, never the thing."""

    __slots__ = ("text",)

    def __init__(self, text: str):
        self.text = text


class Object:
    """Something that a pickle would have built.

    Attributes:
      state: what it would have been filled with, as a rule the dict of its attributes.
      items: what would have been put into it, if it is a kind of dict.
    """

    __slots__ = ("items", "state")

    def __init__(self) -> None:
        self.state: Any = None
        self.items: dict[Any, Any] = {}

    def build(self, state: Any) -> None:
        self.state = state


class Array(Object):
    """An Object that stands for numbers."""

    __slots__ = ()

    def array(self) -> np.ndarray:
        """The numbers; a ValueError if the file does not hold what it claims."""
        raise NotImplementedError


def ordered_dict(pairs: Any = ()) -> dict[Any, Any]:
    """A `collections.OrderedDict`, which Python 2 pickled as a list of pairs."""
    items: dict[Any, Any] = {}
    for key, value in pairs:
        _set_items(items, [key, value])
    return items


def load(
    file: BinaryIO,
    functions: Mapping[str, Callable[..., Any]],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """The object of the pickle that starts here; the file is left behind its end.

    Sets come as lists. A key that is neither text nor number is replaced by an Object.

    Args:
      functions: what to call for a name, such as `{"collections.OrderedDict": dict}`. They get
        whatever the file says.
      persistent: what to make of a persistent id: PyTorch's storages.

    Raises:
      ValueError: for a pickle that is cut off, makes no sense, is of a kind that PyTorch and
        NumPy do not write, or is too long.
    """
    machine = _Machine(functions, persistent)
    for opcode, argument, at in pickletools.genops(file):
        machine.steps += 1
        if machine.steps > _MAX_STEPS:
            raise ValueError(f"its pickle takes more than {_MAX_STEPS} steps")
        try:
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.run(opcode.name, argument)
        except (TypeError, IndexError, KeyError, AttributeError):
            raise ValueError(f"its pickle makes no sense at byte {at}, {opcode.name}") from None
    raise ValueError("its pickle has no end")


class _Machine:
    """The stack machine of pickle; `stack` holds what came after the last mark."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], persistent: Any):
        self.functions = functions
        self.persistent = persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under the marks
        self.memo: dict[int, Any] = {}
        self.steps = 0

    def run(self, opcode: str, argument: Any) -> None:
        stack = self.stack
        match opcode:
            case "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8" | "UNICODE":
                stack.append(argument)
            case "BINSTRING" | "SHORT_BINSTRING" | "STRING":
                stack.append(argument)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8" | "BYTEARRAY8":
                stack.append(argument)
            case "BINFLOAT" | "FLOAT":
                stack.append(argument)
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "LONG4" | "INT" | "LONG":
                if argument.bit_length() > _LONGEST_INTEGER:
                    raise ValueError(f"its pickle has an integer of {argument.bit_length()} bits")
                stack.append(argument)
            case "PROTO" | "FRAME":
                pass
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(self.memo[argument])
            case "NONE":
                stack.append(None)
            case "NEWTRUE":
                stack.append(True)
            case "NEWFALSE":
                stack.append(False)
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "MARK":
                self.below.append(stack)
                self.stack = []
            case "POP" if stack:
                stack.pop()
            case "POP" | "POP_MARK":
                self.pop_mark()
            case "DUP":
                stack.append(stack[-1])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode[-1])
                if len(stack) < size:
                    raise IndexError
                stack[-size:] = [tuple(stack[-size:])]
            case "TUPLE":
                self.push(tuple(self.pop_mark()))
            case "LIST" | "FROZENSET":
                self.push(self.pop_mark())
            case "DICT":
                items = self.pop_mark()
                self.push({})
                _set_items(self.stack[-1], items)
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS" | "ADDITEMS":
                items = self.pop_mark()
                _extend(self.stack[-1], items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set_items(stack[-1], [key, value])
            case "SETITEMS":
                items = self.pop_mark()
                _set_items(self.stack[-1], items)
            case "GLOBAL":
                stack.append(Name(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                if len(name) + len(module) > _LONGEST_NAME:
                    raise ValueError(f"its pickle has a name of {len(name) + len(module)} letters")
                stack.append(Name(module + "." + name))
            case "REDUCE" | "NEWOBJ":
                arguments, function = stack.pop(), stack.pop()
                stack.append(self.call(function, arguments))
            case "NEWOBJ_EX":
                stack[-3:] = [Object()]
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Object):  # attributes of dicts and tensors mean nothing
                    stack[-1].build(state)
            case "BINPERSID" if self.persistent is not None:
                stack.append(self.persistent(stack.pop()))
            case _:
                raise ValueError(f"its pickle uses {opcode}, which PyTorch and NumPy do not write")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop_mark(self) -> list[Any]:
        """What came after the last mark, and the stack below it is the stack again."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def call(self, function: Any, arguments: Any) -> Any:
        known = self.functions.get(function.text) if isinstance(function, Name) else None
        if known is None:
            return Object()
        if not isinstance(arguments, tuple):
            raise TypeError
        # A few bytes can refer to one long list again and again.
        self.steps += sum(len(each) for each in arguments if isinstance(each, list | tuple | dict))
        return known(*arguments)


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif not isinstance(target, Object):  # a list of some class: nothing that a file needs
        raise TypeError


def _set_items(target: Any, items: list[Any]) -> None:
    """Puts [key, value, key, value, ...] into a dict."""
    into = target.items if isinstance(target, Object) else target
    if not isinstance(into, dict) or len(items) % 2:
        raise TypeError
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, _PLAIN_KEYS):
            key = Object()
        elif key in into:
            raise ValueError(f"it has two entries {str(key)[:80]!r}")
        into[key] = value
