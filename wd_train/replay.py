"""How is one function of tensors run again and again, at the price of its arithmetic alone?

A function is traced once to the list of operations that it comes to. All that they read and write is given
a fixed place, and a place is taken again as soon as nobody reads it any more. Views need no operation then,
what does not change is computed once, and neither autograd nor the allocation of memory is paid for twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import GraphModule, Interpreter, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg
from torch.utils._pytree import tree_leaves, tree_map_only

Call = Callable[[], Any]

aten = torch.ops.aten
OF_ONE_VALUE = (
    aten.ones_like.default,
    aten.zeros_like.default,
    aten.full_like.default,
    aten.new_zeros.default,
    aten.new_ones.default,
    aten.new_full.default,
)
"""Operations that read no more of a tensor than its shape."""

LARGE_PRODUCT = 2**22
"""Multiplications from which oneDNN multiplies two matrices, in half of the time of a BLAS that was not
written for this processor. Below, asking it costs more."""

AT_A_TIME = 2**18
"""Numbers (1 MiB as float32) that oneDNN gives at a time: it cannot be told where to write."""


class Replay:
    """A function of tensors that is traced once and run many times.

    Neither the values in tensors nor Python's own state may decide what the function does. Gradients are not
    followed through it.

    Args:
        function: of the arguments; it gives a tuple of tensors, of which some may be None.
        arguments: tensors, or lists and dictionaries of them; a run reads what they hold by then.

    Attributes:
        results: what the function gives, in places that every run overwrites.

    Example:
        >>> x = torch.ones(2)
        >>> twice = Replay(lambda x: (x + x,), x)
        >>> x[0] = 5.0
        >>> twice.run()
        >>> twice.results[0].tolist()
        [10.0, 2.0]
    """

    results: list[Any]

    def __init__(self, function: Callable[..., tuple[Tensor | None, ...]], *arguments: Any) -> None:
        # Of a method, the names of the arguments would be miscounted.
        traced = make_fx(lambda *given: function(*given))(*arguments)
        traced.graph.eliminate_dead_code()
        plan = _Plan(traced, tree_leaves(arguments))
        self._calls = list(plan.calls())
        self.results = plan.results()
        self.run()

    @torch.no_grad()
    def run(self) -> None:
        """Compute the results anew."""
        for call in self._calls:
            call()


def multiply(left: Tensor, right: Tensor, *, out: Tensor) -> Tensor:
    """Products (N, R, C) of N pairs of large matrices in single precision, by oneDNN.

    Args:
        left: (N, R, I).
        right: (N, I, C).
        out: where the products are written.

    Example:
        >>> ones = torch.ones(2, 3, 3)
        >>> multiply(ones, ones, out=torch.empty(2, 3, 3))[1, 0].tolist()
        [3.0, 3.0, 3.0]
    """
    at_a_time = max(1, AT_A_TIME // right.shape[2])
    for one, other, product in zip(left.unbind(), right.mT.unbind(), out.unbind(), strict=True):
        for rows, part in zip(_pieces(one, at_a_time), _pieces(product, at_a_time), strict=True):
            part.copy_(torch.ops.mkldnn._linear_pointwise(rows, other, None, "none", [], ""))
    return out


def _pieces(matrix: Tensor, rows: int) -> tuple[Tensor, ...]:
    return matrix.split(rows)  # type: ignore[no-untyped-call, no-any-return]


class _Values(Interpreter):
    """What every node of a trace gave once; all are kept, so that no two share their memory by chance."""

    def __init__(self, traced: GraphModule, arguments: list[Tensor]) -> None:
        super().__init__(traced, garbage_collect_values=False)
        self.of: dict[Node, Any] = {}
        with torch.no_grad():
            self.run(*arguments, enable_io_processing=False)

    def run_node(self, n: Node) -> Any:
        """Run one node, and keep its value."""
        self.of[n] = super().run_node(n)
        return self.of[n]


class _Plan:
    """Which operation of a trace reads and writes where.

    Memory goes by the address that it had when the trace was run for its values.
    """

    def __init__(self, traced: GraphModule, arguments: list[Tensor]) -> None:
        self._values = _Values(traced, arguments).of
        self._nodes = list(traced.graph.nodes)
        self._last = {
            address: at
            for at, node in enumerate(self._nodes)
            for address in (*self._addresses(node), *self._read(node))
        }
        self._changed = {address for node in self._nodes if _changes(node) for address in self._read(node)}
        self._places: dict[int, torch.UntypedStorage] = {}
        self._given: set[int] = set()  # whatever is not ours to overwrite
        self._constant: set[int] = set()
        # By size. What was given back last is taken first, for it is still in the cache.
        self._free: dict[int, list[torch.UntypedStorage]] = {}

    def calls(self) -> Iterator[Call]:
        """What is to be called, in turn."""
        for at, node in enumerate(self._nodes):
            new = set(self._addresses(node)) - self._places.keys()
            if node.op != "call_function" or self._is_constant(node):
                self._keep(node)
            elif new or _changes(node):
                ending = {address for address in self._read(node) if self._last[address] == at} - self._given
                yield self._call(node, new, ending)
                for address in (ending | new) & self._places.keys():
                    if self._last[address] == at:
                        place = self._places.pop(address)
                        self._free.setdefault(place.nbytes(), []).append(place)

    def results(self) -> list[Any]:
        """What the trace gives, where the calls leave it."""
        return list(map_arg(self._nodes[-1].args[0], self._placed))

    def _addresses(self, node: Node) -> list[int]:
        return [_address(tensor) for tensor in _tensors(self._values[node])]

    def _read(self, node: Node) -> list[int]:
        return [address for read in node.all_input_nodes for address in self._addresses(read)]

    def _is_constant(self, node: Node) -> bool:
        always = node.target in OF_ONE_VALUE or set(self._read(node)) <= self._constant
        return always and not self._changed & {*self._read(node), *self._addresses(node)}

    def _keep(self, node: Node) -> None:
        """Leave what a node gave where it is."""
        for tensor in _tensors(self._values[node]):
            self._places.setdefault(_address(tensor), tensor.untyped_storage())
            self._given.add(_address(tensor))
            if node.op != "placeholder":
                self._constant.add(_address(tensor))

    def _call(self, node: Node, new: set[int], ending: set[int]) -> Call:
        """The operation of a node on places, with places for what it gives."""
        args, kwargs = self._arguments(node)
        value, over = self._values[node], self._overwritten(node, ending)
        for tensor in _tensors(value):
            if _address(tensor) in new:
                self._place(tensor, over)
        if not isinstance(value, Tensor) or not new:
            places = [self._tensor(t) if _address(t) in new else None for t in _tensors(value)]
            return partial(_copied, node.target, args, kwargs, places)
        place, out, inplace = self._tensor(value), _out_of(node.target), _inplace_of(node.target)
        if node.target is aten.bmm.default and _is_large(*args):
            return partial(multiply, *args, out=place)
        if out is not None:
            return partial(out[0], *args, **kwargs, **{out[1]: place})
        if inplace is not None and isinstance(node.args[0], Node) and over in self._addresses(node.args[0]):
            return partial(inplace, *args, **kwargs)
        return partial(_copied, node.target, args, kwargs, [place])

    def _arguments(self, node: Node) -> tuple[Any, Any]:
        return map_arg(node.args, self._placed), map_arg(node.kwargs, self._placed)

    def _overwritten(self, node: Node, ending: set[int]) -> int | None:
        """Where an operand lies that may be written over: number by number, and nobody reads on."""
        if torch.Tag.pointwise not in getattr(node.target, "tags", ()):
            return None
        read = self._read(node)
        operands = _tensors([self._values[operand] for operand in node.all_input_nodes])
        return next(
            (
                _address(operand)
                for operand in operands
                if _address(operand) in ending
                and read.count(_address(operand)) == 1
                and _layout(operand) == _layout(self._values[node])
            ),
            None,
        )

    def _place(self, tensor: Tensor, over: int | None) -> None:
        size = tensor.untyped_storage().nbytes()
        if over is not None:
            self._places[_address(tensor)] = self._places.pop(over)
        else:
            free = self._free.get(size)
            self._places[_address(tensor)] = free.pop() if free else torch.UntypedStorage(size)  # type: ignore[no-untyped-call]

    def _tensor(self, tensor: Tensor) -> Tensor:
        """The tensor as it lies in its place."""
        place = self._places[_address(tensor)]
        return tensor.new_empty(0).set_(place, tensor.storage_offset(), tensor.shape, tensor.stride())

    def _placed(self, node: Node) -> Any:
        return tree_map_only(Tensor, self._tensor, self._values[node])


def _copied(operation: Any, args: Any, kwargs: Any, places: list[Tensor | None]) -> None:
    """Call an operation that cannot be told where to write."""
    for place, tensor in zip(places, _tensors(operation(*args, **kwargs)), strict=True):
        if place is not None:
            place.copy_(tensor)


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _layout(value: Tensor) -> tuple[Any, ...]:
    # With the size, for a part of a memory does not stand for the whole of it.
    return value.shape, value.stride(), value.dtype, value.untyped_storage().nbytes()


def _changes(node: Node) -> bool:
    """Whether an operation writes into its operands."""
    return isinstance(node.target, OpOverload) and node.target._schema.is_mutable


def _is_large(left: Tensor, right: Tensor) -> bool:
    plain = left.dtype == torch.float32 and left.device.type == "cpu"
    plain = plain and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return plain and math.prod(left.shape[1:]) * right.shape[2] >= LARGE_PRODUCT


def _out_of(operation: Any) -> tuple[OpOverload, str] | None:
    """The variant of an operation that writes where it is told, and how its argument is called."""
    wanted = [(a.name, str(a.type)) for a in operation._schema.arguments]
    for name in operation.overloadpacket.overloads():
        other = getattr(operation.overloadpacket, name)
        outs = [a.name for a in other._schema.arguments if a.is_out]
        same = [(a.name, str(a.type)) for a in other._schema.arguments if not a.is_out] == wanted
        # Those that torch generates by itself copy to there what they have allocated first.
        if len(outs) == 1 and same and torch.Tag.generated not in other.tags:
            return other, outs[0]
    return None


def _inplace_of(operation: Any) -> OpOverload | None:
    packet = getattr(getattr(torch.ops, operation.namespace), f"{operation.overloadpacket.__name__}_", None)
    return getattr(packet, operation._overloadname, None)
