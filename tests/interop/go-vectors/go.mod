module referral-bus/vectors

go 1.26.0

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/compose-spec/compose-go/v2 v2.16.2
	github.com/cyberphone/json-canonicalization v0.0.0-20241213102144-19d51d7fe467
)
