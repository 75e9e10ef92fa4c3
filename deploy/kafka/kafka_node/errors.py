"""What goes wrong before a broker answers, in sentences for the person who started it."""


class NotInstalled(Exception):
    """This machine lacks Java or Maven: nothing was started, and trying again will not help."""


class KafkaFailed(Exception):
    """Everything needed is there, and the broker still could not be fetched, started or reached."""
