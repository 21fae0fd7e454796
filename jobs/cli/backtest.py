"""`signals backtest`: trade the signals with costs, and hold the result against chance."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.table import Table

from jobs.cli import options, research

if TYPE_CHECKING:
    from jobs.app import App
    from jobs.history import History
    from signals.research.appraisal import Appraisal
    from signals.research.ledger import Trials

_SECTIONS = ("rules", "costs", "policy")
_CUTS = 3

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="rules.strength_min=0.5, costs.slippage_pips=0.2, policy...=..."),
]

Placebos = Annotated[int, typer.Option("--placebos", min=20, max=10_000, help="How often signals are shuffled.")]
Lookahead = Annotated[bool, typer.Option(help="Replay the archive cut at several times, and compare.")]
Count = Annotated[
    bool, typer.Option("--count/--no-count", help="Note this run in the ledger, against which later ones are judged.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="F.html", help="Write a report with pictures.")]
To = Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write trades, days and bars as Parquet.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "backtest",
        epilog="Example: signals backtest --from 2026-01-01 --set rules.horizon_s=1800 --report backtest.html",
    )(backtest)


def backtest(
    context: typer.Context,
    since: research.Since = None,
    until: research.Until = None,
    signals_from: research.SignalsFrom = "store",
    bars: research.Bars = None,
    model: research.Model = None,
    sets: Set = None,
    allow_backfilled: research.AllowBackfilled = False,
    placebos: Placebos = 99,
    lookahead: Lookahead = True,
    note_trial: Count = True,
    report: Report = None,
    to: To = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Trade the signals on the bars that followed, net of costs, and hold the result against chance.

    Filled at the open of the next bar after a signal was told and the latency. Every figure has a 95% interval by whole
    days; shuffled and shifted signals are traded beside the real ones; each run is a trial against the Sharpe ratio.
    """
    from jobs.app import App

    settings = options.settings(context, config)
    given = research.assignments(sets, _SECTIONS)
    policy = research.changed("policy", settings.policy, given["policy"])
    _reserve(report, to)
    with closing(App(settings)) as app, research.stoppable():
        history = research.load(
            app, since=since, until=until, signals_from=signals_from, bars=bars, model=model, policy=policy,
            allow_backfilled=allow_backfilled,
        )  # fmt: skip
        found, said = _appraised(app, history, given, placebos, note_trial)
        checked = _looked_ahead(app, signals_from, model, policy) if lookahead else None
        said += research.looked(checked) if checked else ["look-ahead was not looked for"]
    inputs = _inputs(history, found)
    written = _written(found, history, said, inputs, report, to)
    if as_json:
        print(msgspec.json.encode(_object(found, said, inputs)).decode())
    else:
        _show(found, said, written)
    if checked and checked.differences:
        raise typer.Exit(1)


def _reserve(report: Path | None, to: Path | None) -> None:
    """What is missing or cannot be written is told of before the work."""
    needs = {"arch": "intervals"} | ({"matplotlib": "--report"} if report else {}) | ({"pyarrow": "--to"} if to else {})
    for package, what in needs.items():
        research.require(package, what)
    if report:
        research.reserve(report)
    if to:
        research.folder(to)


def _appraised(
    app: "App", history: "History", given: Mapping[str, dict[str, Any]], placebos: int, note_trial: bool
) -> "tuple[Appraisal, list[str]]":
    from signals.research.appraisal import appraise
    from signals.research.backtest import backtest as trade
    from signals.research.rules import Rules

    rules = research.changed("rules", Rules(), given["rules"]) or Rules()
    costs = research.changed("costs", app.costs, given["costs"]) or app.costs
    done = trade(history.signals, history.bars, rules, costs)
    trials, said = _counted(app, history, done, note_trial)
    with research.progress("placebos", "trades anew") as tell:
        found = appraise(history.signals, history.bars, done, trials, placebos=placebos, tell=tell)
    return found, [*history.notes, *said]


def _counted(app: "App", history: "History", done: Any, note_trial: bool) -> "tuple[Trials, list[str]]":
    from signals.research.accounting import daily
    from signals.research.deflated import moments
    from signals.research.ledger import Ledger, Trial
    from signals.research.rules import rules_id

    returns = daily(done)
    ratio = moments(returns).sharpe
    trial = Trial(
        run_id=uuid.uuid4().hex[:12],
        at=app.clock().isoformat(),
        rules_id=rules_id(done.rules, done.costs),
        policy_id=",".join(history.policy_ids),
        model_id=",".join(history.model_ids),
        inputs_id=",".join(history.inputs.values()),
        first_day=f"{returns.index[0]:%Y-%m-%d}",
        last_day=f"{returns.index[-1]:%Y-%m-%d}",
        days=len(returns),
        sharpe_day=ratio if ratio == ratio else None,  # NaN: it does not vary
    )
    ledger = Ledger(app.settings.home / "trials.jsonl")
    trials = ledger.add(trial) if note_trial else ledger.read()
    said = [
        f"{_trials(len(trials.distinct))} in {ledger.path.name}" + ("" if note_trial else ", this one not noted there")
    ]
    if trials.unreadable:
        said.append(f"{ledger.path}: {len(trials.unreadable)} lines cannot be read and are not counted")
    return trials.including(trial), said


def _trials(count: int) -> str:
    return f"{count} distinct trial{'' if count == 1 else 's'}"


def _looked_ahead(app: "App", signals_from: str, model: Path | None, policy: Any) -> Any:
    """Cut the archive and compare; null for signals of a file, which were not made from it."""
    if signals_from not in ("store", "replay"):
        return None
    from jobs.history import FIRST, LAST
    from jobs.replaying import Asked, check_lookahead

    with research.progress("look-ahead") as tell:
        return check_lookahead(app, Asked(FIRST, LAST, model, policy), cuts=_CUTS, tell=tell)


def _inputs(history: "History", found: "Appraisal") -> dict[str, str]:
    from signals.research.rules import rules_id

    done = found.backtest
    return {
        "signals (SHA-256)": history.inputs["signals"],
        "bars (SHA-256)": history.inputs["bars"],
        "bars": f"{history.bars.attrs['source']}:{history.bars.attrs['length_s']:.0f}",
        "model": ", ".join(history.model_ids),
        "policy": ", ".join(history.policy_ids),
        "rules and costs": rules_id(done.rules, done.costs),
        "code": history.code_version,
    }


def _written(
    found: "Appraisal", history: "History", said: Sequence[str], inputs: Mapping[str, str],
    report: Path | None, to: Path | None,
) -> list[str]:  # fmt: skip
    lines = []
    if to:
        done = found.backtest
        tables = {"trades": done.trades, "not_traded": done.not_traded, "groups": found.groups}
        tables |= {"days": found.daily.reset_index(), "bars": done.bars.reset_index(), "placebo": found.panel.runs}
        from signals.research.files import write_tables

        write_tables(tables, to)
        lines.append(f"tables: {to}/{{{','.join(tables)}}}.parquet")
    if report:
        from signals.research import studied
        from signals.research.backtest_page import backtest_page
        from signals.research.study_page import in_short

        study = studied.run(history.signals, history.bars, studied.Asked(found.backtest.rules.latency_s))
        report.write_text(backtest_page(found, said, inputs, in_short(study)), encoding="utf-8")
        lines.append(f"report: {report}")
    return lines


def _show(found: "Appraisal", said: Sequence[str], written: Sequence[str]) -> None:
    from signals.research.appraisal import verdict
    from signals.research.backtest_page import figures

    screen = options.console()
    screen.print(f"[bold]{verdict(found)}[/]\n", highlight=False)
    for line in said:
        screen.print(f"  {line}", markup=False)
    table = Table(box=SIMPLE, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for name, text in figures(found):
        table.add_row(name, text)
    for row in found.panel.standing.itertuples(index=False):
        table.add_row(f"placebo, {row.kind}", f"{row.at_least} of {row.n} do as well or better (p = {row.p_value:.3f})")
    refused = [f"{n:,} {why.replace('_', ' ')}" for why, n in found.summary.not_traded.items() if n]
    table.add_row("not traded", ", ".join(refused) or "-")
    screen.print(table)
    for line in written:
        screen.print(line, markup=False)


def _object(found: "Appraisal", said: Sequence[str], inputs: Mapping[str, str]) -> dict[str, Any]:
    from signals.research.appraisal import verdict

    intervals = {name: getattr(found, name)._asdict() for name in ("net_bp", "gross_bp", "hit_rate", "sharpe")}
    return {
        "verdict": verdict(found),
        "notes": list(said),
        "inputs": inputs,
        "summary": found.summary._asdict(),
        "intervals": intervals,
        "deflated": found.deflated._asdict(),
        "placebo": found.panel.standing.to_dict("records"),
        "groups": found.groups.to_dict("records"),
    }
