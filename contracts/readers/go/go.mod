module referral-bus/reader

go 1.26
