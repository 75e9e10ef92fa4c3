"""
What an operator types: commands of ``referral-bus`` over what our services keep, on the machine that keeps it.

They come to the command line by the entry points of the group ``referral_bus.commands``, so that the SDK knows none of
our services. Here the services' parts meet: the log is checked by the rules of the router.
"""
