"""Delivery: how a signal leaves the house, and how a bot gets it.

`wire` is the message, `keys` the names in Redis, `publisher` the one atomic step that sends,
`broker` the embedded server, `client` and `aclient` what a bot imports: two edges (`link`, `alink`) that
carry out the steps of one core (`core` over `follow`, `work`, `snapshot`, `journal`, `pulse`, `stream`).
"""
