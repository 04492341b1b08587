"""Options that take several names: `--data swiss iowa` as well as `--data swiss,iowa`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

NAMES = "NAMES"  # metavar of such an option


def names(text: str) -> tuple[str, ...]:
    """The names in `text`, with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


class ListCommand(TyperCommand):
    """A command without arguments, so that whatever follows an option of names belongs to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the names after an option of names by commas, then parse."""
        lists = {option for each in self.params if getattr(each, "metavar", None) == NAMES for option in each.opts}
        joined: list[str] = []
        for arg in args:
            if not arg.startswith("-") and len(joined) > 1 and joined[-2] in lists:
                joined[-1] += f",{arg}"
            else:
                joined.append(arg)
        return super().parse_args(ctx, joined)
