"""Options that take several names: `--data swiss iowa` as well as `--data swiss,iowa`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


def names(text: str) -> tuple[str, ...]:
    """The names in `text`, with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


class ListCommand(TyperCommand):
    """A command without arguments, so that whatever follows an option belongs to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the names after an option by commas, then parse."""
        joined: list[str] = []
        for arg in args:
            follows_name = len(joined) > 1 and joined[-2].startswith("-") and not joined[-1].startswith("-")
            if follows_name and not arg.startswith("-"):
                joined[-1] += f",{arg}"
            else:
                joined.append(arg)
        return super().parse_args(ctx, joined)
