"""The drill: each thing that can go wrong is brought about for real, and must be seen where people look.

Nothing is a stand-in but, on loopback, the publishers and Yahoo, and the clock (`clock.py`): what takes minutes by its
nature lets them pass at once. Each failure must stand in the page's sentence, in the log, in the metrics, in one
alert that is sent, and in what `signals doctor` says, within the objective in force (`failure.py`); and be gone from
all of them, its alert closed once, when it is mended. `lanes.py` has the failures: those that share a service one
after the other, services side by side. `python -m tests.bench drill` shows how long each took to be seen.
"""
