"""The one exception whose message is meant for the person at the keyboard."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is a single line: what is wrong, where (file, row, column) and what to do about it.
    The command line prints it without a traceback and exits with status 2.
    """
