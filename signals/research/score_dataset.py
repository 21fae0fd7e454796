"""Archives scored: Parquet larger than memory, part by part, here, on processes or on a cluster; stopped, it goes on.

1. The dataset's files are listed and cut into parts, always in the same way. 2. A folder that holds other scores is
refused. 3. Parts that are there are left alone; of the others each is scored (`scoring_part`) and put in place at once.
Wherever and in however many pieces it is done, the files are the same byte for byte.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from signals.errors import ConfigError, WorkerError
from signals.research import scored_folder
from signals.research.dataset import Listed, Part, listed, parts
from signals.research.scored_folder import Manifest
from signals.research.scoring_part import Done, Reading, Refusals, Work, known, peak_bytes, score_part
from signals.research.spread import Mapper, Place, lasting
from signals.scoring.file import read

GIB = 1 << 30
ROWS_PER_PART = 20_000
"""A few seconds of work, and a few megabytes."""
LEAST_BYTES = 448 << 20
"""What a process takes before its first row, and a little."""
_LETTERS_SHARE = 400
"""Bytes of memory for each letter that is scored at once."""


class Progress(NamedTuple):
    """How far it is."""

    parts: int
    of_parts: int
    rows: int
    of_rows: int
    """What was there before counts as done."""
    new_rows: int
    """Of these, in this run."""


class Refused(msgspec.Struct, frozen=True):
    """Rows that were not scored for one reason, in all files, and where the first of them stand."""

    rows: int
    first: tuple[str, ...]
    """`FILE:ROW`, rows from 1."""


class Scored(NamedTuple):
    """What came of it."""

    folder: Path
    model_id: str
    parts: int
    before: int
    """Parts that were there already."""
    rows: int
    """Read, of all parts that are there now."""
    scores: int
    refused: dict[str, Refused]
    """By reason; see `signals.sources.history.REASONS`."""
    faults: tuple[str, ...]
    """Files or parts of which nothing is there, a line each."""
    peak_bytes: int
    """The most memory that any process took that scored in this run."""

    @property
    def partial(self) -> bool:
        """Something of the dataset was not scored."""
        return bool(self.faults or self.refused)


class Job(NamedTuple):
    """A dataset that is being scored."""

    work: Work
    parts: tuple[Part, ...]
    faults: tuple[str, ...]
    manifest: Manifest


def score_dataset(
    dataset: str | Path,
    to: str | Path,
    model: str | Path,
    *,
    processes: int = 1,
    cluster: str | None = None,
    memory_per_process: int = GIB,
    rows_per_part: int | None = None,
    evidence: bool = False,
    reading: Reading = Reading(),  # noqa: B008  frozen
    renew: bool = False,
    tell: Callable[[Progress], object] = lambda _: None,
) -> Scored:
    """Score every headline of a Parquet dataset into a folder of Parquet files; the same call goes on after a kill.

    Parameters
    ----------
    dataset : a file, a folder of files in any depth, or what `signals export --to` wrote. Its columns are those of the
        export's `headlines`, or what `signals import` understands (a title and a published time at least).
    to : gets `SOURCE-FIRSTROW.parquet` for each part of each file, with the columns of the export's `scores`, one row a
        headline in the order of the file: `headline_id` and `known_at` (UTC) join it with headlines, `p_up`, `p_flat`,
        `p_down` and `relevance` in [0, 1], `usd_effect`, `jpy_effect` in [-1, 1], + where that currency strengthens.
    model : a model file, `seeds/model/model.skops` or one of `signals train`.
    processes : of this machine; more than one want the extra `scale`, to survive the death of one.
    cluster : address of a Dask scheduler, `tcp://HOST:PORT`, in place of processes; its workers need this package and
        reach both folders by the same paths.
    memory_per_process : bytes that a process of this machine may take. One that takes more is ended, and its part done
        again; processes of a cluster have the cluster's limit. Not enforced where this process does the work.
    rows_per_part : done, or lost by a kill, at once; null: 20,000, or as before.
    evidence : also what each score is made of, which takes three times as long; else `evidence` is empty.
    renew : score anew files that changed since, and drop what is gone, where it would be refused.
    tell : told after each part.

    Raises
    ------
    ConfigError : no dataset there, no such address, too little memory, `to` within the dataset or in use by others, or
        pyarrow is not installed.
    DataError : `to` holds scores by another model, read in another way, or of files that have changed.
    ModelError : no model there. WorkerError : the cluster cannot be reached or has died; the same call goes on.
    OSError : the scores cannot be written.
    """
    if memory_per_process < LEAST_BYTES:
        said = f"{memory_per_process / GIB:.2f} GiB is less than a process takes before its first row"
        raise ConfigError("--memory-per-process", said, f"{LEAST_BYTES >> 20} MiB or more")
    found, folder = listed(Path(dataset)), Path(to).resolve()
    if folder == found.root or found.root in folder.parents:
        raise ConfigError(f"--to {to}", "lies within the dataset", "a folder of its own: it would be read as a part")
    with scored_folder.alone(folder):
        letters = max(1, (memory_per_process - LEAST_BYTES // 2) // _LETTERS_SHARE)
        blob = read(Path(model))
        work = Work(found.root, folder, blob, str(model), reading, evidence=evidence, letters=letters)
        job = begin(work, found, rows_per_part, renew=renew)
        return run(job, Place(processes, cluster, memory_per_process), tell)


def begin(work: Work, found: Listed, rows_per_part: int | None, *, renew: bool) -> Job:
    """See that the folder is of this dataset and model, and write down what is to be in it. Raises DataError."""
    before = scored_folder.load(work.to)
    rows = rows_per_part or (before.rows_per_part if before else ROWS_PER_PART)
    told = {name: str(value) for name, value in work.reading._asdict().items() if value}
    manifest = Manifest(work.model.model_id, work.evidence, told, rows, found.sources)
    scored_folder.check(work.to, before, manifest)
    gone = scored_folder.changed(before, manifest)
    if gone and not renew:
        raise scored_folder.refuse(work.to, gone[0], gone[0].path in {one.path for one in found.sources})
    scored_folder.sweep_out(work.to)
    scored_folder.drop(work.to, gone, rows)  # before the list is renewed: killed between them, it is refused again
    scored_folder.save(work.to, manifest)
    return Job(work, tuple(parts(found.sources, rows)), found.faults, manifest)


def run(job: Job, place: Place, tell: Callable[[Progress], object]) -> Scored:
    """Do the parts that are not there."""
    tally = Tally(job, tell)
    to_do = [part for part in job.parts if not tally.found(known(job.work.to, part))]
    tally.begin()
    if to_do:
        with lasting(job.work, place, len(to_do)) as mapper:
            for one in done_of(mapper, to_do):
                tally.take(one)
    if not tally.faults:
        scored_folder.save(job.work.to, msgspec.structs.replace(job.manifest, finished=True))
    return tally.scored()


def done_of(mapper: Mapper, to_do: list[Part]) -> Iterator[Done]:
    """What became of each part, in their order; of one of which workers died again and again that it did."""
    for part, one in zip(to_do, mapper(score_part, to_do), strict=True):
        lost = one if isinstance(one, WorkerError) else None
        yield Done(part, 0, {}, f"{part.path}, row {part.first + 1:,}: {lost}") if lost else one


class Tally:
    """What has become of the parts so far."""

    def __init__(self, job: Job, tell: Callable[[Progress], object]) -> None:
        self._job, self._tell = job, tell
        self._of_rows = sum(part.rows for part in job.parts)
        self._parts = self._rows = self._scores = self._before = self._new_rows = self._read = 0
        self._peak = 0
        self._refused: dict[str, Refused] = {}
        self.faults = list(job.faults)

    def found(self, one: Done | None) -> bool:
        """Count a part that was there, if it was."""
        if one is not None:
            self._before += 1
            self._count(one)
        return one is not None

    def begin(self) -> None:
        """Tell of what was there."""
        self._tell(Progress(self._parts, len(self._job.parts), self._rows, self._of_rows, 0))

    def take(self, one: Done) -> None:
        """Count a part that was done, and tell of it."""
        self._new_rows += one.part.rows
        self._peak = max(self._peak, one.peak_bytes)
        self._count(one)
        self._tell(Progress(self._parts, len(self._job.parts), self._rows, self._of_rows, self._new_rows))

    def scored(self) -> Scored:
        """All of it."""
        return Scored(
            self._job.work.to, self._job.manifest.model_id, len(self._job.parts), self._before, self._read,
            self._scores, self._refused, tuple(_once(self.faults)), self._peak or peak_bytes(),
        )  # fmt: skip

    def _count(self, one: Done) -> None:
        self._parts += 1
        self._rows += one.part.rows
        if one.fault:
            self.faults.append(one.fault)
            return
        self._read += one.part.rows
        self._scores += one.scores
        for reason, more in one.refused.items():
            self._refused[reason] = _added(self._refused.get(reason), one.part, more)


def _added(before: Refused | None, part: Part, more: Refusals) -> Refused:
    first = (*(before.first if before else ()), *(f"{part.path}:{row}" for row in more.rows))
    return Refused((before.rows if before else 0) + more.count, first[:5])


def _once(lines: Iterable[str]) -> Iterator[str]:
    """Each line once: all parts of a broken file say the same."""
    yield from dict.fromkeys(lines)
