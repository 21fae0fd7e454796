"""Delivery: how a signal leaves the house, and how a bot gets it.

`wire` is the message, `keys` the names in Redis, `publisher` the one atomic step that sends,
`broker` the embedded server, `client` what a bot imports (over `follow`, `journal`, `stream`, `link`).
"""
