"""A/B routing: which arm a flight number belongs to."""

import hashlib

CHAMPION, CHALLENGER = "champion", "challenger"


def arm_of(carrier: str, flight: int, experiment: str, share: float) -> str:
    """Return the arm of a flight number: the same one throughout an experiment, in every process.

    Args:
        carrier: IATA code of the airline.
        flight: flight number.
        experiment: its name; another experiment assigns the flight numbers anew.
        share: the part of all flight numbers that the challenger serves, 0 to 1.
    """
    hashed = hashlib.sha256(f"{experiment}/{carrier}{flight}".encode()).digest()
    return CHALLENGER if int.from_bytes(hashed[:8], "big") < share * 2**64 else CHAMPION
