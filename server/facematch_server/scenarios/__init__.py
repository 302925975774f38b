"""Scenarios: well-known API keys with fixed replies, so that a client can provoke every outcome.

Off unless asked for (`facematch serve --scenarios`). A request passes the usual steps, so an outcome that the contract
decides earlier comes first. `key` parses the API keys, `store` accepts them, `comparer` answers them, and `middleware`
delays or breaks their replies.
"""
