"""
What the dashboard shows, panel by panel: a question in both languages, and the queries that answer it.

A watcher that does not run counts nothing: then nothing must look like zero. `NONE` is zero only while it answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SPAN: Final = "$__range"
"""The dashboard's whole span, as Grafana writes it into a query."""
NONE: Final = '0 * max(up{job="deadline-watcher"} == 1)'
QUIET: Final = '0 * max(up{job="referral-router"} == 1)'


class Look(StrEnum):
    """How a panel looks."""

    NUMBER = "stat"
    TABLE = "table"
    BARS = "bargauge"
    LINES = "timeseries"


class Unit(StrEnum):
    """What is counted, in Grafana's words."""

    COUNT = "short"
    SECONDS = "s"
    SHARE = "percentunit"
    YES_NO = "bool_yes_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel."""

    id: str
    vi: str
    en: str
    read_vi: str
    read_en: str
    """How to read it."""
    look: Look
    queries: Mapping[str, str]
    """By what each is called in the panel."""
    unit: Unit = Unit.COUNT
    warn: float | None = None
    """From here on yellow."""
    alarm: float | None = None
    """From here on red; below `warn`, from here down."""
    width: int = 6
    height: int = 4


def _of(metric: str, labels: str, *, by: str, function: str = "sum") -> str:
    grouped = f"{function} by ({by})" if by else function
    return f"{grouped} ({metric}{labels}) or on () {NONE}"


def _grown(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({metric}[{SPAN}]))"


def _quantile(share: float, metric: str, span: str, by: str = "") -> str:
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket[{span}])))"


_MET: Final = _grown('referral_bus_clocks_met_total{how="in-time"}', "rule")
_MISSED: Final = _grown("referral_bus_clocks_missed_total", "rule")

OVERDUE: Final = (
    Panel(
        id="overdue-law",
        vi="Quá hạn theo luật",
        en="Legal deadlines overdue",
        read_vi="Khác 0: có trẻ em đang chờ quá thời hạn luật định. Bảng bên dưới nói ở đâu, từ bao lâu.",
        read_en="Not 0: a child waits beyond what the law allows. The table below says where, and for how long.",
        look=Look.NUMBER,
        queries={"": _of("referral_bus_clocks_overdue", '{basis="law"}', by="")},
        alarm=1,
    ),
    Panel(
        id="overdue-policy",
        vi="Quá hạn theo quy ước",
        en="Agreed deadlines overdue",
        read_vi="Quy ước của trục, không phải thời hạn luật định.",
        read_en="What the bus agreed on, no law.",
        look=Look.NUMBER,
        queries={"": _of("referral_bus_clocks_overdue", '{basis="policy"}', by="")},
        warn=1,
    ),
    Panel(
        id="oldest",
        vi="Quá hạn lâu nhất",
        en="Overdue for longest",
        read_vi="Thời hạn cũ nhất chưa ai thực hiện đã quá bao lâu.",
        read_en="How long the oldest deadline that nobody has met is past.",
        look=Look.NUMBER,
        queries={"": _of("referral_bus_oldest_overdue_seconds", "", by="", function="max")},
        unit=Unit.SECONDS,
        warn=1,
        alarm=86_400,
    ),
    Panel(
        id="unreceived",
        vi="Bên nhận chưa nhận được",
        en="Not received",
        read_vi="Máy của bên nhận chưa ký nhận sau thời gian ghi ở nhãn: gọi điện thay vì chờ.",
        read_en="The recipient's system has not signed for it after the time in the label: telephone, do not wait.",
        look=Look.NUMBER,
        queries={"{{older_than}}": _of("referral_bus_deliveries_unreceived", "", by="older_than")},
        warn=1,
        alarm=5,
    ),
    Panel(
        id="where",
        vi="Quá hạn ở đâu, từ bao lâu",
        en="Overdue: where, and for how long",
        read_vi="Mỗi dòng một quy tắc và vai trò. Cơ quan nào: `referral-bus clocks overdue` cho biết.",
        read_en="A line for each rule and role. Which agency it is, `referral-bus clocks overdue` tells.",
        look=Look.TABLE,
        queries={
            "số lượng / how many": "sum by (rule, role, basis) (referral_bus_clocks_overdue) > 0",
            "bao lâu / for": "max by (rule, role, basis) (referral_bus_oldest_overdue_seconds) > 0",
        },
        width=24,
        height=6,
    ),
)
BUS: Final = (
    Panel(
        id="router",
        vi="Bộ định tuyến chạy tốt",
        en="The router is well",
        read_vi="Không: mọi lượt chuyển đang chờ.",
        read_en="No: every referral waits.",
        look=Look.NUMBER,
        queries={
            "": 'min(referral_bus_ready{job="referral-router"}) or on () max(up{job="referral-router"})',
        },
        unit=Unit.YES_NO,
        warn=1,
        alarm=0,
        width=4,
    ),
    Panel(
        id="watcher",
        vi="Bộ theo dõi thời hạn chạy tốt",
        en="The deadline watcher is well",
        read_vi="Không: không ai được nhắc, không ai được báo; các số quá hạn ở trên không đáng tin.",
        read_en="No: nobody is reminded or told, and the numbers above are not to be relied on.",
        look=Look.NUMBER,
        queries={"": 'min(referral_bus_ready{job="deadline-watcher"}) or on () max(up{job="deadline-watcher"})'},
        unit=Unit.YES_NO,
        warn=1,
        alarm=0,
        width=4,
    ),
    Panel(
        id="wait",
        vi="Lượt chuyển phải chờ",
        en="Referrals wait for",
        read_vi="Từ lúc Kafka nhận đến lúc được chuyển, 99 trên 100 lượt không lâu hơn. Không tính cho cơ quan nào.",
        read_en="From Kafka's stamp to being routed; 99 of 100 wait no longer. It counts against no agency.",
        look=Look.NUMBER,
        queries={
            "": f"({_quantile(0.99, 'referral_bus_wait_seconds', '5m')} >= 0) or on () {QUIET}",
        },
        unit=Unit.SECONDS,
        warn=2,
        alarm=15,
        width=4,
    ),
    Panel(
        id="behind",
        vi="Theo dõi thời hạn chậm",
        en="The watcher is behind by",
        read_vi="Bộ theo dõi thời hạn còn cách cuối sổ cái bao lâu. Trong lúc chậm không ai bị báo trễ oan.",
        read_en="How far the watcher is from the end of the ledger. While it is behind it accuses nobody.",
        look=Look.NUMBER,
        queries={"": "max(referral_bus_watcher_lag_seconds)"},
        unit=Unit.SECONDS,
        warn=5,
        alarm=60,
        width=4,
    ),
    Panel(
        id="firing",
        vi="Báo quá hạn chậm",
        en="Notices come late by",
        read_vi="Từ thời hạn đến lúc thông báo vào sổ cái, 99 trên 100 thông báo không lâu hơn.",
        read_en="From the due instant to the ledger; 99 of 100 notices take no longer.",
        look=Look.NUMBER,
        queries={"": f"({_quantile(0.99, 'referral_bus_watcher_firing_delay_seconds', SPAN)} >= 0) or on () {NONE}"},
        unit=Unit.SECONDS,
        warn=5,
        alarm=60,
        width=4,
    ),
    Panel(
        id="directory",
        vi="Danh bạ còn hiệu lực",
        en="The directory is good for",
        read_vi="Hết hiệu lực thì mọi lượt chuyển phải chờ đến khi được gia hạn.",
        read_en="Once it has expired every referral waits until it is renewed.",
        look=Look.NUMBER,
        queries={"": "min(referral_bus_directory_expires_timestamp_seconds) - time()"},
        unit=Unit.SECONDS,
        warn=43_200,
        alarm=21_600,
        width=4,
    ),
    Panel(
        id="troubles",
        vi="Sự cố",
        en="Troubles",
        read_vi="Mã của từng sự cố (docs/codes.md); dòng không có mã là tiến trình chạy tốt.",
        read_en="The code of each trouble (docs/codes.md); a line without one is a process that is well.",
        look=Look.TABLE,
        queries={"": "referral_bus_troubles or on (job, instance) referral_bus_ready == 1"},
        width=12,
        height=6,
    ),
    Panel(
        id="routed",
        vi="Đã xử lý, theo kết quả",
        en="Submissions judged, by outcome",
        read_vi="Mỗi phút. Nhiều kết quả khác «accepted»: một phần mềm nào đó gửi sai; mã ở docs/codes.md.",
        read_en="A minute. Much that is not `accepted`: somebody's program is wrong; the codes are in docs/codes.md.",
        look=Look.LINES,
        queries={"{{outcome}}": "60 * sum by (outcome) (rate(referral_bus_records_total[$__rate_interval]))"},
        width=12,
        height=6,
    ),
)
CLOCKS: Final = (
    Panel(
        id="over-time",
        vi="Quá hạn theo vai trò",
        en="Overdue, by role",
        read_vi="Đang tăng hay đang giảm.",
        read_en="Whether it grows or shrinks.",
        look=Look.LINES,
        queries={"{{role}}": "sum by (role) (referral_bus_clocks_overdue)"},
        width=12,
        height=7,
    ),
    Panel(
        id="running",
        vi="Thời hạn đang tính, theo vai trò",
        en="Clocks that run, by role",
        read_vi="Việc đang chờ từng loại cơ quan.",
        read_en="What waits for each kind of agency.",
        look=Look.LINES,
        queries={"{{role}}": "sum by (role) (referral_bus_clocks_running)"},
        width=12,
        height=7,
    ),
    Panel(
        id="in-time",
        vi="Tỷ lệ đúng hạn, theo quy tắc",
        en="Share in time, by rule",
        read_vi="Đúng hạn chia cho đúng hạn cộng quá hạn, trong khoảng của trang. Giải trình sau vẫn là quá hạn.",
        read_en="Met, over met and missed, in the span of the page. What was explained later stays among the missed.",
        look=Look.BARS,
        queries={"{{rule}}": f"{_MET} / ({_MET} + ({_MISSED} or 0 * {_MET})) >= 0"},
        unit=Unit.SHARE,
        width=12,
        height=7,
    ),
    Panel(
        id="outcomes",
        vi="Kết thúc thế nào",
        en="How clocks ended",
        read_vi="«claimed» là báo đã làm đúng hạn nhưng ghi nhận muộn; chờ cấp trên xác nhận.",
        read_en="`claimed` was done in time and recorded late; a superior confirms it.",
        look=Look.BARS,
        queries={
            "đúng hạn / met: {{how}}": _grown("referral_bus_clocks_met_total", "how"),
            "quá hạn / missed": f"sum(increase(referral_bus_clocks_missed_total[{SPAN}])) or on () {NONE}",
            "thôi tính / cancelled": f"sum(increase(referral_bus_clocks_cancelled_total[{SPAN}])) or on () {NONE}",
            "có ý kiến khác / disputed": f"sum(increase(referral_bus_clocks_disputed_total[{SPAN}])) or on () {NONE}",
        },
        width=12,
        height=7,
    ),
    Panel(
        id="answer",
        vi="Thực hiện sau bao lâu, theo quy tắc",
        en="Time to answer, by rule",
        read_vi="90 trên 100 thời hạn được thực hiện trong khoảng này.",
        read_en="90 of 100 were done within so long.",
        look=Look.BARS,
        queries={"{{rule}}": f"{_quantile(0.9, 'referral_bus_clock_answer_seconds', SPAN, 'rule')} >= 0"},
        unit=Unit.SECONDS,
        width=12,
        height=7,
    ),
    Panel(
        id="lateness",
        vi="Trễ bao lâu, theo quy tắc",
        en="Lateness, by rule",
        read_vi="Trong số đã thực hiện sau hạn: 90 trên 100 trễ không quá khoảng này.",
        read_en="Of what was done late: 90 of 100 were late by no more.",
        look=Look.BARS,
        queries={"{{rule}}": f"{_quantile(0.9, 'referral_bus_clock_lateness_seconds', SPAN, 'rule')} >= 0"},
        unit=Unit.SECONDS,
        width=12,
        height=7,
    ),
    Panel(
        id="notices",
        vi="Thông báo đã gửi",
        en="Notices sent",
        read_vi="Loại thông báo và kết quả; «given-up» là có người không được báo.",
        read_en="By kind and result; `given-up` means that somebody was not told.",
        look=Look.BARS,
        queries={"{{kind}} {{result}}": _grown("referral_bus_watcher_notices_total", "kind, result")},
        width=12,
        height=7,
    ),
    Panel(
        id="sections",
        vi="Phần tính hạn đã đọc",
        en="Clock sections read",
        read_vi="Khác «read»: thời hạn của vụ việc đó không được tính, bên gửi đã được báo.",
        read_en="Other than `read`: deadlines of that case do not run, and its sender was told.",
        look=Look.BARS,
        queries={"{{result}}": _grown("referral_bus_watcher_clock_sections_total", "result")},
        width=12,
        height=7,
    ),
)
ROWS: Final = (
    ("Cái gì quá hạn", "What is overdue", OVERDUE),
    ("Trục có chậm không", "Whether the bus itself is late", BUS),
    ("Các thời hạn", "The clocks", CLOCKS),
)
PANELS: Final = tuple(panel for _, _, panels in ROWS for panel in panels)
