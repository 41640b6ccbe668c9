"""A pickle machine that can build tensors, containers and plain values, and nothing else.

`pickle.Unpickler` with an overridden `find_class` would still call what it finds, set attributes on it, hash
what the file nests and allocate what the file claims. This machine calls nothing: it takes the opcodes from
`pickletools` and records a tensor's description; whatever it does not know is refused with its name.
"""

import pickletools
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from keras_semisis.checkpoints.checkpoint_error import CheckpointError

# Storage class name in a file -> NumPy dtype of its bytes. bfloat16 has no NumPy dtype.
STORAGE_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
TENSOR_DTYPES = {*STORAGE_DTYPES.values(), "uint16", "uint32", "uint64"}
UNTYPED = "untyped"

_REBUILD_TENSOR = {
    "torch._utils._rebuild_tensor": (4, 4),
    "torch._utils._rebuild_tensor_v2": (6, 7),
    "torch._utils._rebuild_tensor_v3": (7, 8),
}
_REBUILD_PARAMETER = {
    "torch._utils._rebuild_parameter": (3, 3),
    "torch._utils._rebuild_parameter_with_state": (4, 4),
}
_ALLOWED = {"collections.OrderedDict", "torch.Size", *_REBUILD_TENSOR, *_REBUILD_PARAMETER}

# numpy's own limit on dimensions
_MAX_DIMENSIONS = 32

_MARK = object()


@dataclass(frozen=True)
class Global:
    """A name that the file asks for. It is compared, never imported."""

    name: str


@dataclass(frozen=True)
class Storage:
    """Where a tensor's elements are: in the record `key`, `count` of `dtype` from element `start` on."""

    key: str
    dtype: str
    count: int
    start: int = 0


@dataclass(frozen=True)
class Tensor:
    """A strided view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


class ByteStream(Protocol):
    """What a pickle is read from."""

    def read(self, count: int, /) -> bytes: ...

    def readline(self) -> bytes: ...


def load(stream: ByteStream, source: str) -> Any:
    """Runs one pickle from the stream's position up to its STOP.

    Args:
        stream: The file's bytes.
        source: The file's name, for errors.

    Returns:
        dict (its keys as text), list, tuple, str, int, float, bool, bytes, None, `Global` and `Tensor` (not yet read).

    Raises:
        CheckpointError: the stream asks for anything else, or is damaged.
    """
    return Machine(source).run(stream)


class Machine:
    """Runs pickles. A subclass says which names it allows, and what a call of them gives."""

    kind = "tensors"

    def __init__(self, source: str):
        self.source = source
        self.stack: list[Any] = []
        # Keys are text, here and in every dictionary: numbers can be chosen so that they share a hash, and then each takes
        # as long to find as there are others.
        self.memo: dict[str, Any] = {}
        self.opcodes = 0
        self.copied = 0

    def refuse(self, request: str) -> CheckpointError:
        return CheckpointError(
            f"{self.source}: the file asks for {request}. Only {self.kind} in dictionaries, lists and tuples are "
            "read, because anything else in such a file can run code. If you trust the file, load it where "
            "it was made and save its state dict alone."
        )

    def damaged(self, what: str) -> CheckpointError:
        return CheckpointError(f"{self.source}: the file is damaged: {what}. Copy or download it again and compare its size.")

    def run(self, stream: ByteStream) -> Any:
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], stream)):
            if opcode.name == "STOP":
                return self.pop()
            self.opcodes += 1
            self.step(opcode.name, argument)
        raise self.damaged("its pickle has no end")

    def step(self, name: str, argument: Any) -> None:
        if name in _PUSH:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _NEW:
            self.stack.append(_NEW[name]())
        elif name in _IGNORED:
            pass
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[str(argument)] = self.top()
        elif name == "MEMOIZE":
            self.memo[str(len(self.memo))] = self.top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            if str(argument) not in self.memo:
                raise self.damaged(f"it refers to object {argument}, which it has not made")
            self.stack.append(self.memo[str(argument)])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self.stack.append(self.find_global(name, argument))
        elif hasattr(self, f"op_{name.lower()}"):
            getattr(self, f"op_{name.lower()}")()
        else:
            raise self.refuse(f"the pickle operation {name}")

    def top(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise self.damaged("its pickle takes from an empty stack")
        return self.stack[-1]

    def pop(self) -> Any:
        value = self.top()
        self.stack.pop()
        return value

    def pop_to_mark(self) -> list[Any]:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is _MARK:
                items = self.stack[i + 1 :]
                del self.stack[i:]
                return items
        raise self.damaged("its pickle closes a group that it has not opened")

    def find_global(self, opcode: str, argument: Any) -> Global:
        if opcode == "GLOBAL":
            module, _, attribute = argument.partition(" ")
        else:
            attribute, module = self.pop(), self.pop()
            # Formatting a container that holds one other twice, level after level, would take for ever.
            if not isinstance(module, str) or not isinstance(attribute, str):
                raise self.damaged("it asks for something without a name")
        name = f"{module}.{attribute}"
        if self.allows(name):
            return Global(name)
        raise self.refuse(repr(name))

    def allows(self, name: str) -> bool:
        return name in _ALLOWED or bool(_storage_dtype(name) or _tensor_dtype(name))

    def op_mark(self) -> None:
        self.stack.append(_MARK)

    def op_pop(self) -> None:
        if self.stack and self.stack[-1] is _MARK:
            self.stack.pop()
        else:
            self.pop()

    def op_pop_mark(self) -> None:
        self.pop_to_mark()

    def op_dup(self) -> None:
        self.stack.append(self.top())

    def op_tuple(self) -> None:
        self.stack.append(tuple(self.pop_to_mark()))

    def op_tuple1(self) -> None:
        self.push_tuple(1)

    def op_tuple2(self) -> None:
        self.push_tuple(2)

    def op_tuple3(self) -> None:
        self.push_tuple(3)

    def push_tuple(self, length: int) -> None:
        items = [self.pop() for _ in range(length)]
        self.stack.append(tuple(reversed(items)))

    def op_list(self) -> None:
        self.stack.append(self.pop_to_mark())

    def op_append(self) -> None:
        item = self.pop()
        self.expect(self.top(), list, "a list").append(item)

    def op_appends(self) -> None:
        items = self.pop_to_mark()
        self.expect(self.top(), list, "a list").extend(items)

    def op_dict(self) -> None:
        items = self.pop_to_mark()
        self.stack.append({})
        self.set_items(items)

    def op_setitem(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def op_setitems(self) -> None:
        self.set_items(self.pop_to_mark())

    def set_items(self, items: list[Any]) -> None:
        target = self.expect(self.top(), dict, "a dictionary")
        if len(items) % 2:
            raise self.damaged("a dictionary has a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # A nested tuple as a key can take for ever to hash.
            if not isinstance(key, (str, int, float, bytes)) and key is not None:
                raise self.refuse(f"a dictionary key of type {type(key).__name__}")
            name = str(key)
            if target.get(name, value) is not value:
                raise self.damaged(f"a dictionary has two values of the name {name[:80]!r}")
            target[name] = value

    def expect(self, value: Any, kind: type | tuple[type, ...], words: str) -> Any:
        if not isinstance(value, kind):
            raise self.damaged(f"{words} was expected, found {type(value).__name__}")
        return value

    def op_binpersid(self) -> None:
        self.stack.append(self.storage(self.pop()))

    def storage(self, identity: Any) -> Storage:
        if not isinstance(identity, tuple) or not identity or identity[0] != "storage":
            kind = identity[0] if isinstance(identity, tuple) and identity else identity
            raise self.refuse(f"a stored {_short(kind)} instead of a storage")
        if len(identity) not in (5, 6):
            raise self.damaged(f"a storage is described by {len(identity)} values instead of 5 or 6")
        _, kind, key, _, count, *view = identity
        dtype = _storage_dtype(kind.name) if isinstance(kind, Global) else None
        if dtype is None:
            raise self.damaged(f"a storage is of type {_short(kind)}")
        if not isinstance(key, (str, int)) or not _is_size(count):
            raise self.damaged("a storage has no valid name or size")
        if not view or view[0] is None:
            return Storage(str(key), dtype, count)
        start, view_count = self.view_bounds(view[0], count)
        return Storage(str(key), dtype, view_count, start)

    def view_bounds(self, view: Any, count: int) -> tuple[int, int]:
        if not isinstance(view, tuple) or len(view) != 3 or not _is_size(view[1]) or not _is_size(view[2]):
            raise self.damaged("a view of a storage has no valid bounds")
        _, start, length = view
        if start + length > count:
            raise self.damaged(f"a view of a storage ends at {start + length} of {count} elements")
        return start, length

    def op_reduce(self) -> None:
        arguments = self.expect(self.pop(), tuple, "a tuple of arguments")
        called = self.pop()
        if not isinstance(called, Global):
            raise self.damaged(f"it calls a {type(called).__name__}")
        self.stack.append(self.call(called.name, arguments))

    def call(self, name: str, arguments: tuple) -> Any:
        if name in _REBUILD_TENSOR:
            self.check_count(name, arguments, _REBUILD_TENSOR[name])
            return self.tensor(name, arguments)
        if name in _REBUILD_PARAMETER:
            self.check_count(name, arguments, _REBUILD_PARAMETER[name])
            return self.expect(arguments[0], Tensor, "a tensor")
        if name == "torch.Size":
            self.check_count(name, arguments, (1, 1))
            return self.sizes(arguments[0], "torch.Size")
        if name == "collections.OrderedDict":
            self.check_count(name, arguments, (0, 1))
            return self.ordered_dict(*arguments)
        raise self.refuse(f"a call of {name!r}")

    def check_count(self, name: str, arguments: tuple, allowed: tuple[int, int]) -> None:
        if not allowed[0] <= len(arguments) <= allowed[1]:
            raise self.damaged(f"{name} has {len(arguments)} arguments")

    def ordered_dict(self, pairs: Any = ()) -> dict:
        self.expect(pairs, (tuple, list), "a list of pairs")
        # Each pair took an opcode to make: only a list that is copied again and again exceeds their number.
        self.copied += len(pairs)
        if self.copied > self.opcodes:
            raise self.damaged("it copies one list of pairs many times")
        self.stack.append({})
        for pair in pairs:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise self.damaged("an entry of an OrderedDict is no pair")
            self.set_items(list(pair))
        return self.pop()

    def tensor(self, name: str, arguments: tuple) -> Tensor:
        storage, offset, shape, strides = arguments[:4]
        self.expect(storage, Storage, "a storage")
        dtype = storage.dtype
        if name.endswith("_v3"):
            dtype = _tensor_dtype(arguments[6].name) if isinstance(arguments[6], Global) else None
            if dtype is None:
                raise self.damaged(f"a tensor is of type {_short(arguments[6])}")
        elif dtype == UNTYPED:
            raise self.damaged("a tensor over an untyped storage names no type")
        if not _is_size(offset):
            raise self.damaged(f"a tensor starts at {_short(offset)}")
        shape, strides = self.sizes(shape, "a tensor's shape"), self.sizes(strides, "a tensor's strides")
        if len(shape) != len(strides):
            raise self.damaged(f"a tensor has {len(shape)} sizes and {len(strides)} strides")
        return Tensor(storage, offset, shape, strides, dtype)

    def sizes(self, value: Any, words: str) -> tuple[int, ...]:
        self.expect(value, (tuple, list), f"a tuple for {words}")
        if len(value) > _MAX_DIMENSIONS:
            raise self.damaged(f"{words} has {len(value)} dimensions")
        if not all(_is_size(size) for size in value):
            raise self.damaged(f"{words} holds something other than a size: {[_short(size) for size in value]}")
        return tuple(value)

    def op_build(self) -> None:
        # Attributes of a state dict (its `_metadata`); nothing here has a use for them.
        self.pop()
        self.expect(self.top(), dict, "a dictionary")


def _storage_dtype(name: str) -> str | None:
    if name in ("torch.storage.UntypedStorage", "torch.UntypedStorage"):
        return UNTYPED
    module, _, attribute = name.rpartition(".")
    return STORAGE_DTYPES.get(attribute) if module in ("torch", "torch.cuda") else None


def _tensor_dtype(name: str) -> str | None:
    module, _, attribute = name.rpartition(".")
    return attribute if module == "torch" and attribute in TENSOR_DTYPES else None


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 2**63


def _short(value: Any) -> str:
    # repr of a value nested by a hostile file can be endless.
    return repr(value)[:80] if isinstance(value, (str, int, float, Global)) else type(value).__name__


_PUSH = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_IGNORED = {"PROTO", "FRAME"}
