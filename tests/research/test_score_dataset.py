"""Archives scored: what is written is what live says, the same wherever it is made, and nothing is mixed up."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signals.errors import ConfigError, DataError, WorkerError
from signals.model import Headline, Score
from signals.research import spread
from signals.research.export import Covers, covering, write_day
from signals.research.export_schema import arrow_schema
from signals.research.score_dataset import LEAST_BYTES, Progress, Scored, score_dataset
from signals.research.scoring_part import Reading
from signals.scoring.model import ScoringModel
from signals.sources.history import Refused, Terms, headline
from tests.conftest import ROOT
from tests.core.conftest import NOW, make_headline
from tests.research.test_recipes import BLOCKS

MODEL = ROOT / "seeds" / "model" / "model.skops"
SAYS = ("BOJ hikes to 1.0%", "Fed cuts rates by half a point", "Storm nears Florida", "日銀、利上げを決定", "Yen falls")
TERMS = Terms("import", dt.timedelta(seconds=60))


def titles(count: int) -> list[str]:
    return [f"{SAYS[n % len(SAYS)]} ({n})" for n in range(count)]


def write(path: Path, count: int, **more: list[Any]) -> Path:
    """A file of somebody's, in two groups of rows: three columns that an import understands, and others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    at = [NOW + dt.timedelta(minutes=n) for n in range(count)]
    made = {"title": titles(count), "published_at": at, "source": ["Wire"] * count, "number": list(range(count))}
    pq.write_table(pa.table(made | more), path, row_group_size=max(1, count // 2 + 1))
    return path


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files in two folders; beside them what readers pass over."""
    folder = tmp_path_factory.mktemp("lake")
    write(folder / "year=2024" / "a.parquet", 50)
    write(folder / "year=2025" / "a.parquet", 30)
    write(folder / "year=2025" / "b.parquet", 1)
    write(folder / "year=2025" / "_other.parquet", 3)
    (folder / "README").write_text("not Parquet")
    return folder


def scored(lake: Path, to: Path, **more: Any) -> Scored:
    return score_dataset(lake, to, MODEL, **({"rows_per_part": 16} | more))


def whole(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def plain(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of it."""
    folder = tmp_path_factory.mktemp("plain") / "scored"
    scored(lake, folder)
    return folder


def test_a_row_has_the_score_of_its_headline(lake: Path, plain: Path) -> None:
    """To the last bit what live says of the headline that an import makes of the row, in the order of the rows."""
    model = ScoringModel.load(MODEL)
    found = [row for path in sorted(plain.rglob("year=2024/*.parquet")) for row in pq.read_table(path).to_pylist()]
    rows = pq.read_table(lake / "year=2024" / "a.parquet").to_pylist()
    made = [headline({name: row[name] for name in ("title", "published_at", "source")}, TERMS, _late()) for row in rows]
    headlines = [one for one in made if isinstance(one, Headline)]
    for one, score, row in zip(headlines, model.answers(headlines), found, strict=True):
        wanted = msgspec.structs.asdict(score) | {"known_at": one.known_at, "topics": list(score.topics)}
        assert row == wanted | {"evidence": []}
    assert {row["direction"] for row in found} == {"up", "flat", "down"}


def _late() -> dt.datetime:
    return dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def test_parts_are_named_by_their_source_and_first_row(plain: Path) -> None:
    """In the folders of their sources, with the schema of an export's scores; other readers see nothing else."""
    assert sorted(whole(plain)) == [
        "_scored.json", *(f"year=2024/a-{first:010d}.parquet" for first in (0, 16, 32, 48)),
        "year=2025/a-0000000000.parquet", "year=2025/a-0000000016.parquet", "year=2025/b-0000000000.parquet",
    ]  # fmt: skip
    assert pq.read_schema(plain / "year=2025/b-0000000000.parquet").equals(arrow_schema("scores"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A real Dask cluster of one process on loopback; its address."""
    from distributed import LocalCluster

    made: Any = LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")
    with made:
        yield made.scheduler_address


@pytest.mark.parametrize("place", ["2 processes", "2 processes without Dask", "a cluster"])
def test_the_bytes_are_the_same_wherever_they_are_made(
    lake: Path, plain: Path, tmp_path: Path, place: str, request: pytest.FixtureRequest, monkeypatch: Any
) -> None:
    """Every file, what is told of them, and the progress to its end."""
    if "without" in place:
        monkeypatch.setattr(spread, "has_dask", lambda: False)
    more = {"cluster": request.getfixturevalue("cluster")} if "cluster" in place else {"processes": 2}
    seen: list[Progress] = []
    found = scored(lake, tmp_path / "scored", tell=seen.append, **more)
    assert whole(found.folder) == whole(plain)
    assert (found.parts, found.before, found.rows, found.scores, found.partial) == (7, 0, 81, 81, False)
    assert [(one.parts, one.rows) for one in (seen[0], seen[-1])] == [(0, 0), (7, 81)]


def test_what_is_there_is_left_alone(lake: Path, plain: Path, tmp_path: Path) -> None:
    """Only what is missing is done, only what is new in the dataset is added; half a file of a kill is taken away."""
    found = scored(lake, tmp_path / "scored")
    gone = found.folder / "year=2024/a-0000000016.parquet"
    kept = {path: path.stat() for path in found.folder.rglob("*.parquet") if path != gone}
    gone.unlink()
    (found.folder / "year=2024/_a.parquet.0123.partial").write_bytes(b"PAR1")
    again = scored(lake, found.folder, rows_per_part=None)
    assert (again.before, again.parts, again.rows, again.scores) == (6, 7, 81, 81)
    assert whole(found.folder) == whole(plain)
    for path, before in kept.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_scores_are_never_mixed(lake: Path, plain: Path, tmp_path: Path) -> None:
    """Another model, way of reading, cut, dataset, or a stranger's folder: one line with the mend, nothing touched."""
    other = tmp_path / "model.skops"
    _another_model(other)
    stranger = write(tmp_path / "stranger" / "x.parquet", 1).parent
    before = whole(plain)
    for said, more in {
        "was scored by model": {"model": other},
        "was scored with evidence no, not yes": {"evidence": True},
        "was scored reading source=import, not source=desk": {"reading": Reading(source="desk")},
        "was scored in parts of 16, not 8": {"rows_per_part": 8},
        "is not there any more since it was scored into": {"dataset": lake / "year=2025"},
    }.items():
        given = {"dataset": lake, "model": MODEL, "rows_per_part": 16} | more
        with pytest.raises(DataError, match=said) as caught:
            score_dataset(given.pop("dataset"), plain, given.pop("model"), **given)
        assert "another folder for --to" in str(caught.value)
    assert whole(plain) == before
    with pytest.raises(DataError, match="holds Parquet files and no scores of ours"):
        scored(lake, stranger)


def _another_model(path: Path) -> None:
    from signals.scoring import file

    parameters, card, _ = file.load(MODEL)
    file.save(path, parameters._replace(temperature=2.0), card)


def test_new_files_are_added_and_changed_ones_are_refused_or_renewed(tmp_path: Path) -> None:
    """An archive grows by a day: only that day is scored. A file that changed is scored anew if that is meant."""
    write(tmp_path / "in" / "1.parquet", 20)
    write(tmp_path / "in" / "2.parquet", 20)
    scored(tmp_path / "in", tmp_path / "out")
    write(tmp_path / "in" / "3.parquet", 20)
    assert scored(tmp_path / "in", tmp_path / "out").before == 4
    write(tmp_path / "in" / "2.parquet", 10)
    (tmp_path / "in" / "1.parquet").unlink()
    with pytest.raises(DataError, match=r"1.parquet: is not there .* --renew"):
        scored(tmp_path / "in", tmp_path / "out")
    done = scored(tmp_path / "in", tmp_path / "out", renew=True)
    assert (done.before, done.parts, done.rows) == (2, 3, 30)
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 3


def test_what_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    """A file that is none, one broken in the middle, rows without a date: each named; the others are there."""
    folder = tmp_path / "in"
    write(folder / "a.parquet", 20)
    (folder / "b.parquet").write_bytes(b"PAR1 is how it begins")
    broken = write(folder / "c.parquet", 20)
    blob = bytearray(broken.read_bytes())
    blob[4:400] = bytes(396)
    broken.write_bytes(blob)
    dates: list[Any] = [NOW if n % 2 else None for n in range(20)]
    write(folder / "d.parquet", 20, published_at=dates)
    pq.write_table(pa.table({"words": ["of no use"]}), folder / "e.parquet")
    found = scored(folder, tmp_path / "out")
    assert (found.rows, found.scores, found.partial) == (44, 34, True)  # the end of c lies in a group that is whole
    assert found.refused["no date"].rows == 10
    assert found.refused["no date"].first[:2] == ("d.parquet:1", "d.parquet:3")
    faults = sorted(found.faults)
    assert [Path(line.partition(":")[0]).name for line in faults] == ["b.parquet", "c.parquet", "e.parquet"]
    assert all("\n" not in line for line in faults)
    assert "has no column for the title" in "".join(faults)
    write(folder / "b.parquet", 5)  # mended: it alone is done; what was refused is still told
    again = scored(folder, tmp_path / "out")
    assert (again.scores, again.refused) == (39, found.refused)
    assert len(again.faults) == 2


def test_headlines_of_an_export_keep_their_ids(tmp_path: Path) -> None:
    """Its folder is found in the export, body and summary count, and the scores join by `headline_id`."""
    made = [
        make_headline(title, headline_id=str(n), body=f"{title}. The yen rose.") for n, title in enumerate(titles(9))
    ]
    columns = {name: [getattr(one, name) for one in made] for name in Headline.__struct_fields__}
    columns |= {name: [None] * 9 for name in ("scored_at", "story_id", "skip_reason")} | {"imported": [False] * 9}
    with covering(tmp_path / "lake", Covers(("headlines",))):
        write_day(tmp_path / "lake", "headlines", NOW.date(), [columns])
    done = scored(tmp_path / "lake", tmp_path / "out", evidence=True)
    (path,) = (tmp_path / "out").rglob("date=*/part-0000000000.parquet")
    rows = pq.read_table(path).to_pylist()
    scores = ScoringModel.load(MODEL).score(made)
    assert done.scores == 9
    for row, wanted in zip(rows, scores, strict=True):
        del row["known_at"]
        assert msgspec.convert(row, Score) == wanted
    assert any(row["evidence"] for row in rows)
    recipe = BLOCKS["duckdb_scores"].format(LAKE=tmp_path / "lake", SCORED=tmp_path / "out")
    joined = duckdb.sql(recipe).fetchall()
    assert [row[:2] for row in joined] == sorted(
        (one.headline_id, one.title) for one, score in zip(made, scores, strict=True) if score.relevant
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dataset": "nowhere"}, "nowhere: there is no such file or folder"),
        ({"to": "in/out"}, "lies within the dataset"),
        ({"memory_per_process": LEAST_BYTES - 1}, "is less than a process takes before its first row - 448 MiB"),
        ({"cluster": "there"}, "--cluster: 'there' is no address"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(tmp_path: Path, given: dict[str, Any], said: str, monkeypatch) -> None:
    """Each mistake is one line with the mend."""
    monkeypatch.chdir(tmp_path)
    write(Path("in/a.parquet"), 2)
    with pytest.raises(ConfigError) as caught:
        score_dataset(**({"dataset": "in", "to": "out", "model": MODEL} | given))
    assert said in str(caught.value)


def test_two_do_not_write_into_one_folder(lake: Path, tmp_path: Path) -> None:
    """The second is told at once."""
    with pytest.raises(ConfigError, match="another run writes there"):
        scored(lake, tmp_path, tell=lambda _: scored(lake, tmp_path))


def test_the_part_of_a_refused_row_is_not_guessed() -> None:
    """A row without a title is refused for what it lacks."""
    assert headline({"title": "", "published_at": NOW}, TERMS, _late()) == Refused("no title")


def _fragile(folder: Path, item: int) -> str:
    if item == 1 and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(9)
    if item == 2:
        os._exit(9)
    return f"{item} by {'another' if item == 1 else 'any'}"


def test_what_a_dead_worker_held_is_done_by_another(tmp_path: Path) -> None:
    """One that dies once costs nothing; an item of which workers always die is told, and the others are done."""
    place = spread.Place(processes=2, memory_bytes=LEAST_BYTES)
    with spread.lasting(tmp_path, place, 5) as mapper:
        found = list(mapper(_fragile, [0, 1, 2, 3, 4]))
    assert isinstance(found[2], WorkerError)
    assert "--memory-per-process" in str(found[2])
    assert [found[n] for n in (0, 1, 3, 4)] == ["0 by any", "1 by another", "3 by any", "4 by any"]


def _threads(world: object, item: int) -> list[str | None]:
    return [os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]


def test_a_process_has_one_thread_for_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many processes as cores would fight for them otherwise; ours keeps its environment."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with spread.processes(None, 1) as mapper:
        assert list(mapper(_threads, [0])) == [["1", "1", "1"]]
    assert "OMP_NUM_THREADS" not in os.environ
