"""The one way in which an image can be refused."""

from __future__ import annotations


class BadImage(Exception):
    """These bytes are no image that can be used. `reason` says what is wrong and what to do."""

    def __init__(self, reason: str, form: str | None = "") -> None:
        """`form`: what the bytes are; None: nothing that is known; empty: an image that we take."""
        self.reason = reason
        self.form = form
        super().__init__(reason)

    def __reduce__(self) -> tuple[type[BadImage], tuple[str, str | None]]:
        return BadImage, (self.reason, self.form)


def truncated(what: str) -> BadImage:
    return BadImage(f"the {what} is truncated: copy or download it again")


def damaged(what: str, detail: str) -> BadImage:
    return BadImage(f"the {what} is damaged ({detail}): save it again as JPEG, PNG or WebP")


def animated(what: str) -> BadImage:
    return BadImage(f"the {what} is animated: save the frame that you want as a still image")
