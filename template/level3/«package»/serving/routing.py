"""A/B routing: which arm a routing key belongs to: all instances of one instance number share it."""

import hashlib

CHAMPION, CHALLENGER = "champion", "challenger"


def arm_of(key: str, experiment: str, share: float) -> str:
    """Return the arm of a routing key: the same one throughout an experiment, in every process.

    Args:
        key: the columns that an instance is routed by, one after the other.
        experiment: its name; another experiment assigns the keys anew.
        share: the part of all keys that the challenger serves, 0 to 1.
    """
    hashed = hashlib.sha256(f"{experiment}/{key}".encode()).digest()
    return CHALLENGER if int.from_bytes(hashed[:8], "big") < share * 2**64 else CHAMPION
