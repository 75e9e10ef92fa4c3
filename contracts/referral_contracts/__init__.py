"""
What agencies agree on: envelope, signatures, sealed sections, lifecycle, decisions, directory.

Pure: bytes in, values out. No I/O, no clock, no logger here; `now` is always an argument.
The normative text is ``contracts/SPEC.md``.
"""
