"""The URNs of a released layout: an update must find every resource again, or it would replace the tables.

`./counter generate --release` adds the URNs of a release to `layout.json` and takes none away, so a resource that was
renamed without an alias is missed here, whatever is generated.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

from cli.checkout import generate
from components import StreamTriggeredCounter
from components.engine.resource import make_urn
from components.testing import Resource, Result, run

LAYOUT = Path(__file__).with_name("layout.json")


def layout(result: Result) -> list[str]:
    return sorted(resource.urn for resource in result.resources)


def earlier(resource: Resource, by_urn: Mapping[str, Resource]) -> Iterator[str]:
    """Every URN that the engine takes for this resource's: its own, and what aliases make of it."""
    parent = by_urn.get(resource.parent)
    parents = {resource.parent, *(earlier(parent, by_urn) if parent else ())}
    kinds = {(resource.type, resource.name)}
    for alias in resource.aliases:
        if alias.urn:
            yield alias.urn
            continue
        kinds.add((alias.type or resource.type, alias.name or resource.name))
        parents |= {alias.parent_urn} if alias.parent_urn or alias.no_parent else set()
    for urn in parents:
        for kind, name in kinds:
            yield make_urn("test", "project", urn, kind, name)
            # A child that is named after its parent is renamed with it.
            if parent and name.startswith(parent.name):
                renamed = urn.rpartition("::")[2] + name.removeprefix(parent.name)
                yield make_urn("test", "project", urn, kind, renamed)


def test_every_resource_that_was_ever_released_is_found_again() -> None:
    result = run(generate.every_component)
    by_urn = {resource.urn: resource for resource in result.monitor.resources}
    found = {urn for resource in result.resources for urn in earlier(resource, by_urn)}
    lost = sorted(set(json.loads(LAYOUT.read_text())) - found)
    assert not lost, "an update would replace these; give what was renamed an alias:\n" + "\n".join(lost)


def test_a_release_adds_its_resources_and_forgets_none() -> None:
    now = layout(run(generate.every_component))
    assert len(now) > 50
    assert json.loads(generate.layout()) == sorted({*json.loads(LAYOUT.read_text()), *now})


def test_renamed_component_with_an_alias_loses_nothing() -> None:
    opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="counter")])
    result = run(lambda: StreamTriggeredCounter("visits", opts=opts))
    by_urn = {resource.urn: resource for resource in result.monitor.resources}
    found = {urn for resource in result.resources for urn in earlier(resource, by_urn)}
    assert set(layout(run(lambda: StreamTriggeredCounter("counter")))) <= found


def test_renamed_component_without_an_alias_loses_its_tables() -> None:
    result = run(lambda: StreamTriggeredCounter("visits"))
    by_urn = {resource.urn: resource for resource in result.monitor.resources}
    found = {urn for resource in result.resources for urn in earlier(resource, by_urn)}
    lost = set(layout(run(lambda: StreamTriggeredCounter("counter")))) - found
    assert any(urn.endswith("Table::counter-table") for urn in lost)
