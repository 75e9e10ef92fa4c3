"""What people read of a rule: its limit and its role in words, in Vietnamese and in English."""

from referral_contracts.rules.pack import Kind, Rule
from referral_contracts.rules.roles import role_name
from referral_contracts.rules.spans import HOUR, SECOND, Span, Unit

_MINUTE = 60 * SECOND


def limit_words(rule: Rule) -> tuple[str, str]:
    """Return how long it may take; for what has no limit, what is done instead."""
    if rule.span is None:
        return rule.kind.vi, rule.kind.en
    return _within(rule.kind, rule.span)


def role_words(rule: Rule) -> tuple[str, str]:
    """Return whose duty it is."""
    names = [role_name(role) for role in rule.role]
    return " / ".join(vi for vi, _ in names), " / ".join(en for _, en in names)


def _within(kind: Kind, span: Span) -> tuple[str, str]:
    amount, many = span.amount, "" if span.amount == 1 else "s"
    match span.unit:
        case Unit.MILLISECONDS:
            return _hours(amount)
        case Unit.WORKING_DAYS:
            return f"{amount} ngày làm việc", f"{amount} working day{many}"
        case Unit.CALENDAR_DAYS if kind is Kind.DURATION:
            return f"tối đa {amount} ngày", f"at most {amount} day{many}"
        case Unit.CALENDAR_DAYS:
            return f"{amount} ngày", f"{amount} day{many}"
        case Unit.MONTHS:
            return f"{amount} tháng", f"{amount} month{many}"
        case Unit.BEFORE_DAY:
            month, day = divmod(amount, 100)
            return f"trước ngày {day:02}/{month:02}", f"before {day:02}/{month:02}"


def _hours(lasting: int) -> tuple[str, str]:
    hours, rest = divmod(lasting, HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    told = [(hours, "giờ", "h"), (minutes, "phút", "min"), (rest // SECOND, "giây", "s")]
    return (
        " ".join(f"{number} {vi}" for number, vi, _ in told if number),
        " ".join(f"{number} {en}" for number, _, en in told if number),
    )
