module referral-bus/trial

go 1.26

require (
	referral-bus/log v0.0.0
	referral-bus/reader v0.0.0
)

replace (
	referral-bus/log => ../../../contracts/readers/go-log
	referral-bus/reader => ../../../contracts/readers/go
)
