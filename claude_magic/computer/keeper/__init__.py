"""The process that keeps a virtual desktop: it starts all of it, drives it, and ends all of it.

It is a process of its own so that nothing outlives it: it notices when the kernel is gone, however
that ended, and an interrupt of the kernel does not reach it half way through a key press.
"""
