"""Every file here registers its scenarios when it is imported. The order is that of the ladder."""

from scenarios import look, running, breakpoints, hardware, threads, step, lifetime, objects, reverse  # noqa: F401
