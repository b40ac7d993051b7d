"""The one way in which a picture can be refused."""

from __future__ import annotations


class BadPicture(Exception):
    """These bytes are no picture that can be used. `reason` says what is wrong and what to do."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def truncated(what: str) -> BadPicture:
    return BadPicture(f"the {what} is cut short: copy or download it again")


def damaged(what: str, detail: str) -> BadPicture:
    return BadPicture(f"the {what} is damaged ({detail}): save it again as JPEG, PNG or WebP")


def animated(what: str) -> BadPicture:
    return BadPicture(f"the {what} is animated: save the frame that you want as a still picture")
