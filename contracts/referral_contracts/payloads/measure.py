"""What has been done: the measures that a progress report or an outcome tells."""

from typing import Annotated

from referral_contracts.payloads.base import Choice, FieldGroup, Line, Moment, label


class MeasureKind(Choice):
    """The acts that the law waits for, or that start, change or end a wait; and one for everything else."""

    ABUSE_NOTICED = "abuse_noticed", "Đã phát hiện dấu hiệu trẻ em bị xâm hại", "signs of abuse noticed"
    INITIAL_RISK_ASSESSED = "initial_risk_assessed", "Đã đánh giá nguy cơ ban đầu", "initial risk assessed"
    EMERGENCY_FOUND = "emergency_found", "Đã xác định là trường hợp khẩn cấp", "found to be an emergency"
    EMERGENCY_RULED_OUT = (
        "emergency_ruled_out",
        "Đã xác định không phải trường hợp khẩn cấp",
        "found to be no emergency",
    )
    EMERGENCY_MEASURES_APPLIED = (
        "emergency_measures_applied",
        "Đã áp dụng biện pháp can thiệp khẩn cấp",
        "emergency measures applied",
    )
    SEPARATION_GROUNDS_FOUND = (
        "separation_grounds_found",
        "Đã xác định có căn cứ tạm thời cách ly trẻ em",
        "grounds for separation found",
    )
    SEPARATION_DECIDED = "separation_decided", "Đã ban hành quyết định tạm thời cách ly trẻ em", "separation decided"
    CHILD_SEPARATED = "child_separated", "Đã tạm thời cách ly trẻ em", "child temporarily separated from the carer"
    SEPARATION_EXTENDED = "separation_extended", "Đã gia hạn tạm thời cách ly trẻ em", "separation extended"
    SEPARATION_REQUIRED_LONGER = (
        "separation_required_longer",
        "Cơ quan có thẩm quyền đã yêu cầu tiếp tục cách ly trẻ em",
        "longer separation required by a competent authority",
    )
    SEPARATION_ENDED = "separation_ended", "Đã chấm dứt tạm thời cách ly trẻ em", "separation ended"
    PLAN_CARRIED_OUT = (
        "plan_carried_out",
        "Đã thực hiện xong kế hoạch hỗ trợ, can thiệp",
        "measures of the plan carried out",
    )
    HANDOVER_DECISION_RECEIVED = (
        "handover_decision_received",
        "Đã nhận quyết định giao trẻ em cho người nhận chăm sóc",
        "decision to hand the child to a carer received",
    )
    CHILD_HANDED_OVER = "child_handed_over", "Đã giao trẻ em cho người nhận chăm sóc", "child handed to the carer"
    INVESTIGATORS_ALERTED = (
        "investigators_alerted",
        "Đã báo Cơ quan Cảnh sát điều tra",
        "competent investigators alerted",
    )
    REPORT_TRANSFERRED = (
        "report_transferred",
        "Đã chuyển tin báo kèm tài liệu, đồ vật",
        "report transferred with documents and objects",
    )
    REPORT_KEPT = "report_kept", "Đã được phân công trực tiếp giải quyết tin báo", "told to resolve the report oneself"
    SCENE_ATTENDED = "scene_attended", "Đã cử lực lượng đến hiện trường", "force sent to the scene"
    CRIME_SIGN_FOUND = "crime_sign_found", "Đã phát hiện dấu hiệu tội phạm", "sign of a crime found"
    PROCURACY_NOTIFIED = (
        "procuracy_notified",
        "Đã thông báo bằng văn bản cho Viện kiểm sát",
        "procuracy notified in writing",
    )
    RESOLUTION_EXTENDED = (
        "resolution_extended",
        "Đã kéo dài thời hạn giải quyết tin báo",
        "time to resolve the report extended",
    )
    RESOLUTION_EXTENDED_AGAIN = (
        "resolution_extended_again",
        "Viện kiểm sát đã gia hạn giải quyết tin báo",
        "time to resolve the report extended by the procuracy",
    )
    REPORT_RESOLVED = (
        "report_resolved",
        "Đã giải quyết tin báo: khởi tố, không khởi tố hoặc tạm đình chỉ",
        "report resolved: case opened, not opened, or suspended",
    )
    OUTCOME_NOTIFIED = (
        "outcome_notified",
        "Đã thông báo kết quả giải quyết cho cơ quan kiến nghị",
        "outcome told to the agency that asked",
    )
    INTERVIEW_NOTIFIED = (
        "interview_notified",
        "Đã thông báo trước thời gian, địa điểm lấy lời khai",
        "notice of time and place of the interview given",
    )
    STATEMENT_TAKEN = "statement_taken", "Đã lấy lời khai của trẻ em", "statement of the child taken"
    TRACES_FOUND = "traces_found", "Đã phát hiện dấu vết cần thu thập ngay", "traces found that must be taken at once"
    EVIDENCE_TAKEN = "evidence_taken", "Đã thu thập dấu vết, mẫu vật", "traces and samples taken"
    FORENSIC_ASKED_FOR = (
        "forensic_asked_for",
        "Đã nhận đề nghị trưng cầu giám định",
        "a forensic examination was asked for",
    )
    FORENSIC_GROUNDS_FOUND = (
        "forensic_grounds_found",
        "Đã có căn cứ trưng cầu giám định",
        "grounds for a forensic order found",
    )
    FORENSIC_ORDER_ISSUED = (
        "forensic_order_issued",
        "Đã ban hành quyết định trưng cầu giám định",
        "forensic order issued",
    )
    FORENSIC_ORDER_REFUSED = (
        "forensic_order_refused",
        "Đã quyết định không trưng cầu giám định",
        "forensic order refused",
    )
    FORENSIC_ORDER_SENT = "forensic_order_sent", "Đã gửi quyết định trưng cầu giám định", "forensic order sent"
    CONSULTATION_HELD = "consultation_held", "Đã hội chẩn, xin ý kiến chuyên gia", "consultation of experts held"
    CRIMINAL_CASE_ACCEPTED = "criminal_case_accepted", "Đã thụ lý vụ án", "criminal case accepted"
    ACCEPTANCE_NOTIFIED = (
        "acceptance_notified",
        "Đã thông báo thụ lý vụ án cho người đại diện, người bảo vệ của trẻ em",
        "acceptance of the case told to the child's representative or defender",
    )
    CASE_TRIED = "case_tried", "Đã xét xử vụ án", "case tried"
    VIOLENCE_STOPPED = "violence_stopped", "Đã ngăn chặn hành vi bạo lực", "violence stopped"
    CONTACT_BAN_DECIDED = "contact_ban_decided", "Đã ban hành quyết định cấm tiếp xúc", "contact ban decided"
    CONTACT_BAN_REFUSED = (
        "contact_ban_refused",
        "Đã từ chối cấm tiếp xúc bằng văn bản, nêu rõ lý do",
        "contact ban refused in writing with reasons",
    )
    CONTACT_BAN_SERVED = "contact_ban_served", "Đã gửi quyết định cấm tiếp xúc", "contact ban served"
    CONTACT_BAN_ENDED = "contact_ban_ended", "Quyết định cấm tiếp xúc đã hết hiệu lực", "contact ban ended"
    COURT_BAN_ORDERED = "court_ban_ordered", "Tòa án đã quyết định cấm tiếp xúc", "contact ban ordered by the court"
    COURT_BAN_ENDED = (
        "court_ban_ended",
        "Lệnh cấm tiếp xúc của Tòa án đã hết hiệu lực",
        "contact ban of the court ended",
    )
    LEGAL_AID_NOTIFIED = (
        "legal_aid_notified",
        "Đã thông báo cho Trung tâm Trợ giúp pháp lý nhà nước",
        "state legal aid centre notified",
    )
    PROVIDER_APPOINTED = "provider_appointed", "Đã cử người thực hiện trợ giúp pháp lý", "legal-aid provider appointed"
    PROVIDER_CHANGE_REQUESTED = (
        "provider_change_requested",
        "Đã nhận đơn đề nghị thay đổi người thực hiện trợ giúp pháp lý",
        "another legal-aid provider was requested",
    )
    PROVIDER_CHANGE_ANSWERED = (
        "provider_change_answered",
        "Đã trả lời đề nghị thay đổi người thực hiện trợ giúp pháp lý",
        "request for another legal-aid provider answered",
    )
    BREACH_RECORDED = (
        "breach_recorded",
        "Đã lập biên bản vi phạm dữ liệu cá nhân",
        "written record of the personal-data breach made",
    )
    BREACH_RULED_OUT = (
        "breach_ruled_out",
        "Đã xác định vi phạm dữ liệu không có khả năng gây hại",
        "personal-data breach found unable to do harm",
    )
    DATA_ACCESS_REQUESTED = (
        "data_access_requested",
        "Đã nhận yêu cầu xem, chỉnh sửa, cung cấp dữ liệu",
        "request to see, correct or get the data received",
    )
    DATA_WITHDRAWAL_REQUESTED = (
        "data_withdrawal_requested",
        "Đã nhận yêu cầu rút lại đồng ý, hạn chế, phản đối",
        "request to withdraw, restrict or object received",
    )
    DATA_DELETION_REQUESTED = (
        "data_deletion_requested",
        "Đã nhận yêu cầu xóa dữ liệu",
        "request to delete the data received",
    )
    DATA_REQUEST_ACKNOWLEDGED = (
        "data_request_acknowledged",
        "Đã phản hồi việc tiếp nhận yêu cầu về dữ liệu",
        "request about the data acknowledged",
    )
    DATA_REQUEST_EXTENDED = (
        "data_request_extended",
        "Đã gia hạn thực hiện yêu cầu về dữ liệu",
        "time for a request about the data extended",
    )
    DATA_ACCESS_ANSWERED = (
        "data_access_answered",
        "Đã thực hiện yêu cầu xem, chỉnh sửa, cung cấp dữ liệu",
        "request to see, correct or get the data answered",
    )
    DATA_WITHDRAWAL_ANSWERED = (
        "data_withdrawal_answered",
        "Đã thực hiện yêu cầu rút lại đồng ý, hạn chế, phản đối",
        "request to withdraw, restrict or object answered",
    )
    DATA_DELETION_ANSWERED = (
        "data_deletion_answered",
        "Đã trả lời yêu cầu xóa dữ liệu",
        "request to delete the data answered",
    )
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Measure(FieldGroup):
    """One act, and when it was done."""

    kind: Annotated[
        MeasureKind,
        label(
            "Việc đã làm",
            "measure",
            "Việc nào đã được thực hiện.",
            "Which act was carried out.",
            personal=True,
            essential=True,
        ),
    ]
    kind_other: Annotated[
        Line | None,
        label(
            "Việc khác",
            "other measure",
            "Ghi rõ khi chọn “Khác”.",
            "Which act, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    done_at: Annotated[
        Moment | None,
        label(
            "Thời điểm thực hiện",
            "done at",
            "Lúc việc đó được thực hiện.",
            "When it was carried out.",
            essential=True,
        ),
    ] = None
