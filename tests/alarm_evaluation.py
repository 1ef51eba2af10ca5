"""When CloudWatch raises an alarm: a pure evaluation of an alarm's inputs, as its documentation describes it.

See "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch User Guide.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Points = Sequence[float | None]


@dataclass(frozen=True)
class Samples:
    """What was measured in one period after another, before a statistic makes a point of it; a period may be empty."""

    periods: Sequence[Sequence[float]]


EXTRA_PERIODS = 2
"""How many periods more than it evaluates an alarm looks back, to find points in the place of missing ones."""

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def goes_off(alarm: Mapping[str, Any], data: Mapping[str, Points | Samples]) -> bool:
    """Return whether an alarm with these inputs goes from the state OK to ALARM.

    `data` has the values of each metric, by its name, of one period after another, with None for a missing one; or
    samples, of which the alarm's own statistic makes the values. A metric that is not there has no points.
    """
    values = _values(alarm, {name: _points(alarm, each) for name, each in data.items()})
    periods, needed = alarm["evaluationPeriods"], alarm.get("datapointsToAlarm", alarm["evaluationPeriods"])
    real = [value for value in values[-periods - EXTRA_PERIODS :] if value is not None][-periods:]
    compare = _COMPARISONS[alarm["comparisonOperator"]]
    breaching = sum(compare(value, alarm["threshold"]) for value in real)
    missing = periods - len(real)
    treated = {"breaching": missing, "notBreaching": 0}[alarm["treatMissingData"]]
    return bool(breaching + treated >= needed)


def _points(alarm: Mapping[str, Any], data: Points | Samples) -> Points:
    if not isinstance(data, Samples):
        return data
    chosen = alarm.get("extendedStatistic") or alarm["statistic"]
    few_count = alarm.get("evaluateLowSampleCountPercentiles") != "ignore"
    # An ignored period leaves the alarm's state as it is, which is OK here, as a missing one does.
    return [
        statistic(chosen, samples) if samples and (few_count or len(samples) >= enough(chosen)) else None
        for samples in data.periods
    ]


def statistic(name: str, samples: Sequence[float]) -> float:
    """Make a point of a period's samples: a percentile such as p99 is the sample that so many percent do not exceed."""
    simple: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
    if name in simple:
        return simple[name](samples)
    return sorted(samples)[max(1, math.ceil(len(samples) * float(name.removeprefix("p")) / 100)) - 1]


def enough(percentile: str) -> int:
    """How many samples a percentile from 50 up needs to be significant: ten beyond it."""
    return math.ceil(10 / (1 - float(percentile.removeprefix("p")) / 100) - 1e-6)


def _values(alarm: Mapping[str, Any], points: Mapping[str, Points]) -> Points:
    if "metricName" in alarm:
        return points.get(alarm["metricName"], ())
    metrics = {query["id"]: query["metric"]["metricName"] for query in alarm["metricQueries"] if "metric" in query}
    [expression] = [query["expression"] for query in alarm["metricQueries"] if query.get("returnData")]
    length = max((len(each) for each in points.values()), default=0)
    series = {key: [*points.get(name, ()), *[None] * length][:length] for key, name in metrics.items()}
    tree = ast.parse(expression, mode="eval").body
    return [_evaluate(tree, {key: each[at] for key, each in series.items()}) for at in range(length)]


def _evaluate(node: ast.expr, names: Mapping[str, float | None]) -> float | None:
    """Evaluate the part of metric math that the alarms use; an expression with a missing operand is missing."""
    match node:
        case ast.Constant(value=float() | int() as value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.BinOp(left=left, op=op, right=right):
            operands = _evaluate(left, names), _evaluate(right, names)
            if operands[0] is None or operands[1] is None or (isinstance(op, ast.Div) and not operands[1]):
                return None
            return _ARITHMETIC[type(op)](operands[0], operands[1])
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]):
            return _greater(_evaluate(left, names), _evaluate(right, names))
        case ast.Call(func=ast.Name(id="IF" | "FILL" as function), args=args):
            return _call(function, args, names)
    raise ValueError(f"metric math that is not supported here: {ast.unparse(node)}")


def _call(function: str, args: Sequence[ast.expr], names: Mapping[str, float | None]) -> float | None:
    first = _evaluate(args[0], names)
    if function == "FILL":
        return _evaluate(args[1], names) if first is None else first
    return None if first is None else _evaluate(args[1 if first else 2], names)


def _greater(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else float(left > right)
