"""Whatever dies, and whenever: every signal is in the stream once, in order, no gap; a bot sees each once.

Nothing here is a stand-in. Each service is the whole of `signals serve`, with its own SQLite file, a real server
and the shipped model; news come by `POST /v1/headlines`, sent again until acknowledged; a bot reads along by
`signals.connect`. Only the start is cheaper than in life for most kills: `nursery.py` has the imports done and the
model read, and forks services off, so that two hundred kills take minutes. `test_kills_whole.py` kills services
that were started from nothing.

The moments are chance, by a seed that stands in the name of each test.
"""
