"""The native half of the plan runner: an interpreter of plans, and its entry from Python.

A plan is a sequence of 64-bit words: an instruction's code, then its operands.

    ====== =========================================== ==========================================
    code   operands                                    meaning
    ====== =========================================== ==========================================
    END                                                return from this plan or sub-plan
    CALL   kernel, words, count, chunk                 run a kernel over [0, count) on the pool;
                                                       chunk >= count runs it here
    COPY   destination, source, bytes                  move bytes (the two may overlap)
    ADD    address, amount                             add to the word at an address
    SET    address, value                              store a word at an address
    LOOP   count, body                                 run the sub-plan at an address count times
    WHILE  predicate, flag, body                       run predicate; while the byte at flag is
                                                       not 0: run body, run predicate
    COND   index, branches, first...                   read the int32 at an address, clamped to
                                                       [0, branches), and run that sub-plan
    ====== =========================================== ==========================================

All addresses are absolute.  A scan is a LOOP whose body ends with ADDs that move the words which
point into its slices, followed by ADDs or SETs that move them back; a plan may change its own
operands in this way.  A plan therefore must not be run by two threads at once.  Read next:
plan_runner.py, which builds plans and calls this.
"""

from __future__ import annotations

from fnx.kernels.assembler import Function, Operand, Program, Value
from fnx.kernels.pool_code import WANTED, WORKERS

__all__ = ["END", "CALL", "COPY", "ADD", "SET", "LOOP", "WHILE", "COND", "define_plan_runner"]

END, CALL, COPY, ADD, SET, LOOP, WHILE, COND = range(8)

# Words of an entry, the record that a call from Python works on (see plan_runner.Entry).
(ENTRY_BUSY, ENTRY_POOL, ENTRY_PLAN, ENTRY_ARRAY_TYPE, ENTRY_RELEASES, ENTRY_BUFFERS,
 ENTRY_PATCHES) = range(7)  # fmt: skip
TYPE_WORD, DATA_WORD = 1, 2  # words of a Python object, and of an ndarray, that entries read
RAN, BUSY, REFUSED, IDLE = 1, 0, -1, 2


def define_plan_runner(program: Program) -> None:
    """Add ``plan_run(pool, plan)`` and ``plan_entry``, the function that Python calls."""
    program.declare("memmove", "ptr (ptr, ptr, i64)")
    _define_run(program)
    _define_entry(program)


def _define_run(program: Program) -> None:
    body = program.function("plan_run", "pool", "plan")
    pool, place = body.argument("pool"), body.variable(body.argument("plan"))

    def operand(position: int) -> Value:
        return body.load(place, 1 + position)

    def advance(words: Operand) -> None:
        place.set(place.value + words)

    with body.loop():
        code = body.variable(body.load(place))
        body.leave_if(code.value.equals(END))
        with body.if_(code.value.equals(CALL)):
            body.call("pool_run", pool, *(operand(k) for k in range(4)))
            advance(8 * 5)
        with body.if_(code.value.equals(COPY)):
            body.call_external(
                "ptr @memmove(ptr {}, ptr {}, i64 {})", operand(0), operand(1), operand(2)
            )
            advance(8 * 4)
        with body.if_(code.value.equals(ADD)):
            body.store(body.load(operand(0)) + operand(1), operand(0))
            advance(8 * 3)
        with body.if_(code.value.equals(SET)):
            body.store(operand(1), operand(0))
            advance(8 * 3)
        with body.if_(code.value.equals(LOOP)):
            left, sub_plan = body.variable(operand(0)), body.variable(operand(1))
            with body.loop():
                body.leave_if(body.compare("sle", left, 0))
                body.call("plan_run", pool, sub_plan)
                left.set(left.value - 1)
            advance(8 * 3)
        with body.if_(code.value.equals(WHILE)):
            with body.loop():
                body.call("plan_run", pool, operand(0))
                body.leave_if(body.load_signed(operand(1), 8).equals(0))
                body.call("plan_run", pool, operand(2))
            advance(8 * 4)
        with body.if_(code.value.equals(COND)):
            count = operand(1)
            index = body.smaller(body.load_signed(operand(0), 32), count - 1)
            index = body.emit("sub", index, body.smaller(index, 0))  # not below 0
            body.call("plan_run", pool, body.load(place, index + 3))
            advance((count + 3) * 8)
    body.return_()


def _define_entry(program: Program) -> None:
    """``plan_entry(self, arguments, count)``: a built-in function (entry, array, array...).

    Gives RAN; or, without having run, BUSY if another thread is inside the entry, REFUSED if the
    number of arrays is wrong or one is not an ndarray, IDLE if the pool's workers must be made
    first (after a fork, or a change of their number).
    """
    program.declare("PyLong_AsSsize_t", "i64 (ptr)")
    program.declare("PyLong_FromSsize_t", "ptr (i64)")
    program.declare("PyEval_SaveThread", "ptr ()")
    program.declare("PyEval_RestoreThread", "void (ptr)")
    body = program.function("plan_entry", "self", "arguments", "count")
    arguments, answer = body.argument("arguments"), "ptr @PyLong_FromSsize_t(i64 {})"
    entry = body.call_external("i64 @PyLong_AsSsize_t(ptr {})", body.load(arguments))
    with body.if_(body.load(entry, ENTRY_BUFFERS).differs(body.argument("count") - 1)):
        body.return_(body.call_external(answer, REFUSED))
    pool = body.load(entry, ENTRY_POOL)
    missing = body.select(body.load(pool, WORKERS).equals(0), body.load(pool, WANTED), 0)
    with body.if_(missing.differs(0)):
        body.return_(body.call_external(answer, IDLE))
    taken = body.variable(0)
    with body.if_(body.exchange_if(0, 1, entry, ENTRY_BUSY)):
        taken.set(1)
    with body.if_(taken.value.equals(0)):
        body.return_(body.call_external(answer, BUSY))
    refused = _patch_buffers(body, entry, arguments)
    with body.if_(refused.differs(0)):
        body.atomic_store(0, entry, ENTRY_BUSY)
        body.return_(body.call_external(answer, REFUSED))
    state = body.variable(0)
    with body.if_(body.load(entry, ENTRY_RELEASES).differs(0)):
        state.set(body.call_external("ptr @PyEval_SaveThread()"))
    body.call("plan_run", pool, body.load(entry, ENTRY_PLAN))
    with body.if_(state.value.differs(0)):
        body.call_external("void @PyEval_RestoreThread(ptr {})", state)
    body.atomic_store(0, entry, ENTRY_BUSY)
    body.return_(body.call_external(answer, RAN))


def _patch_buffers(body: Function, entry: Value, arguments: Value) -> Value:
    """Write every array's address to the words that stand for it; whether one is no ndarray."""
    refused, place = body.variable(0), body.variable(entry + 8 * ENTRY_PATCHES)
    left, argument = body.variable(body.load(entry, ENTRY_BUFFERS)), body.variable(arguments)
    with body.loop():
        body.leave_if(left.value.equals(0))
        argument.set(argument.value + 8)
        array = body.load(argument)
        same = body.load(array, TYPE_WORD).equals(body.load(entry, ENTRY_ARRAY_TYPE))
        refused.set(body.select(same, refused, 1))
        body.leave_if(refused.value.differs(0))
        data = body.load(array, DATA_WORD)
        patches = body.variable(body.load(place))
        place.set(place.value + 8)
        with body.loop():
            body.leave_if(patches.value.equals(0))
            body.store(data + body.load(place, 1), body.load(place))
            place.set(place.value + 16)
            patches.set(patches.value - 1)
        left.set(left.value - 1)
    return refused.value
