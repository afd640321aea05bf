"""`Executable`: a compiled program that runs on ndarrays.

In comes a list of ndarrays; out comes a list of fresh ones. A program without steps in Python is
one native call, with the GIL released unless it takes only microseconds. Bound plans are kept in
a list of instances, since two calls must not use one plan's memory at once: a call takes an
instance, or makes one. `explain` tells what runs, `source` prints the generated kernels. Read
next: `pipeline`, which makes executables; `explanation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from fnx.compiler import arena
from fnx.compiler.draft import HostStep
from fnx.compiler.program import Program
from fnx.core.array import adopt
from fnx.core.jaxpr import Eqn
from fnx.core.primitive import HigherOrderPrimitive, quietly
from fnx.core.types import ShapedArray
from fnx.errors import KernelError, LoopBoundError
from fnx.kernels.plan_runner import Plan, PlanTemplate, Reference

__all__ = ["Executable"]

Arrays = list[np.ndarray[Any, Any]]
HostFunction = Callable[[Arrays], Sequence[Any]]

_PLAIN = 0x101  # the flags NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED
_ndarray, _empty = np.ndarray, np.empty

#: Estimated nanoseconds of a program from which on other Python threads may run beside it.
_LONG = 20_000.0


class Executable:
    """A compiled program; made by `compile_jaxpr`.

    Parameters
    ----------
    program : Program
        The plan.
    code : mapping of str to int
        Addresses of the kernels that it calls.
    keep : sequence
        What must live as long as these addresses are used.
    host : callable
        From the number of an equation to the function that does its step in Python.
    details : callable
        Makes the `Explanation` and the source text when they are asked for.
    """

    def __init__(
        self,
        program: Program,
        code: dict[str, int],
        keep: Sequence[Any],
        host: Callable[[int], HostFunction],
        details: Any,
    ) -> None:
        self.program = program
        self._code = code
        self._keep = tuple(keep)
        self._details = details
        self._input_types = [(a.shape, a.dtype) for a in program.inputs]
        self._output_shapes = [a.shape for a in program.outputs]
        self._output_dtypes = [a.dtype for a in program.outputs]
        self._constants = arena.aligned_block(len(program.constants))
        self._constants[:] = np.frombuffer(program.constants, np.uint8)
        self._host = {s.number: host(s.number) for s in program.segments if isinstance(s, HostStep)}
        self._free = [_Instance(self)]
        single = len(program.segments) == 1 and not self._host
        plain = not (program.shares_arena or program.donations or program.messages)
        self._is_one_plan = single and plain

    def __call__(self, arrays: Sequence[np.ndarray[Any, Any]]) -> Arrays:
        """Run the program.

        Parameters
        ----------
        arrays : sequence of ndarray
            One for each input, of its shape and dtype, in any layout.  Donated ones may be
            overwritten.

        Returns
        -------
        list of ndarray
            Fresh arrays, C-contiguous; or donated ones.

        Raises
        ------
        KernelError
            An array is missing, or of another type than the program was compiled for.
        LoopBoundError
            A `guard` in the program failed.
        """
        types = self._input_types
        if len(arrays) != len(types):
            self._refuse(arrays)
        for a, (shape, dtype) in zip(arrays, types):
            if a.shape != shape or (a.dtype is not dtype and a.dtype != dtype):
                self._refuse(arrays)
        return self.run(arrays)

    def run(self, arrays: Sequence[np.ndarray[Any, Any]]) -> Arrays:
        """Run the program on arrays whose shapes and dtypes the caller has checked."""
        for a in arrays:  # a loop: this is the path of every call
            if type(a) is not _ndarray or a.flags.num & _PLAIN != _PLAIN:
                arrays = [_plain(a) for a in arrays]
                break
        outputs = list(map(_empty, self._output_shapes, self._output_dtypes))
        free = self._free
        try:
            instance = free.pop()
        except IndexError:
            instance = _Instance(self)
        try:
            if self._is_one_plan:
                instance.plan.run(*arrays, *outputs)
            else:
                self._run_segments(instance, list(arrays), outputs)
        finally:
            free.append(instance)
        return outputs

    def explain(self) -> Any:
        """What runs, step by step; an `Explanation`, which prints as a table."""
        return self._details.explanation(self.program)

    def source(self) -> str:
        """The generated kernels as readable Numba text."""
        return self._details.source()

    def _refuse(self, arrays: Sequence[np.ndarray[Any, Any]]) -> NoReturn:
        if len(arrays) != len(self._input_types):
            raise KernelError(
                f"executable: takes {len(self._input_types)} arrays, got {len(arrays)}."
            )
        k = next(
            k
            for k, (array, (shape, dtype)) in enumerate(zip(arrays, self._input_types))
            if array.shape != shape or array.dtype != dtype
        )
        shape, dtype = self._input_types[k]
        given = ShapedArray(arrays[k].shape, arrays[k].dtype)
        raise KernelError(
            f"executable: array {k} is {given!r}, the program was compiled for "
            f"{ShapedArray(shape, dtype)!r}. Convert it, or compile the program for its type."
        )

    def _run_segments(self, instance: _Instance, given: Arrays, outputs: Arrays) -> None:
        program = self.program
        instance.status[0] = 0
        for result, operand in program.donations.items():
            outputs[result] = given[operand]
        arrays = [*given, *outputs]
        block = arena.take(program.arena) if program.shares_arena else instance.block
        try:
            if program.shares_arena:
                arrays.append(block)
            for segment, plan in zip(program.segments, instance.plans):
                if isinstance(segment, HostStep):
                    self._run_host(segment, arrays, block)
                else:
                    plan.run(*arrays)
        finally:
            if program.shares_arena:
                arena.give(block)
        if instance.status[0]:
            raise LoopBoundError(program.messages[instance.status[0] - 1])

    def _run_host(self, step: HostStep, arrays: Arrays, block: np.ndarray[Any, Any]) -> None:
        def view(reference: Reference, aval: ShapedArray) -> np.ndarray[Any, Any]:
            if reference.kind == "buffer":
                return _view(arrays[int(reference.name)], reference.offset, aval)
            base = block if reference.name == "arena" else self._constants
            return _view(base, reference.offset, aval)

        results = self._host[step.number]([view(r, aval) for r, aval in step.inputs])
        for k, (result, (reference, aval)) in enumerate(zip(results, step.outputs, strict=True)):
            if result.shape != aval.shape or result.dtype != aval.dtype:
                raise KernelError(
                    f"executable: result {k} of a step in Python is "
                    f"{ShapedArray(result.shape, result.dtype)!r}, its rule said {aval!r}."
                )
            np.copyto(view(reference, aval), result)


class _Instance:
    """Plans bound to memory of their own; used by one call at a time."""

    __slots__ = ("block", "plan", "plans", "status")

    def __init__(self, executable: Executable) -> None:
        program = executable.program
        self.block = arena.aligned_block(0 if program.shares_arena else program.arena)
        self.status = np.zeros(1, np.int64)  # which guard failed
        memory = {
            "arena": self.block.ctypes.data,
            "constants": executable._constants.ctypes.data,
            "status": self.status.ctypes.data,
        }
        keep = (self.block, self.status, executable._constants, executable._keep)
        self.plans: list[Plan | Any] = []
        for segment in program.segments:
            plan = None
            if isinstance(segment, PlanTemplate):
                plan = segment.bind(code=executable._code, memory=memory, keep=keep)
                plan.release_gil(program.nanoseconds > _LONG or not _is_short(program))
            self.plans.append(plan)
        self.plan: Any = self.plans[0] if self.plans else None


def host_function(eqn: Eqn) -> HostFunction:
    """The function that does a step in Python: the primitive's evaluation.

    Parameters
    ----------
    eqn : Eqn
        Its primitive is lowered by a `Host`.
    """
    primitive, params = eqn.primitive, eqn.params
    evaluate = primitive.evaluate

    def call(arrays: Arrays) -> Sequence[Any]:
        if isinstance(primitive, HigherOrderPrimitive):
            # It may hand its arrays to the user, who may keep them: the arena is used again.
            results = evaluate(*[adopt(a.copy()) for a in arrays], **params)
            results = results if primitive.multiple_results else [results]
            return [r._data for r in results]
        kept = [a.copy() for a in arrays] if eqn.effects else arrays
        results = quietly(evaluate, *kept, **params)
        results = results if primitive.multiple_results else [results]
        return [np.asarray(r) for r in results]

    return call


def _is_short(program: Program) -> bool:
    """Whether all steps have an estimate: named kernels and loops take time that is not known."""
    return all(report.kind in ("loops", "alias") for report in program.reports)


def _plain(array: Any) -> np.ndarray[Any, Any]:
    """A C-contiguous, aligned array of NumPy's own type."""
    if type(array) is _ndarray and array.flags.num & _PLAIN == _PLAIN:
        return array
    return np.array(array, order="C", copy=True, subok=False)


def _view(base: np.ndarray[Any, Any], offset: int, aval: ShapedArray) -> np.ndarray[Any, Any]:
    """An array of some type in the memory of another."""
    count = aval.size * aval.dtype.itemsize
    if count == 0:
        return np.empty(aval.shape, aval.dtype)
    raw = base.reshape(-1).view(np.uint8)[offset : offset + count]
    return raw.view(aval.dtype).reshape(aval.shape)
