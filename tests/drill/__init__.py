"""The drill: each thing that can go wrong is brought about for real, and must be seen where people look.

Nothing is a stand-in but the clock (`clock.c`) and, on loopback, the publishers and Yahoo. Each failure must stand in
the page's sentence, in the log, in the metrics, in one alert, and in what `signals doctor` says, within its objective;
and be gone from all of them once it is mended. Objectives here are of seconds; what takes minutes by its nature lets
the minutes pass by the clock.
"""
