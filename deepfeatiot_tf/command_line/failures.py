"""Every failure that is not ours as one line on stderr, and an exit status that says which kind."""

from __future__ import annotations

import errno
import logging
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from deepfeatiot_tf.command_line.output import stderr
from deepfeatiot_tf.errors import InputError

logger = logging.getLogger(__name__)

FAILED, INTERRUPTED = 2, 130
GO_ON = "give the same command again to go on; a network does from the last saved epoch"
NEXT_CELL = "give the same command again to go on with the next cell"
AFTER_INTERRUPTION = {
    "train": GO_ON,
    "quickstart": GO_ON,
    "benchmark": NEXT_CELL,
    "ablate": NEXT_CELL,
    "transfer": NEXT_CELL,
}


class Commands(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            typer.Exit: it failed, and the reason was printed.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            what_now = AFTER_INTERRUPTION.get(ctx.invoked_subcommand, "nothing half-written was left behind")
            raise _failure(f"interrupted; {what_now}", INTERRUPTED) from None
        except InputError as error:
            raise _failure(str(error), FAILED) from None
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output left, as `| head` does
                raise
            logger.info("where it happened", exc_info=True)
            raise _failure(_explained(error), FAILED) from None


def _failure(message: str, status: int) -> typer.Exit:
    line = " ".join(message.split())
    stderr().print(f"[bold red]error:[/bold red] {escape(line)}", soft_wrap=True, highlight=False)
    return typer.Exit(status)


def _explained(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    what = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full ({what}); free space and give the same command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}may not be read or written ({what}); change the permissions or name another place"
    return f"{where}{what}"
