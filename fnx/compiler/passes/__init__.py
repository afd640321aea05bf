"""The passes of the compiler, one file each; `fnx.compiler.pipeline` names them in order."""
