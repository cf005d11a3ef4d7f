"""What the person who runs Granary can mend."""


class Refusal(Exception):
    """Superset does not accept a request; the message says why."""
