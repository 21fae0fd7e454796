"""The console: one page that shows at a glance whether the yen is quiet, a feed is down, or we are.

Served by `signals serve` beside its other routes. All of it is read from the store: what the page shows is what was
told, also while Redis is away. Nothing is asked of any other host, and no text of a feed ever becomes markup.
"""
