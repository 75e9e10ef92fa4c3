module referral-bus/log

go 1.26

require referral-bus/reader v0.0.0

replace referral-bus/reader => ../go
