"""The shapes of requests and replies.

`query` reads the parameters, `photos` takes the photos out of a body, `reply` prints the contract's reply in a
`profile`, `detailed` is the reply of `/v1/compare`, and `openapi` describes all of them.
"""
