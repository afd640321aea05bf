"""Every primitive that holds a program: calls, loops, branches, custom rules.

They sit above the transforms, because their rules transform the programs that they hold, and above
the compiler, because `jit` calls it.  ``calls`` has what all call-like primitives share.  Reading
order: ``calls`` -> ``stages`` -> ``jit`` -> ``scan`` -> ``while_loop`` -> ``cond`` ->
``custom_rules`` -> ``checkpoint`` -> ``tracing_api``.
"""
