"""Which arm answers a flight."""

import hashlib

CHAMPION, CHALLENGER = "champion", "challenger"


def arm_of(carrier: str, flight: int, experiment: str, share: float) -> str:
    """Return the arm for a flight number: the same one for the length of an experiment, wherever it is asked.

    Args:
        carrier: IATA code of the airline.
        flight: flight number.
        experiment: its name; another experiment draws anew.
        share: the part of all flight numbers that the challenger answers, 0 to 1.
    """
    drawn = hashlib.sha256(f"{experiment}/{carrier}{flight}".encode()).digest()
    return CHALLENGER if int.from_bytes(drawn[:8], "big") < share * 2**64 else CHAMPION
