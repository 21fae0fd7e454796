"""`signals work` whose model dies of one title and hangs on another: `python -m tests.workers.fragile`."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jobs.supervisor
from jobs import logs
from jobs.app import App
from jobs.scoring_pool import Pool
from jobs.settings import load
from signals.model import Headline, Score
from signals.pipeline import Scorer

KILLS, HANGS = "Yen kills its worker", "Dollar hangs its worker"


class Fragile:
    """The model in place, but for two titles."""

    def __init__(self, model: Scorer) -> None:
        self.model_id = model.model_id
        self._model = model

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """The model's scores, where we live to tell."""
        titles = [one.title for one in headlines]
        if KILLS in titles:
            os.kill(os.getpid(), signal.SIGKILL)
        if HANGS in titles:
            time.sleep(600)
        return self._model.score(headlines)


if __name__ == "__main__":
    jobs.supervisor._MOST_WAIT_S = 0.0  # who dies on purpose is started at once, however often
    settings = load(Path(sys.argv[1]))
    logs.configure(settings.home)
    sys.exit(Pool(App(settings), 2, "fragile", Fragile).run())
