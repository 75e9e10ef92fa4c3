module referral-bus/trial

go 1.26

require referral-bus/reader v0.0.0

replace referral-bus/reader => ../../../contracts/readers/go
