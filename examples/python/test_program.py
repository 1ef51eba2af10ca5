"""Tests of this program with Pulumi's own mocks: no cloud, no account, no CLI. Run them with pytest, in this folder."""

import runpy

import pulumi


class Mocks(pulumi.runtime.Mocks):
    """Keeps what is registered, and makes up what AWS would compute."""

    def __init__(self):
        self.registered = []

    def new_resource(self, args):
        self.registered.append(args)
        return f"{args.name}-id", {"name": args.name, "apiEndpoint": "https://api.example", **args.inputs}

    def call(self, args):
        return {}

    def one(self, kind, name):
        [found] = [each for each in self.registered if (each.typ, each.name) == (kind, name)]
        return found


mocks = Mocks()
pulumi.runtime.set_mocks(mocks, preview=False)


@pulumi.runtime.test
def test_the_program_registers_its_resources():
    program = runpy.run_path("__main__.py")

    def check(outputs):
        assert outputs == ["https://api.example", "hits-table"]
        mapping = "aws:lambda/eventSourceMapping:EventSourceMapping"
        assert mocks.one(mapping, "hits-process-stream").inputs["batchSize"] == 500
        assert mocks.one(mapping, "audit").inputs["filterCriteria"]["filters"] == [
            {"pattern": '{"eventName": ["REMOVE"]}'}
        ]
        assert mocks.one("aws:iam/rolePolicy:RolePolicy", "hits-read-report").inputs["role"] == "report"

    counter = program["counter"]
    return pulumi.Output.all(counter.api_endpoint, counter.table_name).apply(check)
